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
#: how far back it is looked whether mail was stuck a whole day ago: whatever is, was tried again within a day
REACH = 2 * WHOLE_DAY
_STUCK = {"deferred", "refused", "expired", "in_doubt"}


def lines(
    verdicts: Iterable[Verdict], *, now: datetime, last_notice: datetime | None, started: datetime | None
) -> tuple[str, ...]:
    """Sentences for the operator's mail; empty if there is nothing to report.

    Two things are reported: no source brought a new paper for a whole day and at least one ends in trouble; mail could
    not be delivered a whole day ago, none went out since, and some still cannot. What was reported is not repeated for
    a day.

    Args:
        verdicts: those of at least the last day, in any order; on subscribers, those within `REACH`, or since the last
            mail that went out.
        now: aware.
        last_notice: when the operator was last told; None: never.
        started: when the first run on record began; a younger installation has not had a whole day. None: no runs.
    """
    since = now - WHOLE_DAY
    if started is None or started > since or (last_notice is not None and last_notice > since):
        return ()
    recent = sorted((v for v in verdicts if now - REACH <= v.at <= now), key=lambda v: v.at)
    sources = [v for v in recent if v.scope == "source" and v.at >= since]
    readers = [v for v in recent if v.scope == "subscriber"]
    return (*_nothing_came(sources), *_nothing_went_out(readers, since))


def _nothing_came(verdicts: Sequence[Verdict]) -> list[str]:
    last = {v.name: v for v in verdicts}
    if any(v.finding == "fresh" for v in verdicts) or not any(v.trouble for v in last.values()):
        return []
    return ["No source brought a new paper for a whole day:", *(f"- {v.sentence}" for v in last.values())]


def _nothing_went_out(verdicts: Sequence[Verdict], since: datetime) -> list[str]:
    last = {v.name: v for v in verdicts if v.at >= since}
    stuck = [v for v in last.values() if v.finding in _STUCK]
    sent = max((v.at for v in verdicts if v.finding == "sent"), default=None)
    # a mail that was put off a moment ago, after days for which none was due, is no trouble yet
    began = min((v.at for v in verdicts if v.finding in _STUCK and (sent is None or v.at > sent)), default=None)
    if not stuck or began is None or began > since:
        return []
    shown = [f"- {v.sentence}" for v in stuck[:10]]
    rest = [f"- and {len(stuck) - 10} more"] if len(stuck) > 10 else []
    return ["Digests were due and none could be delivered for a whole day:", *shown, *rest]
