"""Did this pull bring something, and if not, is that as it should be? One batch in, one verdict out.

Feeds repeat yesterday's items under today's date, and a server's validators say when a page was built, not whether
its papers are new. So only content counts: news is what this source has not said before. The calendar then tells
silence that is expected from silence that is not.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from digest.curate.calendar import batch_day, last_expected, next_expected, why_none
from digest.model import SourceFinding, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from digest.curate.calendar import Calendar
    from digest.model import Batch, Paper, SourceMemory

#: how late a batch may be before it is missed
GRACE = timedelta(hours=3)
#: how long a source without a calendar may bring nothing new before somebody should look
STALE_AFTER = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Tally:
    """How the works of one batch stand to what was known; every work is counted once."""

    #: unknown until now, for today's edition
    new: int = 0
    #: unknown until now and never to be mailed: beyond a first pull's share, or a replacement of a paper never seen
    noted: int = 0
    #: known from other sources, carried by this one for the first time
    elsewhere: int = 0
    #: carried by this source before, now in a newer version
    updated: int = 0
    #: carried by this source before, and nothing else
    repeats: int = 0

    @property
    def papers(self) -> int:
        """All works of the batch."""
        return self.news + self.repeats

    @property
    def news(self) -> int:
        """Works about which the source says something it had not said before: proof that the batch is a fresh one."""
        return self.new + self.noted + self.elsewhere + self.updated


class _Judgement(NamedTuple):
    finding: SourceFinding
    words: str
    trouble: bool = False


def judge(
    batch: Batch, tally: Tally, memory: SourceMemory, *, calendar: Calendar | None, display: str, now: datetime
) -> Verdict:
    """What to say about one pull of one source.

    - `failed`: it could not be read, and what could be read of it holds no news. Trouble.
    - `fresh`: at least one work is news. Trouble if a part could not be read.
    - `empty`: no papers at all. Trouble if a batch is missed, if there is no calendar to excuse it, or if there were
      items and none could be read.
    - `stale`: no news, though a batch was due since the last news, `GRACE` ago or earlier. Trouble.
    - `unchanged`: no news, and none is missed.

    "Not modified" is no proof of freshness: it is stale like any other answer when a batch was due. A source without
    a calendar is stale after `STALE_AFTER` without news.

    Args:
        batch: as it came; `tally` holds its numbers.
        tally: over all works of `batch`.
        memory: what was remembered before this pull.
        calendar: when the source's batches are due.
        display: the source's name in sentences.
        now: aware; the moment of the pull.
    """
    if tally.news:
        judgement = _fresh(batch, tally, memory)
    elif batch.failure:
        judgement = _failed(batch, tally, memory)
    elif not batch.papers and not batch.not_modified:
        judgement = _empty(batch, memory, calendar, now)
    else:
        judgement = _nothing_new(batch, tally, memory, calendar, now)
    return source_verdict(
        batch.source, tally, judgement.finding, f"{display}: {judgement.words}", now, trouble=judgement.trouble
    )


def source_verdict(
    source: str, tally: Tally, finding: SourceFinding, sentence: str, now: datetime, *, trouble: bool
) -> Verdict:
    """A verdict about a source with the numbers of its tally."""
    counts = {
        "papers": tally.papers,
        "new": tally.new,
        "noted": tally.noted,
        "elsewhere": tally.elsewhere,
        "updated": tally.updated,
        "repeats": tally.repeats,
    }
    return Verdict("source", source, finding, sentence, now, counts, trouble)


def doubt(
    memory: SourceMemory | None, *, calendar: Calendar | None, display: str, now: datetime, patience: timedelta
) -> str:
    """Why it is not known whether a source has something new; without a full stop, empty if it is known.

    A batch that is due and has not come may come yet, and a source that was not read may have anything.

    Args:
        memory: what is remembered of the source; None: it was never read.
        calendar: when the source's batches are due.
        display: the source's name in sentences.
        now: aware.
        patience: how long ago a source without a calendar may have been read at most.
    """
    if memory is not None and memory.failures:
        return f"{display} could not be read"
    if memory is None or memory.last_pull_at is None:
        return f"{display} was not read yet"
    # a moment to come was written down by a clock that was ahead
    if calendar is None and not timedelta(0) <= now - memory.last_pull_at <= patience:
        return f"{display} was last read {_moment(memory.last_pull_at)}"
    due = _due(memory, calendar, now)
    return f"the batch of {display} due {_moment(due)} has not come" if due else ""


def fingerprint(papers: Iterable[Paper]) -> str:
    """SHA-256 (hex) of the papers' keys and versions, whatever their order, texts, dates and votes."""
    lines = sorted(f"{paper.key} {paper.version}" for paper in papers)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _fresh(batch: Batch, tally: Tally, memory: SourceMemory) -> _Judgement:
    words = _first_numbers(tally) if memory.first_pull_at is None else _numbers(tally)
    if batch.failure:
        return _Judgement("fresh", f"{words}; but a part could not be read: {_failure(batch)}", trouble=True)
    return _Judgement("fresh", words)


def _failed(batch: Batch, tally: Tally, memory: SourceMemory) -> _Judgement:
    words = _failure(batch)
    if batch.papers:
        words += f"; the rest brought {_papers(tally.papers)}, all seen before"
    if memory.failures:
        words += f"; {memory.failures + 1} failed pulls in a row"
    return _Judgement("failed", words, trouble=True)


def _empty(batch: Batch, memory: SourceMemory, calendar: Calendar | None, now: datetime) -> _Judgement:
    if batch.problems:
        count = len(batch.problems)
        return _Judgement("empty", f"no paper could be read, {count} item{'s' * (count != 1)} left out", trouble=True)
    if calendar is None:
        return _Judgement("empty", "an empty list", trouble=True)
    silence = why_none(calendar, batch_day(calendar, now))
    due = _due(memory, calendar, now)
    if silence:
        return _Judgement("empty", f"an empty list, as always on a {silence}{_next(calendar, now)}")
    if due is None:
        return _Judgement("empty", f"an empty list; today's batch came earlier{_next(calendar, now)}")
    if now - due < GRACE:
        return _Judgement("empty", f"an empty list; the batch due {_moment(due)} is not there yet")
    return _Judgement("empty", f"an empty list, though a batch was due since {_moment(due)}", trouble=True)


def _nothing_new(
    batch: Batch, tally: Tally, memory: SourceMemory, calendar: Calendar | None, now: datetime
) -> _Judgement:
    what = _repetition(batch, tally, memory)
    due = _due(memory, calendar, now)
    if due is not None and now - due >= GRACE:
        return _Judgement("stale", f"{what}, though a batch was due since {_moment(due)}", trouble=True)
    if due is not None:
        return _Judgement("unchanged", f"{what}; the batch due {_moment(due)} is not there yet")
    if calendar is not None:
        return _Judgement("unchanged", f"{what}{_next(calendar, now)}")
    last = _last_news(memory, now)
    if last is not None and now - last >= STALE_AFTER:
        return _Judgement("stale", f"{what}; nothing new for {(now - last).days} days", trouble=True)
    return _Judgement("unchanged", what)


def _due(memory: SourceMemory, calendar: Calendar | None, now: datetime) -> datetime | None:
    """Since when a batch is due that has not come; None: the latest one has come, or there is no calendar."""
    due, last = last_expected(calendar, now), _last_news(memory, now)
    return None if due is not None and last is not None and last >= due else due


def _last_news(memory: SourceMemory, now: datetime) -> datetime | None:
    """None: there was none, or a clock that was ahead has dated it."""
    last = memory.last_fresh_at or memory.first_pull_at
    return last if last is not None and last <= now else None


def _repetition(batch: Batch, tally: Tally, memory: SourceMemory) -> str:
    if batch.not_modified:
        return "not modified since the last pull"
    if fingerprint(batch.papers) == memory.fingerprint:
        return f"the same {_papers(tally.papers)} as last time"
    return f"{_papers(tally.papers)}, all seen before"


def _failure(batch: Batch) -> str:
    return f"{batch.failure}; {batch.hint}" if batch.hint else batch.failure


def _first_numbers(tally: Tally) -> str:
    if not tally.noted:
        return f"first pull: {_numbers(tally)}"
    unknown = tally.new + tally.noted
    words = f"first pull: {tally.new:,} newest of {unknown:,} may be mailed, {tally.noted:,} only noted"
    return words + _known_numbers(tally)


def _numbers(tally: Tally) -> str:
    noted = f", {tally.noted:,} older in a new version and only noted" if tally.noted else ""
    return f"{_papers(tally.papers)}, {tally.new:,} new{noted}{_known_numbers(tally)}"


def _known_numbers(tally: Tally) -> str:
    parts = (
        (tally.elsewhere, "known from other sources"),
        (tally.updated, "in a newer version"),
        (tally.repeats, "seen before"),
    )
    return "".join(f", {number:,} {words}" for number, words in parts if number)


def _papers(count: int) -> str:
    return f"{count:,} paper{'s' * (count != 1)}"


def _next(calendar: Calendar, now: datetime) -> str:
    moment = next_expected(calendar, now)
    return f"; the next batch is due {_moment(moment)}" if moment else ""


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%a %-d %b %H:%M} UTC"
