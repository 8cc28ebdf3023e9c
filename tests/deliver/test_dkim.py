"""Signatures, as dkimpy and opendkim judge them: two readings of RFC 6376 that are not ours."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING

import dkim as dkimpy  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.dkim import Signer, body_hash
from digest.deliver.dkim_key import Key, new_key, read_key
from digest.errors import DigestError
from tests.makers import NOW

if TYPE_CHECKING:
    from pathlib import Path

RSA = read_key(new_key("rsa-sha256"), origin="test")
ED25519 = Key(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SIGNERS = {"rsa": Signer("example.org", "rsa", RSA), "ed25519": Signer("example.org", "ed", ED25519)}
DNS = {SIGNERS["rsa"].dns_name: RSA.dns_value, SIGNERS["ed25519"].dns_name: ED25519.dns_value}

HEADER = (
    b"From: Paper digest <digest@example.org>\r\n"
    b"To: reader@example.net\r\n"
    b"Reply-To: people@example.org\r\n"
    b"Date: Tue, 15 Sep 2026 06:00:00 +0000\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"Subject: =?utf-8?q?Fr=C3=BCh?= and\r\n\tfolded   over\r\n three lines \r\n"
    b"List-Id: Paper digest <papers.example.org>\r\n"
    b"List-Unsubscribe: <https://example.org/unsubscribe/t>,\r\n <mailto:people@example.org>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Feedback-ID: 20260915:daily:digest:paper-digest\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"User-Agent: digest\r\n"
)
BODY = "Dear reader,\r\n\r\n  grüße \t and so on \r\n.a dot\r\nend\r\n".encode()
MESSAGE = HEADER + b"\r\n" + BODY


def sign(message: bytes, by: str = "rsa") -> bytes:
    return SIGNERS[by].sign(message, at=NOW)


def verified(message: bytes) -> bool:
    """What dkimpy says of the topmost signature."""

    def txt(name: bytes, **_: object) -> bytes:
        return DNS.get(name.decode().rstrip("."), "").encode()

    return bool(dkimpy.verify(message, dnsfunc=txt))


def opendkim(folder: Path, message: bytes) -> bool:
    """What opendkim says of all signatures."""
    if shutil.which("opendkim") is None:
        pytest.skip("opendkim is not installed")
    (folder / "keys").write_text("".join(f"{name} {value}\n" for name, value in DNS.items()))
    (folder / "conf").write_text(f"Mode v\nTestPublicKeys {folder / 'keys'}\n")
    (folder / "message").write_bytes(message)
    command = ["opendkim", "-x", str(folder / "conf"), "-t", str(folder / "message")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert "verification" in done.stdout + done.stderr
    return done.returncode == 0 and "succeeded" in done.stdout + done.stderr


# --- what a signature is ----------------------------------------------------------------------------------------


def test_the_header_stands_in_front_and_the_message_is_unchanged() -> None:
    signed = sign(MESSAGE, "ed25519")

    header = (
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; t=1789452000;\r\n"
        "\td=example.org; s=ed;\r\n"
        "\th=from:from:to:to:subject:subject:date:date:message-id:\r\n"
        "\t message-id:reply-to:reply-to:mime-version:mime-version:\r\n"
        "\t content-type:content-type:list-unsubscribe:list-unsubscribe:\r\n"
        "\t list-unsubscribe-post:list-unsubscribe-post:content-transfer-encoding:\r\n"
        "\t list-id:feedback-id;\r\n"
        "\tbh=CxcPZlBQN3rjyX/eqpzYkj+eTLSiou9tX+YZWQZZ+ic=;\r\n"
        "\tb=XlQkbJbGlumRFpesO0njuO8ip4pGu2C6+U+ypi2VdIzIqYZT6W48mN7/YzPoApZSTEM6SXBv\r\n"
        "\t 1WjdcW2Wc0odCQ==\r\n"
    )
    assert signed.endswith(MESSAGE)
    assert header == signed.removesuffix(MESSAGE).decode()


@pytest.mark.parametrize("by", SIGNERS)
def test_both_verifiers_accept_it(tmp_path: Path, by: str) -> None:
    assert verified(sign(MESSAGE, by))
    assert opendkim(tmp_path, sign(MESSAGE, by))


def test_a_mail_may_carry_both_kinds(tmp_path: Path) -> None:
    """RFC 8463 §5: receivers that do not know Ed25519 look at the other one."""
    signed = sign(sign(MESSAGE, "ed25519"), "rsa")

    assert verified(signed)
    assert verified(signed[signed.index(b"DKIM-Signature", 1) :])
    assert opendkim(tmp_path, signed)


def test_the_same_time_gives_the_same_bytes_and_another_time_another_signature() -> None:
    later = SIGNERS["rsa"].sign(MESSAGE, at=NOW + timedelta(seconds=1))

    assert sign(MESSAGE) == sign(MESSAGE)
    assert sign(MESSAGE) != later
    assert b" t=1789452001;" in later
    assert verified(later)


def test_lines_of_the_header_stay_short() -> None:
    header = sign(MESSAGE).removesuffix(MESSAGE)

    assert max(map(len, header.split(b"\r\n"))) <= 78


# --- what it protects -------------------------------------------------------------------------------------------

SIGNED_FIELDS = [
    "From",
    "To",
    "Reply-To",
    "Date",
    "Message-ID",
    "Subject",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
]
SIGNED_AS_OFTEN_AS_THERE = {"List-Id", "Feedback-ID", "Content-Transfer-Encoding"}


@pytest.mark.parametrize("name", SIGNED_FIELDS)
def test_a_change_of_a_signed_field_breaks_it(name: str) -> None:
    message = sign(MESSAGE)
    before, field, after = message.partition(f"\r\n{name}: ".encode())

    assert field
    assert not verified(before + field + b"x" + after)


@pytest.mark.parametrize("name", SIGNED_FIELDS)
def test_a_signed_field_taken_away_breaks_it(name: str) -> None:
    without = re.sub(rf"\r\n{name}: .*(\r\n[ \t].*)*(?=\r\n)".encode(), b"", sign(MESSAGE))

    assert without != sign(MESSAGE)
    assert not verified(without)


@pytest.mark.parametrize("place", ["top", "bottom"])
@pytest.mark.parametrize("name", [name for name in SIGNED_FIELDS if name not in SIGNED_AS_OFTEN_AS_THERE])
def test_a_second_field_breaks_it(name: str, place: str) -> None:
    """Mail programs show, or act on, one of two: which one is anybody's guess."""
    field = f"{name}: <https://attacker.example.com>\r\n".encode()
    signed = sign(MESSAGE)
    end = signed.index(b"\r\n\r\n") + 2

    assert not verified(field + signed if place == "top" else signed[:end] + field + signed[end:])


@pytest.mark.parametrize("name", ["Reply-To", "List-Unsubscribe", "List-Unsubscribe-Post"])
def test_a_field_that_was_not_there_cannot_be_added(name: str) -> None:
    signed = sign(b"From: a@example.org\r\n\r\nHello\r\n")

    assert verified(signed)
    assert not verified(f"{name}: <https://attacker.example.com>\r\n".encode() + signed)


@pytest.mark.parametrize("body", [BODY + b"more\r\n", BODY[1:], BODY.replace(b"so on", b"so, on"), b""])
def test_a_change_of_the_body_breaks_it(tmp_path: Path, body: bytes) -> None:
    changed = sign(MESSAGE).removesuffix(BODY) + body

    assert not verified(changed)
    assert not opendkim(tmp_path, changed)


def test_what_relays_do_on_the_way_does_not_break_it(tmp_path: Path) -> None:
    """Trace fields in front, headers folded elsewhere, white space at line ends, empty lines at the end."""
    changed = b"Received: from a by b; Tue, 15 Sep 2026 06:00:01 +0000\r\n" + sign(MESSAGE)
    changed = changed.replace(b"Date: Tue, 15", b"Date:  Tue,\r\n 15").replace(b"reader,\r\n", b"reader, \t\r\n")
    changed += b"\r\n \r\n\r\n"

    assert verified(changed)
    assert opendkim(tmp_path, changed)


# --- edges ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n\r\n",
        b" \r\n",
        b"\t\r\n \r\n",
        b"text\r\n\r\n\r\n",
        b"text\r\n \r\n\t\r\n",
        b"\r\n\r\ntext\r\n",
        "8 bit: \N{LATIN SMALL LETTER A WITH DIAERESIS}\r\n".encode(),
        b"not UTF-8: \xff\xfe\x00\r\n",
        b".\r\n..\r\n",
        b"-" * 900 + b"\r\n",
        (b" \t" * 4000) + b"x\r\n",
    ],
)
def test_every_body_is_verified(tmp_path: Path, body: bytes) -> None:
    signed = sign(HEADER + b"\r\n" + body)

    assert verified(signed)
    if b"\0" not in body:  # opendkim reads its test files as C strings
        assert opendkim(tmp_path, signed)


@pytest.mark.parametrize(
    "field",
    [
        b"Subject:",
        b"Subject: ",
        b"Subject:no space",
        b"SUBJECT: Case Of The Name",
        b"Subject: \t a \t  b \t",
        b"Subject:\r\n on the next line",
        b"Subject: a\r\n \r\n b",
        "Subject: 8 bit \N{SNOWMAN}".encode(),
        b"Subject: not UTF-8 \xff",
        b"Subject: colons: and; semicolons; b=x; bh=y",
        b"Subject: " + b"x" * 900,
    ],
)
def test_every_header_is_verified(field: bytes) -> None:
    assert verified(sign(b"From: a@example.org\r\n" + field + b"\r\nX-Other: x\r\n\r\nHello\r\n"))


def test_of_several_fields_with_one_name_all_are_signed() -> None:
    """RFC 6376 §5.4.2 counts from the bottom."""
    signed = sign(b"From: a@example.org\r\nList-Id: one\r\nX: y\r\nList-Id: two\r\n\r\nHello\r\n")

    assert verified(signed)
    assert not verified(signed.replace(b"List-Id: one", b"List-Id: uno"))
    assert not verified(signed.replace(b"List-Id: two", b"List-Id: due"))


def test_a_message_without_a_body_is_verified() -> None:
    assert verified(sign(b"From: a@example.org\r\nTo: b@example.org\r\n\r\n"))


def test_without_from_there_is_nothing_to_sign() -> None:
    """RFC 6376 §5.4: receivers reject a signature that does not cover From."""
    with pytest.raises(DigestError, match="a message without From cannot be signed"):
        sign(b"To: a@example.org\r\n\r\nFrom: b@example.org\r\n")


@pytest.mark.parametrize(
    "message",
    [
        MESSAGE.removesuffix(b"\r\n"),
        MESSAGE + b"\n",
        MESSAGE + b"\r",
        MESSAGE.replace(b"so on \r\n", b"so on \n"),
        MESSAGE.replace(b"so on \r\n", b"so on \r"),
        MESSAGE.replace(b"User-Agent: digest\r\n", b"User-Agent: digest\n"),
    ],
)
def test_other_line_ends_are_not_signed(message: bytes) -> None:
    """A relay would mend them, and break the signature with it (RFC 6376 §5.3)."""
    with pytest.raises(DigestError, match="a line that does not end with CRLF"):
        sign(message)


TEXT = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]) | st.sampled_from(" \t=.:;"), max_size=40)
FOLDED = st.lists(TEXT, min_size=1, max_size=3).map("\r\n ".join)
LINES = st.lists(TEXT | st.sampled_from(["", " ", "\t"]), max_size=8)


@given(FOLDED, FOLDED, LINES)
def test_whatever_is_signed_is_verified(subject: str, to: str, lines: list[str]) -> None:
    body = "".join(f"{line}\r\n" for line in lines)
    message = f"From: a@example.org\r\nSubject: {subject}\r\nTo: {to}\r\n\r\n{body}".encode()

    assert verified(sign(message, "ed25519"))


@given(st.lists(LINES.map(lambda lines: "".join(f"{line}\r\n" for line in lines).encode())))
def test_the_hash_of_pieces_is_the_hash_of_the_whole(pieces: list[bytes]) -> None:
    assert body_hash([b"".join(pieces)]) == body_hash(pieces)


def test_a_known_hash_is_used() -> None:
    hashed = body_hash([BODY])

    assert sign(MESSAGE) == SIGNERS["rsa"].sign(MESSAGE, at=NOW, hashed=hashed)
    assert not verified(SIGNERS["rsa"].sign(MESSAGE, at=NOW, hashed=bytes(32)))


def test_the_hash_of_an_empty_body_is_that_of_nothing() -> None:
    """RFC 6376 §3.4.4 gives the value."""
    assert b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" == b64encode(body_hash([b"\r\n\r\n"]))


# --- names and the DNS ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "domain",
    ["", "example", "exa mple.org", "example.org; l=0", "example.org\r\nX: y", "-a.org", "münchen.de", "a." * 200],
)
def test_a_domain_that_cannot_sign_is_refused(domain: str) -> None:
    with pytest.raises(DigestError) as caught:
        Signer(domain, "s", RSA)

    assert f"{domain[:80]!r} is not a domain that can sign mail" == str(caught.value)
    assert "write it as in the DNS, like example.org; other scripts as xn--…" == caught.value.hint


@pytest.mark.parametrize("selector", ["", "a b", "s;d=x", "s\n", "-", "s."])
def test_a_selector_that_cannot_be_looked_up_is_refused(selector: str) -> None:
    with pytest.raises(DigestError, match="is not a DKIM selector"):
        Signer("example.org", selector, RSA)


def test_the_record_of_a_short_key_is_one_string() -> None:
    assert (
        'ed._domainkey.example.org. IN TXT ( "v=DKIM1; k=ed25519; p=A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=" )'
        == SIGNERS["ed25519"].dns_record()
    )


def test_the_record_of_a_long_key_is_cut_into_strings_that_join_to_the_value() -> None:
    strings = re.findall(r'"([^"]*)"', SIGNERS["rsa"].dns_record())

    assert RSA.dns_value == "".join(strings)
    assert [255] == [len(string) for string in strings[:-1]]
    assert DNS["rsa._domainkey.example.org"] == RSA.dns_value
