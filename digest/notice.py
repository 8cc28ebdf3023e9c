"""When the operator should hear of it: a whole day brought nothing, and no weekend or holiday explains it. Pure.

The verdicts of recent runs go in; the lines of one short mail come out, or nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from digest.model import Verdict

#: an hour less than a day, so that a cron job that starts a few seconds earlier than yesterday still counts as a day
WHOLE_DAY = timedelta(hours=23)


def lines(
    verdicts: Iterable[Verdict], *, now: datetime, last_notice: datetime | None, started: datetime | None
) -> tuple[str, ...]:
    """Sentences for the operator's mail; empty if there is nothing to report.

    Two things are reported: no source brought a new paper for a whole day and at least one ends in trouble; mail was
    due and none went out for a whole day. What was reported is not repeated for a day.

    Args:
        verdicts: those of at least the last day, in any order.
        now: aware.
        last_notice: when the operator was last told; None: never.
        started: when the first run on record began; a younger installation has not had a whole day. None: no runs.
    """
    since = now - WHOLE_DAY
    if started is None or started > since or (last_notice is not None and last_notice > since):
        return ()
    recent = sorted((v for v in verdicts if since <= v.at <= now), key=lambda v: v.at)
    sources = [v for v in recent if v.scope == "source"]
    readers = [v for v in recent if v.scope == "subscriber"]
    return (*_nothing_came(sources), *_nothing_went_out(readers))


def _nothing_came(verdicts: Sequence[Verdict]) -> list[str]:
    last = {v.name: v for v in verdicts}
    if any(v.finding == "fresh" for v in verdicts) or not any(v.trouble for v in last.values()):
        return []
    return ["No source brought a new paper for a whole day:", *(f"- {v.sentence}" for v in last.values())]


def _nothing_went_out(verdicts: Sequence[Verdict]) -> list[str]:
    last = {v.name: v for v in verdicts}
    stuck = [v for v in last.values() if v.finding in {"deferred", "refused", "expired", "in_doubt"}]
    if any(v.finding == "sent" for v in verdicts) or not stuck:
        return []
    shown = [f"- {v.sentence}" for v in stuck[:10]]
    rest = [f"- and {len(stuck) - 10} more"] if len(stuck) > 10 else []
    return ["Digests were due and none could be delivered for a whole day:", *shown, *rest]
