"""What is wrong with a server's certificate: OpenSSL's verdict goes in, words come out. Pure.

What to do about it is for the caller to say: it knows which keys of the configuration there are.
"""

from __future__ import annotations

from typing import Literal

#: `name`: it is for another host. `issuer`: nobody who is trusted has signed it. `other`: anything else
Flaw = Literal["early", "expired", "issuer", "name", "other"]

#: X509_V_ERR_… of OpenSSL (x509_vfy.h)
_FLAWS: dict[int, Flaw] = {
    9: "early",
    10: "expired",
    18: "issuer",
    19: "issuer",
    20: "issuer",
    21: "issuer",
    62: "name",
    64: "name",
}
_WORDS: dict[Flaw, str] = {
    "early": "its certificate is not valid yet",
    "expired": "its certificate has expired",
    "issuer": "its certificate is signed by nobody this machine trusts (self-signed, or an authority of your own)",
    "name": "its certificate is for another host name",
}


def flaw_of(code: int, message: str) -> tuple[Flaw, str]:
    """The kind of flaw, and a sentence without a full stop.

    Args:
        code: `verify_code` of an `ssl.SSLCertVerificationError`.
        message: its `verify_message`, one line.
    """
    flaw = _FLAWS.get(code, "other")
    return flaw, _WORDS.get(flaw, f"its certificate is not trusted: {message}")
