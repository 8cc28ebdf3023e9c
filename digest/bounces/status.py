"""What an enhanced status code (RFC 3463) says about the reader, as a table. Pure.

*Hard* is only what says that nobody reads mail there. A refusal that the operator can mend (sender, policy, blocklists,
content, size) is never held against the reader, the same line that delivery draws.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digest.model import BounceKind

_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)")
#: a basic reply code (RFC 5321 §4.2) that begins an answer
_REPLY = re.compile(r"([45])\d\d(?=[\s-]|$)")

#: status → kind; the first row that matches decides
_RULES: tuple[tuple[str, BounceKind], ...] = (
    # RFC 3463 §3.2: our sender address. 5.1.90: the daily limit of a sender in Microsoft 365,
    # https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online
    (r"5\.1\.(7|8|90)", "other"),
    # §3.4 the mail system as a whole, §3.6 protocol, §3.7 content, §3.8 policy
    (r"5\.[3567]\..*", "other"),
    # §3.3: mailbox full, mail too long for it, list expansion
    (r"5\.2\.[2-4]", "soft"),
    # §3.5: routing. 5.4.1 is how Microsoft 365 says "no such recipient", 5.4.4 that the domain is gone
    (r"5\.4\.[14]", "hard"),
    (r"5\.4\..*", "soft"),
    (r"5\..*", "hard"),
    # a temporary failure that lasted until the sender gave up
    (r"4\..*", "soft"),
    (r".*", "other"),
)
_COMPILED = tuple((re.compile(pattern), kind) for pattern, kind in _RULES)


def kind_of(status: str) -> BounceKind:
    """What it means that delivery failed with this status.

    >>> kind_of("5.1.1"), kind_of("5.2.2"), kind_of("5.7.1"), kind_of("4.4.7")
    ('hard', 'soft', 'other', 'soft')
    """
    return next(kind for pattern, kind in _COMPILED if pattern.fullmatch(status))


def best_status(status: str, diagnostic: str) -> str:
    """The most telling code: the report's own, unless it is missing or says nothing (`5.0.0`, as Exim writes always).

    >>> best_status("5.0.0", "550 5.1.1 no such user"), best_status("", "552 too much")
    ('5.1.1', '5.0.0')
    """
    stated = _CODE.search(status)
    if stated and not stated[0].endswith(".0.0"):
        return stated[0]
    said = _CODE.search(diagnostic)
    if said and (stated is None or stated[0][0] == said[0][0]):
        return said[0]
    reply = _REPLY.search(diagnostic)
    return stated[0] if stated else f"{reply[1]}.0.0" if reply else ""
