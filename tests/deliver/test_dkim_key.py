"""Keys that sign: read from files, and refused when they cannot or should not."""

from __future__ import annotations

import os
import subprocess
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from digest.deliver.dkim_key import Algorithm, load_key, new_key, read_key
from digest.errors import DigestError

RSA = rsa.generate_private_key(65537, 2048)
NEW = "make a new key with: digest dkim new"


def stored(folder: Path, pem: bytes, mode: int = 0o600) -> Path:
    path = folder / "dkim.pem"
    path.write_bytes(pem)
    path.chmod(mode)
    return path


def pem_of(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    return private.private_bytes(Encoding.PEM, form, NoEncryption())


@pytest.mark.parametrize("algorithm", ["rsa-sha256", "ed25519-sha256"])
def test_a_new_key_can_be_stored_and_loaded(tmp_path: Path, algorithm: Algorithm) -> None:
    key = load_key(stored(tmp_path, new_key(algorithm)))

    assert (algorithm, "") == (key.algorithm, key.warning)


def test_every_new_key_is_another() -> None:
    assert new_key() != new_key()


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_both_usual_forms_are_read(form: PrivateFormat) -> None:
    assert read_key(pem_of(RSA), origin="x").dns_value == read_key(pem_of(RSA, form), origin="x").dns_value


def test_the_record_is_what_openssl_says(tmp_path: Path) -> None:
    path = stored(tmp_path, pem_of(RSA))
    command = ["openssl", "pkey", "-in", str(path), "-pubout"]
    public = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert "v=DKIM1; k=rsa; p=" + "".join(public[1:-1]) == load_key(path).dns_value


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = stored(tmp_path, new_key("ed25519-sha256"), mode)

    with pytest.raises(DigestError) as caught:
        load_key(path)

    assert f"others can reach the DKIM key {path} (mode {mode:04o})" == str(caught.value)
    assert f"type: chmod 600 {path}" == caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can lend a file")
@pytest.mark.parametrize(("mode", "open_to_others"), [(0o440, False), (0o640, False), (0o660, True), (0o644, True)])
def test_a_key_that_root_lends_by_its_group_is_no_open_one(mode: int, open_to_others: bool) -> None:
    """As it does with systemd's credentials, where the daemon runs as a user of its own."""
    nobody = 65534
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = stored(Path(folder), new_key("ed25519-sha256"), mode)
        os.chown(path, 0, nobody)
        os.setegid(nobody)
        os.seteuid(nobody)
        try:
            with pytest.raises(DigestError, match=r"^others can reach") if open_to_others else nullcontext():
                load_key(path)
        finally:
            os.seteuid(0)
            os.setegid(0)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DigestError) as caught:
        load_key(tmp_path / "none.pem")

    assert f"cannot read the DKIM key {tmp_path / 'none.pem'}: No such file or directory" == str(caught.value)
    assert f"correct the path, or {NEW}" == caught.value.hint


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(DigestError, match="Is a directory"):
        load_key(tmp_path)


PUBLIC = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        (b"", "is no private key in PEM form"),
        (b"secret", "is no private key in PEM form"),
        (pem_of(RSA)[:400], "is no private key in PEM form"),
        (pem_of(RSA).replace(b"\nMII", b"\nAAA"), "is no private key in PEM form"),
        (PUBLIC, "is no private key in PEM form"),
        (
            RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
            "is protected by a passphrase",
        ),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "is of a kind that DKIM does not know"),
    ],
)
def test_what_is_no_key_is_refused_without_quoting_it(pem: bytes, reason: str) -> None:
    with pytest.raises(DigestError) as caught:
        read_key(pem, origin="/etc/dkim.pem")

    assert f"the DKIM key /etc/dkim.pem {reason}" == str(caught.value)
    assert caught.value.hint


def rsa_key(bits: int) -> bytes:
    """Made by openssl, which still makes short ones."""
    return subprocess.run(["openssl", "genrsa", str(bits)], capture_output=True, check=True).stdout


def test_a_key_too_short_for_receivers_is_refused() -> None:
    with pytest.raises(DigestError) as caught:
        read_key(rsa_key(768), origin="x")

    assert "the DKIM key x has 768 bits, and receivers ignore less than 1024 (RFC 8301)" == str(caught.value)
    assert caught.value.hint == NEW


def test_a_key_shorter_than_recommended_works_with_a_warning() -> None:
    assert f"the DKIM key has 1024 bits, and 2048 are recommended (RFC 8301); {NEW}" == (
        read_key(rsa_key(1024), origin="x").warning
    )
