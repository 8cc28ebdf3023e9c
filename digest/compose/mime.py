"""Headers and parts → the bytes of one message (RFC 5322, 2045–2047), always the same bytes for the same input. Pure.

Written out here because the standard library's `EmailMessage` folds differently from one Python version to the next,
may turn a cleaned title back into header lines (CVE-2024-6923, Python before 3.11.10 and 3.12.5), and takes 3.5 ms a
mail. Every text must have passed `text.one_line` before it comes here; addresses are checked again.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from binascii import b2a_qp
from email.utils import getaddresses
from functools import lru_cache
from typing import TYPE_CHECKING

from email_validator import EmailNotValidError, validate_email

from digest.compose.text import cut_at_word, one_line
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: RFC 5322 §2.1.1: lines should have at most 78 characters
_LINE = 78
#: characters of base64 in a line (RFC 2045 §6.8)
_BASE64_LINE = 76
#: bytes of UTF-8 that fit into one encoded word of 75 characters (RFC 2047 §2) in base64
_ENCODED_WORD = 45
#: one mailbox and nothing else; no quoted local parts, which mail software often gets wrong
_MAILBOX = re.compile(r"[^\s<>()\[\],;:\"\\@]+@(?:[^\s<>()\[\],;:\"\\@]+|\[[0-9A-Fa-f.:]+\])")
_TYPE = "Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_PLAIN, _HTML = _TYPE.format("plain"), _TYPE.format("html")


@lru_cache(maxsize=1024)
def mailbox(address: str) -> str:
    """The bare address with its domain in ASCII, fit for headers and envelopes.

    Raises:
        DigestError: it is not exactly one address.
    """
    local = address.rpartition("@")[0]
    # RFC 5321 §4.5.3.1.1 and §4.5.3.1.3, the latter without angle brackets
    fits = len(local.encode(errors="replace")) <= 64 and len(address) <= 254
    if not (_MAILBOX.fullmatch(address) and address.isprintable() and fits):
        raise DigestError(
            f"{address[:80]!r} is not a mail address that can be written into a header",
            hint="correct it in the configuration; it must be one address without a name",
        )
    if address.isascii():
        return address
    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return address  # a local name that no public server would take; the relay decides
    return f"{checked.local_part}@{checked.ascii_domain or checked.domain}"


@lru_cache(maxsize=1024)
def address_header(name: str, written: str) -> str:
    """A header with one address: `digest@example.org` or `Paper digest <digest@example.org>`.

    Raises:
        DigestError: the address is not exactly one.
    """
    addresses = getaddresses([written])
    phrase, address = addresses[0] if len(addresses) == 1 else ("", written)
    return named_address_header(name, one_line(phrase, 60), address or written)


def named_address_header(name: str, phrase: str, address: str) -> str:
    """A header with one address and a display name, which may be empty.

    Raises:
        DigestError: `address` is not exactly one.
    """
    address = mailbox(address)
    return token_header(name, [_phrase(phrase), f"<{address}>"] if phrase else [address])


@lru_cache(maxsize=4096)
def text_header(name: str, text: str) -> str:
    """An unstructured header; encoded words (RFC 2047) only where they are needed."""
    if text.isascii():
        return token_header(name, text.split(" "))
    return f"{name}: {_encoded(text, name)}\r\n"


def token_header(name: str, tokens: Sequence[str]) -> str:
    """A header of ASCII tokens with spaces between them, folded only there."""
    line = f"{name}: {' '.join(tokens)}"
    if len(line) <= _LINE:  # nearly always
        return line + "\r\n"
    lines = [f"{name}:"]
    for token in tokens:
        if len(lines[-1]) + 1 + len(token) > _LINE and lines[-1] not in {"", f"{name}:"}:
            lines.append("")
        lines[-1] += f" {token}"
    return "\r\n".join(lines) + "\r\n"


def _phrase(text: str) -> str:
    """A display name as one token. A long one in other scripts is cut: some parsers put a space between two words."""
    if text.isascii():
        return '"' + text.replace("\\", r"\\").replace('"', r"\"") + '"'
    while len(text.encode()) > _ENCODED_WORD:
        text = cut_at_word(text, len(text) - 1)
    return f"=?utf-8?b?{b64encode(text.encode()).decode()}?="


def _encoded(text: str, name: str) -> str:
    """Encoded words (RFC 2047) in lines of at most 76 characters, cut between two, in whichever encoding is shorter.

    The bytes that `email.header.Header` gives; for a subject in German it takes six times as long (97 µs and 16 µs).
    """
    quoted = {character: _quoted(character) for character in {*text}}
    in_base64 = 4 * -(-len(text.encode()) // 3) < sum(len(quoted[character]) for character in text)
    room = _LINE - 2 - len(name) - len(": ") - len("=?utf-8?b??=")
    words, first, length = [], 0, 0
    for at, character in enumerate(text):
        grown = length + len(character.encode() if in_base64 else quoted[character])
        if (4 * -(-grown // 3) if in_base64 else grown) > room:
            words.append(text[first:at])
            first, grown = at, grown - length
            room = _LINE - 2 - len(" ") - len("=?utf-8?b??=")
        length = grown
    words.append(text[first:])
    if in_base64:
        return "\r\n ".join([f"=?utf-8?b?{b64encode(word.encode()).decode()}?=" for word in words])
    return "\r\n ".join([f"=?utf-8?q?{''.join([quoted[character] for character in word])}?=" for word in words])


def _quoted(character: str) -> str:
    """RFC 2047 §4.2; nothing but what may stand in a phrase too (§5 (3))."""
    if character == " ":
        return "_"
    if character.isascii() and (character.isalnum() or character in "!*+-/"):
        return character
    return "".join([f"={byte:02X}" for byte in character.encode()])


def single_part(body: bytes) -> bytes:
    """MIME headers, the empty line and the body of a message in plain text; `body` as `quoted_printable` gives it."""
    return f"MIME-Version: 1.0\r\n{_PLAIN}".encode() + body


def inline_jpeg(data: str, identity: str, *, name: str) -> bytes:
    """A part with a picture that a page shows: headers, the empty line and the body.

    Args:
        data: the file in base64.
        identity: its Content-ID (RFC 2392) without angle brackets, in ASCII.
        name: of the file, without `.jpg`, in ASCII.
    """
    lines = "\r\n".join(data[at : at + _BASE64_LINE] for at in range(0, len(data), _BASE64_LINE))
    return (
        "Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-ID: <{identity}>\r\nContent-Disposition: inline; filename="{name}.jpg"\r\n\r\n{lines}\r\n'
    ).encode("ascii")


def alternatives(
    text: Sequence[bytes], html: Sequence[bytes], *, seed: str, pictures: Sequence[bytes] = ()
) -> list[bytes]:
    """MIME headers, the empty line and both bodies; plain text first, as RFC 2046 §5.1.4 wants the plainest first.

    Args:
        text: pieces that are, joined, as `quoted_printable` gives them.
        html: the same, of a whole document.
        seed: any text that is this mail's own, for the boundary.
        pictures: parts that the HTML names, as `inline_jpeg` gives them; then it is wrapped together with them
            (multipart/related, RFC 2387).

    Returns:
        pieces to be joined together with the headers, once.
    """
    # "=_" never stands in a quoted-printable or base64 body, so no text can contain the boundary
    boundary = "=_" + hashlib.sha256(seed.encode()).hexdigest()[:24]
    opening = (
        f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{boundary}"\r\n'
        f"\r\nThis is a multi-part message in MIME format.\r\n\r\n--{boundary}\r\n{_PLAIN}"
    )
    between, end = f"\r\n--{boundary}\r\n", f"\r\n--{boundary}--\r\n"
    if not pictures:
        return [opening.encode(), *text, (between + _HTML).encode(), *html, end.encode()]
    inner = boundary + "related"
    before = f'{between}Content-Type: multipart/related; type="text/html";\r\n boundary="{inner}"\r\n'
    parts = [part for picture in pictures for part in (f"\r\n--{inner}\r\n".encode(), picture)]
    before += f"\r\n--{inner}\r\n{_HTML}"
    return [opening.encode(), *text, before.encode(), *html, *parts, f"\r\n--{inner}--\r\n{end}".encode()]


def quoted_printable(lines: str) -> bytes:
    """Lines of text as RFC 2045 §6.7 wants them, each with CRLF at its end, the last one too.

    Every line is encoded for itself: the lines of two texts, encoded apart and joined, are the same bytes as encoded
    together. No line begins with a dot, so that nothing has to be doubled on the way (RFC 5321 §4.5.2).
    """
    text = lines.replace("\r\n", "\n").replace("\r", "\n") if "\r" in lines else lines
    text = text if text.endswith("\n") else text + "\n"
    encoded = b2a_qp(text.replace("\n", "\r\n").encode(), istext=True)
    if b"\n." in encoded or encoded.startswith(b"."):
        return b"".join(map(_without_dot, encoded.splitlines(keepends=True)))
    return encoded


def _without_dot(line: bytes) -> bytes:
    """The encoded line with a dot at its beginning encoded too, and broken if it gets longer than 76 characters."""
    if not line.startswith(b"."):
        return line
    return b"=2E" + line[1:] if len(line) <= 76 else b"=2E=\r\n" + _without_dot(line[1:])
