"""An envelope sender for each reader (variable envelope return path): whatever a bounce says, its address names them.

`bounces@example.org` becomes `bounces+TOKEN@example.org`, a subaddress (RFC 5233), which Postfix
(`recipient_delimiter = +`), Exim, Gmail and Microsoft 365 deliver to the same mailbox. The token is the reader's, 128
random bits, so nobody can forge a bounce for somebody whose mails they have not read.
"""

from __future__ import annotations

import re

#: unguessable and fit for a local part: what `secrets.token_urlsafe` makes
TOKEN = r"[A-Za-z0-9_-]{16,64}"  # noqa: S105 — a pattern
_TAGGED = re.compile(rf"[^\s<>@+]+\+({TOKEN})@[^\s<>@]+")
#: RFC 5321 §4.5.3.1.1
_MAX_LOCAL_PART = 64


def verp(envelope_from: str, token: str) -> str:
    """The envelope sender of mail to one reader; `envelope_from` itself if there is no token or no room for it.

    >>> verp("bounces@example.org", "Zm9yIHRoZSByZWFkZXI_-w")
    'bounces+Zm9yIHRoZSByZWFkZXI_-w@example.org'
    """
    local, at, domain = envelope_from.rpartition("@")
    tagged = f"{local}+{token}"
    fits = re.fullmatch(TOKEN, token) and "+" not in local and len(tagged) <= _MAX_LOCAL_PART
    return f"{tagged}{at}{domain}" if fits else envelope_from


def verp_token(address: str) -> str | None:
    """The token in an address that `verp` may have made; None if there is none.

    >>> verp_token("bounces+Zm9yIHRoZSByZWFkZXI_-w@example.org")
    'Zm9yIHRoZSByZWFkZXI_-w'
    """
    found = _TAGGED.fullmatch(address)
    return found[1] if found else None
