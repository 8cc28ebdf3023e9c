"""Tell the operator, by one short mail, that a whole day brought nothing although it should have."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from digest import notice
from digest.compose.message import compose_notice
from digest.errors import DeliveryError
from digest.model import RunReport
from digest.pipeline.letterhead import letterhead, open_renderer
from digest.pipeline.send import transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from digest.config import Settings
    from digest.model import Receipt
    from digest.state.store import State

#: far enough back to know that the installation is older than a day, also if it runs on weekdays only
_MEMORY = timedelta(days=5)


async def tell_operator(settings: Settings, state: State, *, clock: Callable[[], datetime]) -> Receipt | None:
    """Mail the operator if `notice` finds a reason and an address is configured.

    Returns:
        what became of that mail; None if there was none to send. A mail that was not delivered is tried again by
        the next run.
    """
    now = clock()
    if not settings.mail.operator:
        return None
    reports = state.runs.reports(since=now - _MEMORY)
    told = [report.started_at for report in reports if report.command == "notice"]
    lines = notice.lines(
        [verdict for report in reports for verdict in report.verdicts],
        now=now,
        last_notice=max(told, default=None),
        started=min((report.started_at for report in reports), default=None),
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
            receipt = await post.deliver(mail, now=clock)
    except DeliveryError:
        return None  # the relay is what is wrong; the verdicts of this run say so
    if receipt.outcome == "delivered":
        state.runs.record(RunReport("notice", now, clock(), notes=lines))
    return receipt
