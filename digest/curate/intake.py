"""The decision of one pull: batches and what was known go in, everything to store comes out.

Nothing is stored here. The caller reads `known` and stores the result in one transaction, so that a batch is durable
or was never pulled; after a crash the same pull decides the same again.

What is decided
- Newness is by identifier, over all sources: a work that is known under any of its names is not new, and neither is
  its next version.
- A new work belongs to the edition of the UTC day. Some works only become known (edition None): what is beyond a
  first pull's share, and replacements of papers never seen. They stay so when another source brings them later: they
  are no news. They may still trend, for their votes are; that is for `offer` to say.
- A source that suddenly brings far more than ever before is refused as a whole.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING

from digest.curate.freshness import Tally, fingerprint, judge, source_verdict
from digest.curate.merge import fold, identifiers, merge_signals
from digest.model import DaySignals, Signals, SourceMemory, StoredPaper

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from digest.curate.calendar import Calendar
    from digest.model import Batch, Paper, Verdict

_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SourceRule:
    """What the decision has to know about a source."""

    #: on the first pull this many of the newest papers may be mailed, the rest only become known; None: all
    first_run_max: int | None
    #: which calendar says when a new batch is due; None: none does
    calendar: Calendar | None
    #: the source's name in sentences
    display: str
    #: whether a replacement of a paper never seen counts as a new paper
    mail_replacements: bool = False


@dataclass(frozen=True, slots=True)
class Intake:
    """What one pull decided; to be stored whole."""

    #: papers to write: new ones, and known ones that became richer (these keep first_seen_at and edition)
    stored: tuple[StoredPaper, ...] = ()
    #: (key of the stored paper, what a source said about it today); once per paper and source
    signals: tuple[tuple[str, DaySignals], ...] = ()
    #: of every source that has a batch, as they should be remembered from now on
    memories: tuple[SourceMemory, ...] = ()
    #: one per batch, in their order
    verdicts: tuple[Verdict, ...] = ()
    #: key of a known paper → the key it now goes by, where these differ: two known works turned out to be one, or a
    #: work known by its DOI turned out to be on arXiv
    absorbed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Works:
    """Everything known and everything that came, each work once."""

    #: known ones first, then in the order of arrival
    merged: tuple[Paper, ...]
    #: every identifier → key of its work
    key_of: Mapping[str, str]
    #: key of a known work → what was stored about it, oldest first; several if they turned out to be one
    before: Mapping[str, Sequence[StoredPaper]]


@dataclass(frozen=True, slots=True)
class _Weighed:
    """One batch against what was known before it."""

    batch: Batch
    rule: SourceRule
    memory: SourceMemory
    tally: Tally
    #: keys of its unknown papers that may be mailed as far as this source is concerned
    mailable: frozenset[str]
    #: more new papers than this are a flood
    limit: float

    @property
    def refused(self) -> bool:
        return self.tally.new > self.limit


def decide(
    batches: Sequence[Batch],
    known: Mapping[str, StoredPaper],
    memories: Mapping[str, SourceMemory],
    sources: Mapping[str, SourceRule],
    *,
    now: datetime,
    flood_factor: float,
    flood_min: int,
    allow_flood: bool,
) -> Intake:
    """Decide one pull.

    A work that several sources bring at once counts as new for the first of them and as known from other sources for
    the rest; it may be mailed if any of them would mail it.

    Args:
        batches: at most one per source.
        known: what is stored, by every key and alias that occurs in the batches; more does no harm.
        memories: by source name; a source without one was never pulled.
        sources: by source name, one for each batch.
        now: aware; new papers are first seen then.
        flood_factor: a source is refused if it brings more new papers than this times its largest number so far …
        flood_min: … and more than this many. Without a number to compare with (first pulls), nothing is refused.
        allow_flood: refuse nothing.
    """
    arrived = [_credited(batch) for batch in batches]
    works = _sort_out(known.values(), arrived)
    weighed: list[_Weighed] = []
    counted: set[str] = set()
    for batch in arrived:
        memory = memories.get(batch.source) or SourceMemory(batch.source)
        limit = inf if allow_flood else _flood_limit(memory, flood_factor, flood_min)
        item = _weigh(batch, sources[batch.source], memory, works, counted, limit)
        weighed.append(item)
        if not item.refused:
            counted.update(works.key_of[paper.key] for paper in batch.papers)
    return _settle(weighed, known.values(), now)


def _credited(batch: Batch) -> Batch:
    """The batch with each of its works once, and its source among those that carried it."""
    papers = fold(batch.papers)
    return replace(
        batch,
        papers=tuple(
            paper if batch.source in paper.sources else replace(paper, sources=(*paper.sources, batch.source))
            for paper in papers
        ),
    )


def _sort_out(known: Iterable[StoredPaper], batches: Iterable[Batch]) -> _Works:
    once = {stored.paper.key: stored for stored in known}
    old = sorted(once.values(), key=lambda stored: (stored.first_seen_at, stored.paper.key))
    merged = fold([*(stored.paper for stored in old), *(paper for batch in batches for paper in batch.papers)])
    key_of = {name: paper.key for paper in merged for name in identifiers(paper)}
    before: dict[str, list[StoredPaper]] = {}
    for stored in old:
        before.setdefault(key_of[stored.paper.key], []).append(stored)
    return _Works(merged, key_of, before)


# --- weigh: what did each source bring? -------------------------------------------------------------------------


def _flood_limit(memory: SourceMemory, factor: float, least: int) -> float:
    return max(least, factor * memory.most_new) if memory.most_new else inf


def _weigh(
    batch: Batch, rule: SourceRule, memory: SourceMemory, works: _Works, counted: set[str], limit: float
) -> _Weighed:
    """One batch; `counted` holds the keys of the works that earlier batches of the same pull brought."""
    unknown = [paper for paper in batch.papers if works.key_of[paper.key] not in works.before]
    mailable = frozenset(paper.key for paper in _mailable(unknown, rule, is_first=memory.first_pull_at is None))
    standings: dict[str, str] = {}
    for paper in batch.papers:
        key = works.key_of[paper.key]
        if key in works.before:
            standings[key] = _standing(paper, batch.source, [stored.paper for stored in works.before[key]])
        elif key in counted:
            standings[key] = "elsewhere"
        else:
            standings[key] = "new" if paper.key in mailable else "noted"
    return _Weighed(batch, rule, memory, Tally(**Counter(standings.values())), mailable, limit)


def _mailable(unknown: Iterable[Paper], rule: SourceRule, *, is_first: bool) -> Sequence[Paper]:
    """On a first pull the newest by `published`; undated ones come last, and of equals the one listed first."""
    papers = [paper for paper in unknown if rule.mail_replacements or not paper.announce.startswith("replace")]
    if not is_first or rule.first_run_max is None:
        return papers
    return sorted(papers, key=lambda paper: paper.published or _LONG_AGO, reverse=True)[: rule.first_run_max]


def _standing(paper: Paper, source: str, before: Sequence[Paper]) -> str:
    """Which number of a `Tally` a known paper adds to."""
    if not any(source in old.sources for old in before):
        return "elsewhere"
    newest = max(old.version or 0 for old in before)
    return "updated" if (paper.version or 0) > newest else "repeats"


# --- settle: what is to be stored and said? ---------------------------------------------------------------------


def _settle(weighed: Sequence[_Weighed], known: Iterable[StoredPaper], now: datetime) -> Intake:
    """The intake, with nothing in it of the sources that were refused."""
    accepted = [item for item in weighed if not item.refused]
    works = _sort_out(known, [item.batch for item in accepted])
    mailable = {works.key_of[key] for item in accepted for key in item.mailable}
    today = now.astimezone(UTC).date()
    unknown = tuple(
        StoredPaper(paper, first_seen_at=now, edition=today if paper.key in mailable else None)
        for paper in works.merged
        if paper.key not in works.before
    )
    return Intake(
        stored=(*unknown, *_enriched(works)),
        signals=_signals(works, accepted, now),
        memories=tuple(_remembered(item, now) for item in weighed),
        verdicts=tuple(_verdict(item, now) for item in weighed),
        absorbed={old.paper.key: key for key, olds in works.before.items() for old in olds if old.paper.key != key},
    )


def _enriched(works: _Works) -> Iterator[StoredPaper]:
    """Known papers about which there is more to store than before; two that became one keep the older's dates."""
    for paper in works.merged:
        olds = works.before.get(paper.key, ())
        if olds and [paper] != [old.paper for old in olds]:
            editions = [old.edition for old in olds if old.edition is not None]
            yield StoredPaper(paper, olds[0].first_seen_at, min(editions, default=None))


def _signals(works: _Works, accepted: Iterable[_Weighed], now: datetime) -> tuple[tuple[str, DaySignals], ...]:
    said: dict[tuple[str, str], Signals] = {}
    for item in accepted:
        for paper in item.batch.papers:
            if paper.signals != Signals():
                place = works.key_of[paper.key], item.batch.source
                said[place] = merge_signals(said.get(place, Signals()), paper.signals)
    today = now.astimezone(UTC).date()
    return tuple((key, DaySignals(source, today, signals, now)) for (key, source), signals in said.items())


def _remembered(item: _Weighed, now: datetime) -> SourceMemory:
    """The source's memory after this pull.

    A pull that failed in part keeps the validators of the last whole one, so that every part is asked for again; an
    empty list does not count as the first pull, whose share of papers is still to come.
    """
    memory, batch, tally = item.memory, item.batch, item.tally
    failures = memory.failures + 1 if item.refused or batch.failure else 0
    if item.refused or (batch.failure and not batch.papers):
        return replace(memory, failures=failures)
    is_first = memory.first_pull_at is None
    return replace(
        memory,
        first_pull_at=now if is_first and batch.papers else memory.first_pull_at,
        last_pull_at=now,
        last_fresh_at=now if tally.news else memory.last_fresh_at,
        fingerprint=fingerprint(batch.papers) if batch.papers else memory.fingerprint,
        validators=memory.validators if batch.failure or batch.not_modified else batch.validators,
        failures=failures,
        most_new=memory.most_new if is_first else max(memory.most_new, tally.new),
    )


def _verdict(item: _Weighed, now: datetime) -> Verdict:
    if not item.refused:
        return judge(
            item.batch, item.tally, item.memory, calendar=item.rule.calendar, display=item.rule.display, now=now
        )
    sentence = (
        f"{item.rule.display}: {item.tally.new:,} new papers at once, far more than ever before "
        f"({item.memory.most_new:,}); nothing was stored. If this is right, run `digest pull --allow-flood`"
    )
    return source_verdict(item.batch.source, item.tally, "failed", sentence, now, trouble=True)
