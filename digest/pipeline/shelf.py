"""The papers that digests are planned from, and what all readers share of them, found once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

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
    from digest.state.store import State

#: days of a weekly digest
_WEEK = 7
#: most titles that a weekly digest names as missed, and how many of these because everybody reads them
_MISSED_OF_WEEK, _POPULAR_OF_WEEK = 10, 5


@dataclass(frozen=True, slots=True)
class Span:
    """What the digests that cover equally much are selected from."""

    #: the ranked papers with their trends
    offer: Offer
    #: how each paper is doing with everybody, by key
    trends: Mapping[str, Trend]
    now: datetime
    #: that a digest covers: 1, and then it goes back to the last one, or 7
    days: int
    #: papers that became known before are no news
    look_back: datetime
    #: keys of the others
    recent: frozenset[str]

    @property
    def remembered_since(self) -> date:
        """From which local day on a reader's last digest matters: of a week always, for it tells who is not new."""
        return self.look_back.date() if self.days == 1 else date.min

    def since(self, last_sent: datetime | None) -> datetime:
        """From when on papers are news for a reader whose last digest was planned then.

        None: there is none since `remembered_since`.

        A week reaches back to the last digest if that is more than seven days ago: after a night with an hour more, a
        run that came late, or a week without a digest.
        """
        if self.days == 1:
            return max(self.look_back, last_sent or self.look_back)
        week = self.now - timedelta(days=self.days)
        return max(self.look_back, min(week, last_sent or week))

    def told(self, last_sent: datetime | None, *, returned: bool, waiting: bool) -> int:
        """Within how many days what is looked at became known; 0: since the digest that was planned at `last_sent`.

        Args:
            last_sent: see `since`.
            returned: older papers are looked at again, since their mail was given up.
            waiting: a later digest may yet become the last one.
        """
        since = self.look_back if returned else self.since(last_sent)
        if self.days == 1 and since == last_sent and not waiting:
            return 0
        return ceil((self.now - since) / timedelta(days=1))

    def select(self, requests: Iterable[Request]) -> Iterator[Digest]:
        """The digests; one of a week names more of what it leaves out."""
        if self.days == 1:
            return self.offer.select_all(requests)
        return self.offer.select_all(requests, missed_max=_MISSED_OF_WEEK, popular_max=_POPULAR_OF_WEEK)


@dataclass(frozen=True)
class Shelf:
    """The papers of the look-back window, with what all subscribers share computed once, when first needed.

    The index is one for all; trends, and what may trend, are found once for each span that somebody's digest has.
    """

    #: every paper that may appear in somebody's digest, oldest first
    pool: tuple[StoredPaper, ...]
    #: gives what sources said of the pool, by key
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
    #: what was not read of the days of the pool
    unread: tuple[Gap, ...] = ()

    @cached_property
    def ranking(self) -> Ranking:
        """The index over the pool."""
        return Ranking([stored.paper for stored in self.pool], self.semantics)

    @cached_property
    def profiles(self) -> Profiles:
        """What takes readers' profiles to the pool."""
        return Profiles(self.ranking)

    def unread_since(self, moment: datetime) -> tuple[Gap, ...]:
        """What was not read of the days (UTC) from that of `moment` on."""
        day = moment.astimezone(UTC).date()
        return tuple(replace(gap, first=max(gap.first, day)) for gap in self.unread if gap.last >= day)

    def span(self, reader: Subscriber) -> Span:
        """What this reader's digest is selected from."""
        return self._week if reader.frequency == "weekly" else self._day

    @cached_property
    def _day(self) -> Span:
        return self._span(days=1, trending_days=self.trending_days, lookback_days=self.lookback_days)

    @cached_property
    def _week(self) -> Span:
        return self._span(days=_WEEK, trending_days=_WEEK, lookback_days=max(self.lookback_days, _WEEK + 1))

    def _span(self, *, days: int, trending_days: int, lookback_days: int) -> Span:
        moving = trends(self.pool, self.said(), now=self.now, origins=self.origins, days=days)
        look_back = self.now - timedelta(days=lookback_days)
        trending = self._known_since(self.now - timedelta(days=trending_days))
        offer = Offer(self.ranking, self.pool, moving, trending_from=trending, similar=self.similar)
        return Span(offer, moving, self.now, days, look_back, self._known_since(look_back))

    def _known_since(self, moment: datetime) -> frozenset[str]:
        return frozenset(stored.paper.key for stored in self.pool if stored.first_seen_at >= moment)


def lay_out(settings: Settings, state: State, *, now: datetime) -> Shelf:
    """Read the papers and signals of the look-back window from the state."""
    since = _pool_start(settings, now)
    pool = state.papers.since(since)
    return Shelf(
        pool,
        lambda: state.papers.signals((stored.paper.key for stored in pool), since.date()),
        origins_of(settings.sources),
        now,
        settings.digest.lookback_days,
        settings.digest.trending_days,
        outspoken=state.interests.readers() | state.feedback.readers(),
        mailed_since=_mailed_since(state, since),
        similar=settings.digest.similar,
        semantics=open_semantics(settings),
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
