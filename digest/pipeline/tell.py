"""Tell the operator, by one short mail, that a whole day brought nothing although it should have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest import notice
from digest.compose.message import compose_notice
from digest.deliver.outbox import deliver_one
from digest.errors import DeliveryError
from digest.model import RunReport
from digest.pipeline.letterhead import letterhead, open_renderer
from digest.pipeline.send import transport
from digest.pipeline.sign import open_signer, signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from digest.config import Settings
    from digest.model import Receipt, Verdict
    from digest.state.store import State


async def tell_operator(settings: Settings, state: State, *, clock: Callable[[], datetime]) -> Receipt | None:
    """Mail the operator if `notice` finds a reason and an address is configured.

    Returns:
        what became of that mail; None if there was none to send. A mail that was not delivered is tried again by
        the next run.

    Raises:
        DigestError: the key that signs cannot be used.
    """
    now = clock()
    if not settings.mail.operator:
        return None
    runs = state.runs.span()
    # none of a moment to come, which a clock that was ahead wrote down
    notices = state.runs.starts("notice", since=now - notice.WHOLE_DAY, until=now)
    lines = notice.lines(
        _verdicts(state, now=now),
        now=now,
        last_notice=notices[-1] if notices else None,
        started=runs[0] if runs else None,
    )
    if not lines:
        return None
    mail = compose_notice(
        "digest: a whole day brought nothing",
        lines,
        letterhead(settings),
        open_renderer(settings),
        recipient=settings.mail.operator,
        at=now,
    )
    try:
        async with transport(settings) as post:
            receipt = await deliver_one(post, signed(mail, open_signer(settings), at=now), now=clock)
    except DeliveryError:
        return None  # the relay is what is wrong; the verdicts of this run say so
    if receipt.outcome == "delivered":
        state.runs.record(RunReport("notice", now, clock(), notes=lines))
    return receipt


def _verdicts(state: State, *, now: datetime) -> tuple[Verdict, ...]:
    """Oldest first. On subscribers none from before the last mail: there may be 100,000, and that one tells enough."""
    runs, reach = state.runs, now - notice.REACH
    sources = runs.verdicts(scope="source", since=now - notice.WHOLE_DAY, until=now)
    sent = runs.verdicts(scope="subscriber", finding="sent", since=reach, until=now, limit=1)
    is_recent = sent and sent[0].at >= now - notice.WHOLE_DAY
    since = sent[0].at if sent else reach
    readers = sent if is_recent else runs.verdicts(scope="subscriber", since=since, until=now)
    return (*reversed(sources), *reversed(readers))
