"""Which servers are believed to be who they say they are, and words for those that are not."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx2

from digest.certificate import flaw_of
from digest.errors import DigestError

if TYPE_CHECKING:
    from digest.certificate import Flaw

_HINTS: dict[Flaw, str] = {
    "early": "is the clock of this machine right?",
    "expired": "whoever runs the server has to renew it; is the clock of this machine right?",
    "issuer": "if you trust that authority, put its certificate and those of all others you need into a PEM file and "
    "name that in the environment as SSL_CERT_FILE",
    "name": "is the host name in the address right? It must be one that the certificate names",
    "other": "whoever runs the server has to mend it",
}


def trusted() -> ssl.SSLContext:
    """Trusts the system's authorities, or those of SSL_CERT_FILE.

    Raises:
        DigestError: that names no file of certificates.
    """
    try:
        return httpx2.create_ssl_context()
    except OSError as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        hint = "name a PEM file with all authorities to trust, or leave the variable away"
        raise DigestError(f"environment SSL_CERT_FILE: {reason}", hint=hint) from error


def distrust(error: BaseException | None) -> tuple[str, str]:
    """What is wrong with the certificate that a connection failed for, and what to do; empty if it failed otherwise."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    if error is None:
        return "", ""
    flaw, reason = flaw_of(error.verify_code, " ".join(error.verify_message.split()))
    return reason, _HINTS[flaw]
