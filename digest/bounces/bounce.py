"""One thing that came back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from digest.model import BounceKind


@dataclass(frozen=True, slots=True)
class Bounce:
    """What one mail says about one recipient. Every text is a stranger's, cleaned to one line."""

    kind: BounceKind
    #: the address as the report gives it, which may be one that mail is forwarded to; empty if it gives none
    recipient: str
    #: of the mail that came back, with angle brackets; empty if the report does not bring it
    message_id: str
    #: enhanced status code (RFC 3463), `5.1.1`; empty for complaints and unsubscribe mails
    status: str
    #: what the server said, at most 300 characters; empty if nothing
    diagnostic: str
    #: when it arrived in the mailbox, which a forger cannot choose
    at: datetime
    #: the reader's, from the address it came to or from the subject of an unsubscribe mail; not yet looked up
    token: str = ""
