"""When bounces are reason enough to stop mailing somebody. Pure.

Usual practice: Mailman disables a member after five days with hard bounces, two soft ones counting as one, and forgets
after a week without (https://gnu.org/software/mailman/mailman-admin/node25.html); Discourse stops after two hard or
four soft ones, and forgets after 30 days (its settings `bounce_score_…`). Large receivers judge a sender by the share
of unknown addresses, so those go first; a fault on one day only never counts, and a mailbox may be full during a
holiday.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from digest.bounces.bounce import Bounce

#: older bounces do not count; long enough for somebody with one digest a week
WINDOW = timedelta(days=30)
#: different days (UTC) with "no such mailbox" …
GONE_DAYS = 2
#: … or with any hard bounce …
HARD_DAYS = 3
#: … or with any soft one, after which a reader is paused
SOFT_DAYS = 10

#: RFC 3463 §3.2: no such mailbox or domain, moved without a new address; 5.1.10 is Microsoft's word for 5.1.1
_GONE = re.compile(r"5\.1\.(?:1|2|6|10)")


def reason_to_pause(history: Sequence[Bounce], *, now: datetime) -> str | None:
    """Why this reader should get no more mail, one sentence without a full stop; None: go on.

    Args:
        history: the reader's bounces in any order, since they were last resumed: what was forgiven must not be in it.
        now: aware; what arrived more than `WINDOW` before it does not count.
    """
    recent = [bounce for bounce in history if now - bounce.at <= WINDOW]
    hard = [bounce for bounce in recent if bounce.kind == "hard"]
    soft = [bounce for bounce in recent if bounce.kind == "soft"]
    gone = [bounce for bounce in hard if _GONE.fullmatch(bounce.status)]
    if any(bounce.kind == "unsubscribe" for bounce in history):
        return "unsubscribed by mail"
    if any(bounce.kind == "complaint" for bounce in history):
        return "reported a mail as spam"
    if len(_days(gone)) >= GONE_DAYS:
        return _sentence("the address does not exist", gone)
    if len(_days(hard)) >= HARD_DAYS:
        return _sentence("mail is refused for good", hard)
    if len(_days(soft)) >= SOFT_DAYS:
        return _sentence("mail cannot be delivered", soft)
    return None


def _days(bounces: Iterable[Bounce]) -> set[date]:
    return {bounce.at.astimezone(UTC).date() for bounce in bounces}


def _sentence(what: str, bounces: Sequence[Bounce]) -> str:
    latest = max(bounces, key=lambda bounce: bounce.at)
    said = f"{latest.status} {latest.diagnostic}".strip()
    return f"{what}: bounced on {len(_days(bounces))} days, last on {latest.at:%Y-%m-%d} ({said})"
