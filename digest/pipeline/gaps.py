"""What was not read: whose papers may be missing from digests, and of which days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from digest.collect import KINDS
from digest.curate.calendar import batch_day, end, last_expected, next_expected
from digest.curate.freshness import GRACE
from digest.model import Gap
from digest.notice import has_failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digest.config import Settings
    from digest.curate.calendar import Calendar
    from digest.model import Source, Verdict
    from digest.state.store import State

#: for so long a source that keeps its papers may go unread before anybody is told: the next pull makes up for it
_BRIEFLY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Missing:
    """What was not read."""

    gap: Gap
    #: from then on the papers of its last day could not be read any more; if they still can, the present moment
    gone: datetime

    def since(self, moment: datetime) -> Gap | None:
        """The days (UTC) from that of `moment` on; None: nothing of it could have come later than that."""
        if self.gone <= moment:
            return None
        first = max(self.gap.first, moment.astimezone(UTC).date())
        return replace(self.gap, first=min(first, self.gap.last))


def gaps(settings: Settings, state: State, *, since: datetime, now: datetime) -> tuple[Missing, ...]:
    """What was not read from `since` to `now`, and no later pull has made up for; by source, as configured.

    Args:
        settings: names the sources.
        state: knows what each pull found.
        since: aware.
        now: aware; what a clock that was ahead dated later does not count.
    """
    return tuple(gap for source in settings.sources for gap in _of_source(source, state, since, now))


def _of_source(source: Source, state: State, since: datetime, now: datetime) -> Iterator[Missing]:
    kind = KINDS[source.type]
    name = kind.name if source.name == source.type else source.name
    begin = last_expected(kind.announces, since) or since
    said = state.runs.verdicts(scope="source", name=source.name, since=begin, until=now)[::-1]
    if not said:
        return
    if kind.keeps or kind.announces is None:
        yield from _until_now(name, said, now)
    else:
        yield from _batches(name, said, kind.announces, begin, now)


def _until_now(name: str, said: Sequence[Verdict], now: datetime) -> Iterator[Missing]:
    """Of a source that gives later what was not read: only what is still not read."""
    read = next((index for index in reversed(range(len(said))) if not has_failed(said[index])), -1)
    if read == len(said) - 1 or (read >= 0 and now - said[read].at < _BRIEFLY):
        return
    yield Missing(Gap(name, said[read + 1].at.astimezone(UTC).date(), now.astimezone(UTC).date()), now)


def _batches(
    name: str, said: Sequence[Verdict], calendar: Calendar, begin: datetime, now: datetime
) -> Iterator[Missing]:
    """Of a source that holds one batch, which the next one replaces: every batch that was not read meanwhile.

    Args:
        name: for people.
        said: oldest first, at least one; a batch that was gone before the first of them is nobody's loss.
        calendar: when batches are due.
        begin: when the first one was due.
        now: aware.
    """
    missing: Missing | None = None
    due: datetime | None = begin
    while due is not None and due <= now:
        following, gone = next_expected(calendar, due), end(calendar, due)
        pulls = [
            verdict
            for verdict in said
            if due <= verdict.at and (following is None or verdict.at < following)
            # the empty list of a weekend says nothing of Friday's
            if verdict.at < gone or verdict.finding == "fresh"
        ]
        over = gone <= now
        day = batch_day(calendar, due)
        if not _is_read(pulls, due, over=over) if pulls else over and said[0].at < due:
            missing = Missing(Gap(name, missing.gap.first if missing else day, day), gone)
        elif missing:
            yield missing
            missing = None
        due = following
    if missing:
        yield missing


def _is_read(pulls: Sequence[Verdict], due: datetime, *, over: bool) -> bool:
    """Whether a whole batch was read, or none was there to be read.

    Args:
        pulls: at least one, until the next batch.
        due: when the batch was.
        over: it is gone by now: who last looked before it can be called late may have come too early.
    """
    if any(one.finding == "fresh" and not has_failed(one) for one in pulls):
        return True
    last = pulls[-1]
    # an empty list is no longer that of the batch before: a small category has such days
    came_too_early = over and last.finding == "unchanged" and last.at - due < GRACE
    return not has_failed(last) and not came_too_early
