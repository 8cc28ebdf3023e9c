"""The `[dkim]` table: when mails are signed, with which key and for whom; and every way to get it wrong."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.config import Settings, load
from digest.deliver.dkim_key import new_key
from digest.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

KEY = new_key("ed25519-sha256")
TABLE = 'selector = "digest2026"\nkey_file = "dkim.pem"\n'


def written(folder: Path, table: str | None = TABLE, *, sender: str = "digest@lab.example") -> Path:
    (folder / "papers.jsonl").touch()
    if not (folder / "dkim.pem").exists():
        (folder / "dkim.pem").touch(mode=0o600)
        (folder / "dkim.pem").write_bytes(KEY)
    text = f'[mail]\nfrom = "{sender}"\n[[sources]]\ntype = "jsonl"\npath = "papers.jsonl"\n'
    path = folder / "config.toml"
    path.write_text(text if table is None else f"{text}[dkim]\n{table}", encoding="utf-8")
    return path


def settings(folder: Path, table: str | None = TABLE, *, sender: str = "digest@lab.example") -> Settings:
    return load(written(folder, table, sender=sender), {})


def mistakes(folder: Path, table: str = TABLE, *, sender: str = "digest@lab.example") -> list[tuple[str, str, str]]:
    """Key, message and hint of each, with the folder left out."""
    with pytest.raises(ConfigError) as caught:
        settings(folder, table, sender=sender)
    return [(p.key, p.message.replace(f"{folder}/", ""), p.hint) for p in caught.value.problems]


def test_without_the_table_nothing_is_signed_here(tmp_path: Path) -> None:
    assert settings(tmp_path, None).dkim is None


@pytest.mark.parametrize(
    ("sender", "more", "domain"),
    [
        pytest.param("Digest <digest@Lab.EXAMPLE>", "", "lab.example", id="the sender's"),
        pytest.param("digest@bücher.example", "", "xn--bcher-kva.example", id="as in the DNS"),
        pytest.param("digest@mail.local", "", "mail.local", id="of an intranet"),
        pytest.param("digest@lab.example", 'domain = "Lab.Example"', "lab.example", id="the same"),
        pytest.param("digest@news.lab.example", 'domain = "lab.example"', "lab.example", id="above"),
        pytest.param("digest@lab.example", 'domain = "mail.lab.example"', "mail.lab.example", id="below"),
        pytest.param("digest@bücher.example", 'domain = "bücher.example"', "xn--bcher-kva.example", id="other script"),
    ],
)
def test_mails_are_signed_for_the_sender_s_domain_or_one_aligned_with_it(
    tmp_path: Path, sender: str, more: str, domain: str
) -> None:
    dkim = settings(tmp_path, TABLE + more, sender=sender).dkim

    assert dkim is not None
    assert (domain, "digest2026", tmp_path / "dkim.pem") == (dkim.domain, dkim.selector, dkim.key_file)


@pytest.mark.parametrize("domain", ["other.example", "notlab.example", "lab.example.org"])
def test_a_domain_that_dmarc_does_not_align_with_the_sender_is_a_mistake(tmp_path: Path, domain: str) -> None:
    reason = (
        "this is neither lab.example, the domain of mail.from, nor one above or below it, so that receivers need "
        "not count the signature (DMARC alignment)"
    )

    assert [("dkim.domain", reason, "leave domain out to sign for lab.example")] == mistakes(
        tmp_path, f'{TABLE}domain = "{domain}"'
    )


@pytest.mark.parametrize("domain", ["", "example", "lab..example", "@lab.example", "lab.example\\r\\nx", "a b.example"])
def test_what_is_no_domain_is_a_mistake(tmp_path: Path, domain: str) -> None:
    assert [("dkim.domain", "this is not a domain", "write it like example.org")] == mistakes(
        tmp_path, f'{TABLE}domain = "{domain}"'
    )


@pytest.mark.parametrize("selector", ["", "my key", "-x", "x;s=y", "x."])
def test_what_is_no_selector_is_a_mistake(tmp_path: Path, selector: str) -> None:
    assert [
        ("dkim.selector", "this is not a DKIM selector", "use letters, digits and hyphens, like digest2026")
    ] == mistakes(tmp_path, f'selector = "{selector}"\nkey_file = "dkim.pem"')


def test_selector_and_key_are_needed(tmp_path: Path) -> None:
    assert [
        (
            "dkim.selector",
            "the name of the key in the DNS is missing",
            'add selector = "digest2026", or any name that the domain has no other key under',
        ),
        (
            "dkim.key_file",
            "the file with the private key is missing",
            'make a key with: digest dkim new dkim.pem, then add key_file = "dkim.pem"',
        ),
    ] == mistakes(tmp_path, "")


def test_a_sender_on_this_machine_cannot_be_signed_for(tmp_path: Path) -> None:
    assert [
        (
            "mail.from",
            "mails from digest@localhost cannot be signed, since localhost is no domain in the DNS",
            "write an address at a domain of yours, or remove [dkim]",
        )
    ] == mistakes(tmp_path, sender="digest@localhost")


def test_a_key_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert [
        (
            "dkim.key_file",
            "cannot read the DKIM key other.pem: No such file or directory",
            "correct the path, or make a new key with: digest dkim new",
        )
    ] == mistakes(tmp_path, TABLE.replace("dkim.pem", "other.pem"))


def test_a_key_that_others_can_read_is_a_mistake(tmp_path: Path) -> None:
    path = written(tmp_path).with_name("dkim.pem")
    path.chmod(0o644)

    assert [
        ("dkim.key_file", "others can reach the DKIM key dkim.pem (mode 0644)", f"type: chmod 600 {path}")
    ] == mistakes(tmp_path)


def test_a_file_that_is_no_key_is_a_mistake_and_nothing_of_it_is_told(tmp_path: Path) -> None:
    written(tmp_path).with_name("dkim.pem").write_text("s3cr3t")

    assert [
        (
            "dkim.key_file",
            "the DKIM key dkim.pem is no private key in PEM form",
            "make a new key with: digest dkim new",
        )
    ] == mistakes(tmp_path)


def test_the_credential_that_systemd_provides_takes_the_place_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, 'selector = "digest2026"\nkey_file = "/etc/digest/dkim.pem"')
    (tmp_path / "dkim.pem").rename(tmp_path / "dkim_key")

    dkim = load(path, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).dkim

    assert dkim is not None
    assert tmp_path / "dkim_key" == dkim.key_file


def test_a_weak_key_is_no_mistake_but_is_told(tmp_path: Path) -> None:
    pem = generate_private_key(65537, 1024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    written(tmp_path).with_name("dkim.pem").write_bytes(pem)

    assert (
        "the DKIM key has 1024 bits, and 2048 are recommended (RFC 8301); make a new key with: digest dkim new",
    ) == settings(tmp_path).warnings


def test_where_the_package_that_signs_is_missing_the_hint_says_how_to_get_it(tmp_path: Path) -> None:
    script = f"""
import sys
sys.modules["cryptography"] = None  # as if it were not installed
sys.argv = ["digest", "check", "--offline", "--config", {str(written(tmp_path))!r}]
from digest.cli import main
main()
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert 2 == done.returncode
    assert done.stderr.endswith(
        "config.toml:8: dkim.key_file: the cryptography package, which signs mail, is not installed\n"
        "  → pip install 'paper-digest[dkim]'\n"
    )
