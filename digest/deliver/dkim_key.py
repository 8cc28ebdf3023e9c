"""Keys of DKIM: a PEM file becomes a `Key` that signs and knows its DNS record (RFC 6376 §3.6.1, RFC 8301, RFC 8463).

RSA is what every receiver verifies; Ed25519 is ten times quicker and its record fits into one string, but large
receivers still ignore it, so it is a second signature at most.

Importing this module raises DigestError where the optional package `cryptography` is missing.
"""

from __future__ import annotations

import hashlib
import os
import stat
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from digest.errors import DigestError

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_pem_private_key,
    )
except ModuleNotFoundError as error:
    raise DigestError(
        "the cryptography package, which signs mail, is not installed", hint="pip install 'paper-digest[dkim]'"
    ) from error

if TYPE_CHECKING:
    from pathlib import Path

#: `a=` of a signature
Algorithm = Literal["rsa-sha256", "ed25519-sha256"]

#: RFC 8301 §3.2: signers must not use less than the first, and should not use less than the second
_LEAST_BITS, _ENOUGH_BITS = 1024, 2048
#: bytes; a PEM file with an RSA key of 16,384 bits has 13,000
_MAX_FILE = 65_536
_NEW = "make a new key with: digest dkim new"


@dataclass(frozen=True, slots=True)
class Key:
    """A private key that may sign."""

    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> Algorithm:
        """What `a=` says."""
        return "rsa-sha256" if isinstance(self.private, RSAPrivateKey) else "ed25519-sha256"

    @property
    def warning(self) -> str:
        """What is not good about it though it works, one sentence without a full stop; empty: nothing."""
        if not isinstance(self.private, RSAPrivateKey) or self.private.key_size >= _ENOUGH_BITS:
            return ""
        return f"the DKIM key has {self.private.key_size} bits, and {_ENOUGH_BITS} are recommended (RFC 8301); {_NEW}"

    @property
    def dns_value(self) -> str:
        """What the TXT record holds, in one piece."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            kind, data = "rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            kind, data = "ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)  # RFC 8463 §4
        return f"v=DKIM1; k={kind}; p={b64encode(data).decode()}"

    def sign(self, data: bytes) -> bytes:
        """The signature of canonical header bytes."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(data, PKCS1v15(), SHA256())
        return self.private.sign(hashlib.sha256(data).digest())  # RFC 8463 §3: the hash is what is signed


def load_key(path: Path) -> Key:
    """The key in a PEM file that nobody but its owner can read, or to which root has given us access.

    Raises:
        DigestError: the file is missing, open to others, or holds no key that can be used.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            pem = file.read(_MAX_FILE)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DigestError(f"cannot read the DKIM key {path}: {reason}", hint=f"correct the path, or {_NEW}") from error
    if _is_open(status):
        mode = stat.S_IMODE(status.st_mode)
        raise DigestError(f"others can reach the DKIM key {path} (mode {mode:04o})", hint=f"type: chmod 600 {path}")
    return read_key(pem, origin=str(path))


def _is_open(status: os.stat_result) -> bool:
    """Whether others than root and we can reach a file.

    What root lets a group read is lent to us: as `root:digest 0640`, or as a systemd credential, whose access list
    looks like mode 0440 (https://github.com/systemd/systemd/issues/29435).
    """
    lent = status.st_uid == 0 and os.geteuid() != 0
    return bool(status.st_mode & (0o037 if lent else 0o077))


def read_key(pem: bytes, *, origin: str) -> Key:
    """The key in the bytes of a PEM file.

    Args:
        pem: an unencrypted private key, PKCS #8 or the older form of RSA keys.
        origin: where it comes from, for error messages.

    Raises:
        DigestError: there is no key that can be used.
    """
    try:
        private = load_pem_private_key(pem, None)
    except TypeError:
        hint = "store it without a passphrase: openssl pkey -in FILE -out NEWFILE"
        raise DigestError(f"the DKIM key {origin} is protected by a passphrase", hint=hint) from None
    except (ValueError, UnsupportedAlgorithm):  # its text may quote the file
        raise DigestError(f"the DKIM key {origin} is no private key in PEM form", hint=_NEW) from None
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise DigestError(f"the DKIM key {origin} is of a kind that DKIM does not know", hint=_NEW)
    if isinstance(private, RSAPrivateKey) and private.key_size < _LEAST_BITS:
        reason = f"has {private.key_size} bits, and receivers ignore less than {_LEAST_BITS} (RFC 8301)"
        raise DigestError(f"the DKIM key {origin} {reason}", hint=_NEW)
    return Key(private)


def new_key(algorithm: Algorithm = "rsa-sha256") -> bytes:
    """A fresh private key as PEM (PKCS #8): RSA with 2048 bits, or Ed25519."""
    rsa = algorithm == "rsa-sha256"
    private = generate_private_key(65537, _ENOUGH_BITS) if rsa else Ed25519PrivateKey.generate()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
