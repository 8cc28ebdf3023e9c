"""When the operator should hear of it: a whole day brought nothing, or a source has failed for days. Pure.

The verdicts of recent runs go in; the lines of one short mail come out, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from digest.model import Verdict

#: an hour less than a day, so that a cron job that starts a few seconds earlier than yesterday still counts as a day
WHOLE_DAY = timedelta(hours=23)
#: how far back it is looked whether mail was stuck a whole day ago: whatever is, was tried again within a day
REACH = 2 * WHOLE_DAY
#: how long a source has to fail on end before that is told, and on how many days of that at least: a failure on Friday
#: and one on Monday, with nothing between, are two failures. Then, how long until it is told again
LASTING = timedelta(days=3) - timedelta(hours=1)
LEAST_DAYS = 3
REMINDER = timedelta(days=7) - timedelta(hours=1)
_STUCK = {"deferred", "refused", "expired", "in_doubt"}


@dataclass(frozen=True, slots=True)
class Outage:
    """A source whose last pulls have all failed, at least in part."""

    source: str
    #: the first and the last of these pulls, aware
    since: datetime
    last: datetime
    #: how many there were, at least 1
    pulls: int
    #: on how many UTC days, at least 1
    days: int
    #: what the last one found, the source's name first; without a full stop
    sentence: str

    @property
    def told(self) -> str:
        """Which source, why, and since when; without a full stop."""
        return f"{self.sentence}; since {self.since.astimezone(UTC):%a %-d %b %H:%M} UTC"


def outage(verdicts: Iterable[Verdict]) -> Outage | None:
    """What fails, by the verdicts on one source, newest first; None if its last pull did not fail.

    A source that publishes nothing does not fail. One of which only a part cannot be read does.
    """
    failed = tuple(takewhile(has_failed, verdicts))
    if not failed:
        return None
    last, first = failed[0], failed[-1]
    days = len({verdict.at.astimezone(UTC).date() for verdict in failed})
    return Outage(last.name, first.at, last.at, len(failed), days, last.sentence)


def has_failed(verdict: Verdict) -> bool:
    """Whether a pull of a source failed, at least in part."""
    return verdict.finding == "failed" or (verdict.finding == "fresh" and verdict.trouble)


def is_lasting(found: Outage, *, now: datetime) -> bool:
    """Whether a source has failed for three days; what its last pull found more than a day ago says nothing of now."""
    return found.last - found.since >= LASTING and found.days >= LEAST_DAYS and now - found.last <= WHOLE_DAY


def was_told(found: Outage, *, now: datetime, notices: Iterable[datetime]) -> bool:
    """Whether the operator has heard of this outage within a week; `notices`: when they were told of its source."""
    return any(found.since <= at <= now < at + REMINDER for at in notices)


def is_silent(verdicts: Iterable[Verdict], *, now: datetime, told: Collection[str] = ()) -> bool:
    """Whether no source brought a new paper for a whole day and at least one ends in trouble; `told`: see `lines`."""
    return bool(_nothing_came(_of_sources(verdicts, now), told))


def lines(
    verdicts: Iterable[Verdict],
    *,
    now: datetime,
    last_notice: datetime | None,
    started: datetime | None,
    told: Collection[str] = (),
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
        told: sources whose lasting outage was told: beside others that work they are no reason to tell it every day.
    """
    since = now - WHOLE_DAY
    if started is None or started > since or (last_notice is not None and last_notice > since):
        return ()
    verdicts = [*verdicts]
    readers = sorted((v for v in verdicts if v.scope == "subscriber" and now - REACH <= v.at <= now), key=_moment)
    return (*_nothing_came(_of_sources(verdicts, now), told), *_nothing_went_out(readers, since))


def _of_sources(verdicts: Iterable[Verdict], now: datetime) -> list[Verdict]:
    """Those of the last day, oldest first."""
    return sorted((v for v in verdicts if v.scope == "source" and now - WHOLE_DAY <= v.at <= now), key=_moment)


def _moment(verdict: Verdict) -> datetime:
    return verdict.at


def _nothing_came(verdicts: Sequence[Verdict], told: Collection[str]) -> list[str]:
    last = {v.name: v for v in verdicts}
    troubled = {name for name, v in last.items() if v.trouble}
    is_no_news = troubled <= set(told) and troubled < last.keys()
    if any(v.finding == "fresh" for v in verdicts) or not troubled or is_no_news:
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
