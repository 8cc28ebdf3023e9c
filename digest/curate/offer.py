"""A run's papers, and how they stand with one subscriber → the subscriber's digest. Decides only; pure.

For you    new papers that match, best first: not seen, not below the floor, no near copies
Trending   what everybody reads: moving, not seen, not unwanted, not already in For you
missed     the next ones by title, each with the reason

What subscribers share is found once; then each costs time for the papers that match, and little more for those that
are shown.
"""

from __future__ import annotations

import bisect
import functools
import heapq
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Literal, NamedTuple

from digest.curate.query import parse
from digest.curate.rank import Ranking, Standing, score
from digest.curate.reasons import why
from digest.curate.similar import Copies
from digest.model import Digest, Match, Missed, Pick, StoredPaper, Subscriber, Trend

#: how much of a For-you score is the trend: enough to order papers of about equal relevance, no more
TREND_SHARE = 0.05
#: sets of news kept in memory, the latest used: readers whose last digest was after the same pull share one
_REMEMBERED_NEWS = 32
#: far above the error of a score, far below any difference that means something
_ROUNDING = 1e-9

_UNKNOWN = Trend()


class _Candidate(NamedTuple):
    """Candidates are sorted as tuples: those of most interest first, equal ones in the order of their keys."""

    #: minus the relevance with a share of trend: -1..0
    disinterest: float
    number: int
    #: relevance alone, 0..1
    score: float


class Offer:
    """What one run has to offer. Papers are numbers here: places in `Ranking.papers`."""

    def __init__(
        self,
        ranking: Ranking,
        pool: Iterable[StoredPaper],
        trends: Mapping[str, Trend],
        *,
        trending_from: AbstractSet[str],
    ) -> None:
        """Lay out the papers of a ranking.

        Args:
            ranking: knows every paper that may appear.
            pool: the same papers as the state knows them, in any order.
            trends: by key; a paper without one does not trend.
            trending_from: keys that may stand in Trending.
        """
        stored = {one.paper.key: one for one in pool}
        self._ranking, self._papers = ranking, ranking.papers
        self._stored = [stored[paper.key] for paper in self._papers]
        self._moments = sorted({one.first_seen_at for one in self._stored})
        self._news_from = functools.lru_cache(maxsize=_REMEMBERED_NEWS)(self._find_news)
        self._copies = Copies(self._papers)
        self._trends = [trends.get(paper.key, _UNKNOWN) for paper in self._papers]
        self._most_trend = max((trend.score for trend in self._trends), default=0.0)
        free = (n for n, paper in enumerate(self._papers) if paper.key in trending_from and self._trends[n].score > 0)
        self._moving = sorted(free, key=lambda number: (-self._trends[number].score, number))

    def select(
        self,
        subscriber: Subscriber,
        standing: Standing,
        *,
        since: datetime,
        seen: AbstractSet[str],
        local_date: date,
        planned_at: datetime,
        returned: AbstractSet[str] = frozenset(),
        missed_max: int = 5,
    ) -> Digest:
        """One subscriber's digest; empty if there is nothing for them.

        Without a keyword that looks for something there is no For you; Trending then may be as long as For you.

        Args:
            subscriber: whose limits and floor count.
            standing: how the papers stand with the subscriber's keywords.
            since: papers of an edition that became known later than this are news for the subscriber, and only news
                may stand in For you.
            seen: keys delivered to the subscriber, or on their way; never picked again.
            local_date: the subscriber's day.
            planned_at: when this is decided.
            returned: keys of older papers of an edition that are news still: the mail they were in was given up.
            missed_max: most papers named as missed.
        """
        news = self._news(since)
        if returned:
            news |= {number for number in self._numbers(returned) if self._stored[number].edition is not None}
        matched = standing.totals.keys() & news
        before = self._numbers(seen)
        few = subscriber.max_papers + subscriber.trending + missed_max
        order, again = itertools.tee(self._best_first(standing.totals, matched - before, few))
        for_you = self._for_you(subscriber, order)
        papers = [candidate.number for candidate in for_you]
        trending = self._trending(subscriber, papers, before | standing.excluded)
        missed = self._missed(subscriber, again, papers, {*papers, *trending})
        return Digest(
            subscriber=subscriber,
            local_date=local_date,
            planned_at=planned_at,
            picks=(
                *(self._pick(standing, "for_you", one.number, -one.disinterest) for one in for_you),
                *(self._pick(standing, "trending", number, self._trends[number].score) for number in trending),
            ),
            missed=tuple(itertools.islice(missed, missed_max)),
            considered=len(news),
            matched=len(matched),
            seen_before=len(matched & before),
        )

    def _numbers(self, keys: AbstractSet[str]) -> set[int]:
        return {self._ranking.numbers[key] for key in keys if key in self._ranking.numbers}

    # --- what is new ------------------------------------------------------------------------------------------------

    def _news(self, since: datetime) -> frozenset[int]:
        return self._news_from(bisect.bisect_right(self._moments, since))

    def _find_news(self, first: int) -> frozenset[int]:
        moments = frozenset(self._moments[first:])
        return frozenset(
            number
            for number, stored in enumerate(self._stored)
            if stored.edition is not None and stored.first_seen_at in moments
        )

    # --- for you ----------------------------------------------------------------------------------------------------

    def _best_first(self, totals: Mapping[int, float], numbers: AbstractSet[int], few: int) -> Iterator[_Candidate]:
        """By interest, equal ones in the order of their keys; more than `few` are put in order only when asked for."""
        first = self._in_order(totals, self._leaders(totals, numbers, few))[:few]
        yield from first
        yield from self._in_order(totals, numbers - {candidate.number for candidate in first})

    def _leaders(self, totals: Mapping[int, float], numbers: AbstractSet[int], few: int) -> Iterable[int]:
        """All that may be among the `few` of most interest: even the greatest trend would not lift another so far."""
        if len(numbers) <= few:
            return numbers
        worst = heapq.nlargest(few, map(totals.__getitem__, numbers))[-1] if few else math.inf
        least = score(worst) - self._most_trend * TREND_SHARE / (1 - TREND_SHARE) - _ROUNDING
        total = -math.log1p(-least)
        return [number for number in numbers if totals[number] >= total]

    def _in_order(self, totals: Mapping[int, float], numbers: Iterable[int]) -> list[_Candidate]:
        return sorted([self._candidate(number, score(totals[number])) for number in numbers])

    def _candidate(self, number: int, relevance: float) -> _Candidate:
        interest = (1 - TREND_SHARE) * relevance + TREND_SHARE * self._trends[number].score
        return _Candidate(-interest, number, relevance)

    def _for_you(self, subscriber: Subscriber, candidates: Iterable[_Candidate]) -> list[_Candidate]:
        chosen: list[_Candidate] = []
        for candidate in candidates:
            # of so little interest, nothing that follows is above the floor either
            hopeless = -candidate.disinterest < (1 - TREND_SHARE) * subscriber.min_score
            if hopeless or len(chosen) == subscriber.max_papers:
                break
            if not self._against(candidate, subscriber, [other.number for other in chosen]):
                chosen.append(candidate)
        return chosen

    def _missed(
        self,
        subscriber: Subscriber,
        candidates: Iterable[_Candidate],
        for_you: Sequence[int],
        taken: AbstractSet[int],
    ) -> Iterator[Missed]:
        """The candidates that are nowhere in the digest, best first, each with the reason."""
        for candidate in candidates:
            if candidate.number not in taken:
                paper = self._papers[candidate.number]
                reason = self._against(candidate, subscriber, for_you) or f"below your {subscriber.max_papers} papers"
                yield Missed(paper.key, paper.title, paper.url, reason)

    def _against(self, candidate: _Candidate, subscriber: Subscriber, chosen: Iterable[int]) -> str:
        """What speaks against a paper even if there is room, in words; empty if nothing does."""
        if candidate.score < subscriber.min_score:
            return f"score {candidate.score:.2f} under your floor {subscriber.min_score:g}"
        copies = self._copies.of(candidate.number)
        copied = next((other for other in chosen if other in copies), None) if copies else None
        return "" if copied is None else f"very like “{self._papers[copied].title}”"

    # --- trending ---------------------------------------------------------------------------------------------------

    def _trending(self, subscriber: Subscriber, for_you: Sequence[int], unfit: AbstractSet[int]) -> list[int]:
        most = subscriber.trending if _looks_for_something(subscriber) else subscriber.max_papers
        shown, chosen = set(for_you), list[int]()
        for number in self._moving:
            if len(chosen) >= most:
                break
            if number not in unfit and number not in shown and shown.isdisjoint(self._copies.of(number)):
                shown.add(number)
                chosen.append(number)
        return chosen

    # --- in words ---------------------------------------------------------------------------------------------------

    def _pick(self, standing: Standing, part: Literal["for_you", "trending"], number: int, value: float) -> Pick:
        matches: tuple[Match, ...] = ()
        if number in standing.totals:
            matches = self._ranking.matches(standing, number, score(standing.totals[number]))
        trend = self._trends[number]
        # the numbers stand beside every paper already; they are the reason only for what trends
        reasons = why(matches, trend if part == "trending" else _UNKNOWN)
        return Pick(paper=self._papers[number], part=part, score=value, matches=matches, trend=trend, why=reasons)


def _looks_for_something(subscriber: Subscriber) -> bool:
    return any(not parse(entry).excludes for entry in subscriber.keywords)
