"""The papers that digests are planned from, and what all readers share of them, found once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

from digest.curate.copies import Copies
from digest.curate.offer import Offer, Request
from digest.curate.profile import Profiles
from digest.curate.rank import Ranking
from digest.curate.trend import origins_of, trends
from digest.pipeline.gaps import gaps
from digest.pipeline.semantic import open_semantics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from digest.config import Settings
    from digest.curate.semantic import Semantics
    from digest.model import DaySignals, Digest, Gap, StoredPaper, Subscriber, Trend
    from digest.pipeline.gaps import Missing
    from digest.state.store import State

#: days of a weekly digest
_WEEK = 7
#: most titles that a weekly digest names as missed, and how many of these because everybody reads them
_MISSED_OF_WEEK, _POPULAR_OF_WEEK = 10, 5
#: papers of which a daily digest is selected, at least …
_ENOUGH = 2_000
#: … and those of so many days, for a digest a day goes back to yesterday's
_LATELY = 2
#: papers that may be Trending besides, the most popular first
_POPULAR = 500
#: a pool with more than this share of all papers is not worth an index of its own
_HARDLY_FEWER = 0.7


class Pool:
    """Papers that are indexed together. What is made of them is made when it is first needed."""

    def __init__(self, papers: Sequence[StoredPaper], semantics: Semantics | None) -> None:
        #: oldest first
        self.papers = papers
        self._semantics = semantics

    @cached_property
    def ranking(self) -> Ranking:
        """The index."""
        return Ranking([stored.paper for stored in self.papers], self._semantics)

    @cached_property
    def profiles(self) -> Profiles:
        """What takes readers' profiles to the papers."""
        return Profiles(self.ranking)


class Span:
    """What the digests that cover equally much are selected from.

    Who had a digest lately needs few of the older papers, and so gets it from a pool without the rest: with nine days
    of a thousand papers each, planning takes half of the time.

    Args:
        shelf: all papers.
        days: that a digest covers: 1, and then it goes back to the last one, or 7.
        trending_days: days that a paper may trend for.
        lookback_days: days that a paper is news for.
    """

    def __init__(self, shelf: Shelf, *, days: int, trending_days: int, lookback_days: int) -> None:
        self._shelf = shelf
        self._now = shelf.now
        self._days = days
        self._look_back = shelf.now - timedelta(days=lookback_days)
        self._trending_from = shelf.known_since(shelf.now - timedelta(days=trending_days))
        #: keys of the papers that are recent enough to be news
        self.recent = shelf.known_since(self._look_back)
        self._offers: dict[Pool, Offer] = {}

    @cached_property
    def trends(self) -> Mapping[str, Trend]:
        """How each paper is doing with everybody, by key."""
        shelf = self._shelf
        return trends(shelf.papers, shelf.said(), now=self._now, origins=shelf.origins, days=self._days)

    @property
    def remembered_since(self) -> date:
        """From which local day on a reader's last digest matters: of a week always, for it tells who is not new."""
        return self._look_back.date() if self._days == 1 else date.min

    def since(self, last_sent: datetime | None) -> datetime:
        """From when on papers are news for a reader whose last digest was planned then.

        None: there is none since `remembered_since`.

        A week reaches back to the last digest if that is more than seven days ago: after a night with an hour more, a
        run that came late, or a week without a digest.
        """
        if self._days == 1:
            return max(self._look_back, last_sent or self._look_back)
        week = self._now - timedelta(days=self._days)
        return max(self._look_back, min(week, last_sent or week))

    def told(self, last_sent: datetime | None, *, returned: bool, waiting: bool) -> int:
        """Within how many days what is looked at became known; 0: since the digest that was planned at `last_sent`.

        Args:
            last_sent: see `since`.
            returned: older papers are looked at again, since their mail was given up.
            waiting: a later digest may yet become the last one.
        """
        since = self._look_back if returned else self.since(last_sent)
        if self._days == 1 and since == last_sent and not waiting:
            return 0
        return ceil((self._now - since) / timedelta(days=1))

    def pool(self, since: datetime, *, returned: bool) -> Pool:
        """The papers from which somebody's digest is selected for whom those that became known after `since` are news.

        `returned`: older papers are looked at again, since their mail was given up.
        """
        return self._latest if since >= self._latest_since and not returned else self._shelf.whole

    @cached_property
    def _latest_since(self) -> datetime:
        """When the oldest of those papers became known that nobody can do without: of two days, and enough."""
        papers = self._shelf.papers
        enough = papers[-self._shelf.enough].first_seen_at if len(papers) >= self._shelf.enough else self._look_back
        return min(enough, self._now - timedelta(days=_LATELY))

    @cached_property
    def _latest(self) -> Pool:
        """The latest papers, those that trend, and older ones that either may be a copy of."""
        shelf, since = self._shelf, self._latest_since
        moving = [key for key in self._trending_from if self.trends[key].score > 0]
        popular = sorted(moving, key=lambda key: (-self.trends[key].score, key))[:_POPULAR]
        wanted = shelf.known_since(since).union(popular)
        if len(wanted) > _HARDLY_FEWER * len(shelf.papers):
            return shelf.whole
        copies = Copies([one.paper for one in shelf.papers])
        wanted |= {
            shelf.papers[other].paper.key
            for number, one in enumerate(shelf.papers)
            if one.paper.key in wanted
            for other in copies.of(number)
        }
        return Pool([one for one in shelf.papers if one.paper.key in wanted], shelf.semantics)

    def offer(self, pool: Pool) -> Offer:
        """The papers of a pool, ranked and with their trends."""
        found = self._offers.get(pool)
        if found is None:
            found = self._offers[pool] = Offer(
                pool.ranking,
                pool.papers,
                self.trends,
                trending_from=self._trending_from,
                similar=self._shelf.similar,
            )
        return found

    def select(self, pool: Pool, requests: Iterable[Request]) -> Iterator[Digest]:
        """The digests of those whose papers are in this pool; one of a week names more of what it leaves out."""
        offer = self.offer(pool)
        if self._days == 1:
            return offer.select_all(requests)
        return offer.select_all(requests, missed_max=_MISSED_OF_WEEK, popular_max=_POPULAR_OF_WEEK)


@dataclass(frozen=True)
class Shelf:
    """The papers of the look-back window, with what all subscribers share computed once, when first needed.

    Trends, and what may trend, are found once for each span that somebody's digest has.
    """

    #: every paper that may appear in somebody's digest, oldest first
    papers: tuple[StoredPaper, ...]
    #: gives what sources said of them, by key
    said: Callable[[], Mapping[str, Sequence[DaySignals]]]
    #: by source, who is behind it, see `origins_of`
    origins: Mapping[str, str]
    now: datetime
    #: days that a paper is news for, and may trend for, to whoever has a digest a day
    lookback_days: int
    trending_days: int
    #: addresses of those who brought or said anything; looking for them at each shard would take longer
    outspoken: frozenset[str] = frozenset()
    #: local date of the oldest mails that may hold any of the papers
    mailed_since: date = date.min
    #: most papers named under a pick as like it
    similar: int = 0
    #: what knows other words for the same; None: only words count
    semantics: Semantics | None = None
    #: with so many papers, what is rare and what is alike is known well enough
    enough: int = _ENOUGH
    #: what was not read of the days of the pool
    unread: tuple[Missing, ...] = ()

    @cached_property
    def whole(self) -> Pool:
        """All papers."""
        return Pool(self.papers, self.semantics)

    def unread_since(self, moment: datetime) -> tuple[Gap, ...]:
        """What was not read of the days (UTC) from that of `moment` on, and could have been later than that."""
        return tuple(gap for missing in self.unread if (gap := missing.since(moment)))

    def span(self, reader: Subscriber) -> Span:
        """What this reader's digest is selected from."""
        return self._week if reader.frequency == "weekly" else self._day

    @cached_property
    def _day(self) -> Span:
        return Span(self, days=1, trending_days=self.trending_days, lookback_days=self.lookback_days)

    @cached_property
    def _week(self) -> Span:
        return Span(self, days=_WEEK, trending_days=_WEEK, lookback_days=max(self.lookback_days, _WEEK + 1))

    def known_since(self, moment: datetime) -> frozenset[str]:
        """Keys of the papers that became known then or later."""
        return frozenset(stored.paper.key for stored in self.papers if stored.first_seen_at >= moment)


def lay_out(settings: Settings, state: State, *, now: datetime, enough: int = _ENOUGH) -> Shelf:
    """Read the papers and signals of the look-back window from the state; `enough`: see `Shelf`."""
    since = _pool_start(settings, now)
    papers = state.papers.since(since)
    return Shelf(
        papers,
        lambda: state.papers.signals((stored.paper.key for stored in papers), since.date()),
        origins_of(settings.sources),
        now,
        settings.digest.lookback_days,
        settings.digest.trending_days,
        outspoken=state.interests.readers() | state.feedback.readers(),
        mailed_since=_mailed_since(state, since),
        similar=settings.digest.similar,
        semantics=open_semantics(settings),
        enough=enough,
        unread=gaps(settings, state, since=since, now=now),
    )


def _pool_start(settings: Settings, now: datetime) -> datetime:
    """Papers first seen before this moment are out of every digest's reach."""
    # of a week in any case, so that all readers' digests are selected from the same papers
    return now - timedelta(days=max(settings.digest.lookback_days, settings.digest.trending_days, _WEEK + 1))


def _mailed_since(state: State, pool_start: datetime) -> date:
    """The first local date of mails that may hold papers first seen at `pool_start` or later.

    None is older than its papers, unless it was sent while the clock was set back; then all mails are looked at,
    however long that takes.
    """
    # a day, in which a run may take its time and a clock be corrected
    since = pool_start - timedelta(days=1)
    if state.runs.was_set_back(since):
        return date.min
    # a local date may be a day behind UTC's
    return since.date() - timedelta(days=1)
