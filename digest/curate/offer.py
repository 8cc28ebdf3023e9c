"""A run's papers, and how they stand with one subscriber → the subscriber's digest. Decides only; pure.

For you    new papers that match, best first: not seen, not below the floor, no near copies
Trending   what everybody reads: moving, not seen, not unwanted, not already in For you
missed     the next ones by title, each with the reason
similar    under a pick, others that are like it: of the same day or the days before, so perhaps in the reader's archive

What subscribers share is found once; then each costs time for the papers that match, and little more for those that
are shown.
"""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from digest.curate.copies import Copies
from digest.curate.missed import Candidate, MissedPapers, with_popular
from digest.curate.query import Query, parse
from digest.curate.rank import Ranking, Standing
from digest.curate.reasons import why
from digest.curate.vector import Mask, Numbers, Values, least_of_greatest, mask, places, score, total
from digest.languages.language import Language, language
from digest.model import Digest, Gap, Part, Pick, Similar, StoredPaper, Subscriber, Trend

#: how much of a For-you score is the trend: enough to order papers of about equal relevance, no more
TREND_SHARE = 0.05
#: a paper that leans so far to the subscriber's profile is said to be like what they chose
FOND = 0.5
#: sets of news kept in memory, the latest used: readers whose last digest was after the same pull share one
_REMEMBERED_NEWS = 32
#: subscribers whose papers are ranked at once: numpy's calls cost as much for one, and the table fits into the cache
_TOGETHER = 64
#: picks kept in memory, the latest used: popular ones are shown to many
_REMEMBERED = 16_384
#: a paper so like a pick is named under it; of judged papers as alike or more, four in five pairs were relevant to the
#: same profile
_ALIKE = 0.2
#: so many of the papers most like a pick may be named: some are in the digest anyway, or excluded
_NAMED_FROM = 6

_UNKNOWN = Trend()
_NOTHING: frozenset[str] = frozenset()


class _News(NamedTuple):
    """The papers that are news for some readers."""

    mask: Mask
    #: how many they are
    papers: int


@dataclass(frozen=True, slots=True)
class Request:
    """What one subscriber's digest is selected by."""

    #: whose limits and floor count
    subscriber: Subscriber
    #: the subscriber's entries, understood
    queries: Sequence[Query]
    #: papers of an edition that became known later than this are news for the subscriber, and only news may stand in
    #: For you
    since: datetime
    #: keys delivered to the subscriber, or on their way; never picked again
    seen: AbstractSet[str]
    #: the subscriber's day
    local_date: date
    #: when this is decided
    planned_at: datetime
    #: keys of older papers of an edition that are news still: the mail they were in was given up
    returned: AbstractSet[str] = frozenset()
    #: for the digest to tell, as its fields of the same names: from when on papers were looked at, what waits, and what
    #: was not read
    days: int = 0
    waiting: bool = False
    unread: tuple[Gap, ...] = ()
    #: what the subscriber's profile makes of how the papers stand; None: there is none
    profile: Callable[[Standing], Standing] | None = None


class Offer:
    """What one run has to offer. Papers are numbers here: places in `Ranking.papers`."""

    def __init__(
        self,
        ranking: Ranking,
        pool: Iterable[StoredPaper],
        trends: Mapping[str, Trend],
        *,
        trending_from: AbstractSet[str],
        similar: int = 0,
    ) -> None:
        """Lay out the papers of a ranking.

        Args:
            ranking: knows every paper that may appear.
            pool: the same papers as the state knows them, in any order.
            trends: by key; a paper without one does not trend.
            trending_from: keys that may stand in Trending.
            similar: most papers named under a pick as like it.
        """
        stored = {one.paper.key: one for one in pool}
        self._ranking, self._papers = ranking, ranking.papers
        self._stored = [stored[paper.key] for paper in self._papers]
        self._moments = sorted({one.first_seen_at for one in self._stored})
        self._news_from = functools.lru_cache(maxsize=_REMEMBERED_NEWS)(self._find_news)
        self._copies = Copies(self._papers)
        self._similar = similar
        self._near: dict[int, tuple[int, ...]] = {}
        self._named = functools.lru_cache(maxsize=_REMEMBERED)(self._name)
        self._told = functools.lru_cache(maxsize=_REMEMBERED)(self._tell)
        self._trends = [trends.get(paper.key, _UNKNOWN) for paper in self._papers]
        self._lift = TREND_SHARE * np.array([trend.score for trend in self._trends], np.float64)
        # and a little more, so that what differs by errors of sums only counts as equal
        self._most_lift = float(self._lift.max(initial=0.0)) / (1 - TREND_SHARE) + 1e-6
        free = (n for n, paper in enumerate(self._papers) if paper.key in trending_from and self._trends[n].score > 0)
        self._moving = sorted(free, key=lambda number: (-self._trends[number].score, number))
        self._missed = MissedPapers(ranking, self._copies, self._trends, self._moving)

    def select_all(self, requests: Iterable[Request], *, missed_max: int = 5, popular_max: int = 0) -> Iterator[Digest]:
        """The digests of many subscribers, in the order of the requests; some are selected at a time.

        Without a keyword that looks for something there is no For you; Trending then may be as long as For you.

        Args:
            requests: what each subscriber's digest is selected by.
            missed_max: most papers named as missed.
            popular_max: most of these that are named because everybody reads them, if the subscriber wants to know of
                such papers at all; they come last.
        """
        rest = iter(requests)
        while some := tuple(itertools.islice(rest, _TOGETHER)):
            standings = self._ranking.standings([one.queries for one in some])
            yield from self._select(some, standings, missed_max, popular_max)

    def select(self, request: Request, standing: Standing | None = None, *, missed_max: int = 5) -> Digest:
        """One subscriber's digest, see `select_all`; empty if there is nothing for them.

        Args:
            request: what it is selected by.
            standing: how the papers stand with the subscriber; None: as the request's queries say.
            missed_max: most papers named as missed.
        """
        standing = standing or self._ranking.standing(request.queries)
        (digest,) = self._select([request], [standing], missed_max, 0)
        return digest

    def _select(
        self, requests: Sequence[Request], standings: Sequence[Standing], missed_max: int, popular_max: int
    ) -> Iterator[Digest]:
        standings = [
            one.profile(standing) if one.profile else standing
            for one, standing in zip(requests, standings, strict=True)
        ]
        news = [self._news(one.since, one.returned) for one in requests]
        before = [self._seen(one.seen) for one in requests]
        # what speaks for the papers that match and are news
        totals = np.stack([standing.totals for standing in standings])
        masks = [new.mask for new in news]
        totals *= masks[0] if all(one is masks[0] for one in masks) else np.stack(masks)
        matched = self._counts(totals, standings)
        left = matched
        if any(before):
            for row, old in zip(totals, before, strict=True):
                row[[*old]] = 0.0
            left = self._counts(totals, standings)
        few = missed_max + max(one.subscriber.max_papers + one.subscriber.trending for one in requests)
        for one, standing, new, old, in_order, count, count_left in zip(
            requests, standings, news, before, self._best_first(totals, few), matched, left, strict=True
        ):
            for_you = self._for_you(one.subscriber, in_order(), standing.related)
            papers = [number for _, number, _ in for_you]
            trending = self._trending(one.subscriber, papers, old, standing.excluded)
            taken = {*papers, *trending, *standing.related}
            missed = tuple(itertools.islice(self._missed.near(one.subscriber, in_order(), papers, taken), missed_max))
            if popular_max and one.subscriber.trending:
                spoken = language(one.subscriber.language)
                popular = self._missed.popular(spoken, missed, taken, old, standing.excluded)
                missed = tuple(with_popular(missed, popular, most=missed_max, popular_max=popular_max))
            yield Digest(
                subscriber=one.subscriber,
                local_date=one.local_date,
                planned_at=one.planned_at,
                picks=tuple(self._picks(one.subscriber, standing, papers, trending)),
                scores=(*[-disinterest for disinterest, _, _ in for_you], *[self._trends[n].score for n in trending]),
                missed=missed,
                considered=new.papers,
                matched=count,
                seen_before=count - count_left,
                days=one.days,
                waiting=one.waiting,
                unread=one.unread,
            )

    def _counts(self, totals: Values, standings: Sequence[Standing]) -> list[int]:
        """How many papers match for each reader; related papers are no matches."""
        counts: list[int] = np.count_nonzero(totals, axis=1).tolist()
        return [
            count - int(np.count_nonzero(row[[*standing.related]])) if standing.related else count
            for count, row, standing in zip(counts, totals, standings, strict=True)
        ]

    def _numbers(self, keys: AbstractSet[str]) -> set[int]:
        return {self._ranking.numbers[key] for key in keys if key in self._ranking.numbers}

    def _seen(self, keys: AbstractSet[str]) -> set[int]:
        """The papers with these keys, and near copies of them: a work may come again by another name."""
        numbers = self._numbers(keys)
        return numbers.union(*map(self._copies.of, numbers))

    def _mask(self, numbers: Iterable[int]) -> Mask:
        return mask([np.array([*numbers], np.intp)], len(self._papers))

    # --- what is new ------------------------------------------------------------------------------------------------

    def _news(self, since: datetime, returned: AbstractSet[str]) -> _News:
        news = self._news_from(bisect.bisect_right(self._moments, since))
        if not returned:
            return news
        found = news.mask | self._mask(n for n in self._numbers(returned) if self._stored[n].edition is not None)
        return _News(found, int(np.count_nonzero(found)))

    def _find_news(self, first: int) -> _News:
        moments = frozenset(self._moments[first:])
        numbers = [
            number
            for number, stored in enumerate(self._stored)
            if stored.edition is not None and stored.first_seen_at in moments
        ]
        return _News(self._mask(numbers), len(numbers))

    # --- for you ----------------------------------------------------------------------------------------------------

    def _best_first(self, totals: Values, few: int) -> Iterator[Callable[[], Iterator[Candidate]]]:
        """For each reader what gives the papers by interest, equal ones in the order of their keys.

        More than `few` are put in order only when asked for.

        Args:
            totals: what speaks for each paper, 0 for those that are not to be given; a row per reader.
            few: papers of each reader.
        """
        # what is of more interest than the last of these has at most so much less relevance
        least = np.maximum(score(least_of_greatest(totals, few)) - self._most_lift, 0.0)
        readers, numbers = places(totals, total(least))
        disinterest, relevance = self._judged(totals[readers, numbers], numbers)
        order = np.lexsort((disinterest, readers))
        columns = disinterest[order].tolist(), numbers[order].tolist(), relevance[order].tolist()
        best = list(zip(*columns, strict=True))
        ends = np.cumsum(np.bincount(readers, minlength=len(totals))).tolist()
        for row, start, end in zip(totals, [0, *ends], ends, strict=False):
            yield functools.partial(self._in_order, row, best[start : min(end, start + few)], few)

    def _in_order(self, totals: Values, best: Sequence[Candidate], few: int) -> Iterator[Candidate]:
        yield from best
        if len(best) == few:
            numbers = np.flatnonzero(totals)
            disinterest, relevance = self._judged(totals[numbers], numbers)
            order = np.argsort(disinterest, kind="stable")[few:]
            yield from zip(disinterest[order].tolist(), numbers[order].tolist(), relevance[order].tolist(), strict=True)

    def _judged(self, totals: Values, numbers: Numbers) -> tuple[Values, Values]:
        """Minus the interest of papers, and their relevance alone."""
        relevance = score(totals)
        return -((1 - TREND_SHARE) * relevance + self._lift[numbers]), relevance

    def _for_you(
        self, subscriber: Subscriber, candidates: Iterable[Candidate], related: AbstractSet[int]
    ) -> list[Candidate]:
        chosen: list[Candidate] = []
        extra = self._ranking.extra_papers
        numbers: list[int] = []
        # of so little interest, nothing that follows is above the floor either
        hopeless = (1 - TREND_SHARE) * subscriber.min_score
        floor, most, copies = subscriber.min_score, subscriber.max_papers, self._copies.of
        for one in candidates:
            disinterest, number, relevance = one
            if -disinterest < hopeless or len(chosen) == most:
                break
            if number in related and not extra:
                continue
            if relevance >= floor and copies(number).isdisjoint(numbers):
                extra -= number in related
                chosen.append(one)
                numbers.append(number)
        return chosen

    # --- trending ---------------------------------------------------------------------------------------------------

    def _trending(
        self, subscriber: Subscriber, for_you: Sequence[int], before: AbstractSet[int], excluded: Mask | None
    ) -> list[int]:
        most = subscriber.trending
        if most and not _looks_for_something(subscriber):
            most = subscriber.max_papers  # in place of For you
        shown, chosen = set(for_you), list[int]()
        for number in self._moving:
            if len(chosen) >= most:
                break
            unfit = number in before or (excluded is not None and excluded[number])
            if not unfit and number not in shown and shown.isdisjoint(self._copies.of(number)):
                shown.add(number)
                chosen.append(number)
        return chosen

    # --- in words ---------------------------------------------------------------------------------------------------

    def _picks(
        self, subscriber: Subscriber, standing: Standing, for_you: Sequence[int], trending: Sequence[int]
    ) -> Iterator[Pick]:
        shown = [*for_you, *trending]
        like = self._like(shown, standing.excluded)
        # entries that match each, and papers named as like it
        told = zip(shown, self._ranking.hits(standing, shown), like, strict=True)
        lean, spoken, pick = standing.lean, language(subscriber.language), self._told
        for number, entries, near in itertools.islice(told, len(for_you)):
            yield pick("for_you", number, entries, near, spoken, lean is not None and bool(lean[number] >= FOND))
        for number, entries, near in told:
            yield pick("trending", number, entries if standing.totals[number] > 0 else _NOTHING, near, spoken)

    def _tell(
        self,
        part: Part,
        number: int,
        entries: AbstractSet[str],
        like: Sequence[int],
        spoken: Language,
        fond: bool = False,  # noqa: FBT001, FBT002 - cached by place
    ) -> Pick:
        """The paper as all readers of a language see it whom it matches in the same way."""
        paper, trend, matches = self._papers[number], self._trends[number], self._ranking.matches(number, entries)
        if part == "for_you" and not matches and self._ranking.extra_papers:
            reasons = spoken.say("related to your keywords")
        else:
            # the numbers stand beside every paper already; they are the reason only for what trends
            reasons = why(matches, trend if part == "trending" else _UNKNOWN, spoken, fond=fond)
        return Pick(paper, part, matches, trend, reasons, similar=self._named(like) if like else ())

    # --- similar ----------------------------------------------------------------------------------------------------

    def _like(self, shown: Sequence[int], excluded: Mask | None) -> list[tuple[int, ...]]:
        """For each paper of a digest those like it that are not in the digest, and not left out on purpose."""
        if not self._similar:
            return [()] * len(shown)
        taken, like = set(shown), []
        for number in shown:
            near = self._near.get(number)
            if near is None:
                near = self._near[number] = self._find_near(number)
            if near and (excluded is not None or not taken.isdisjoint(near)):
                near = tuple([n for n in near if n not in taken and (excluded is None or not excluded[n])])
            like.append(near[: self._similar])
        return like

    def _find_near(self, number: int) -> tuple[int, ...]:
        """The papers most like one, without its near copies.

        By `Ranking.neighbours`, which the votes need anyway and which takes 35 µs a paper: `SimilarIndex`, which the
        command `digest similar` asks, compares more, but takes 2 s for a thousand papers and 3 ms more for each.
        """
        others, likeness = self._ranking.neighbours(number)
        copies = self._copies.of(number)
        near = (other for other in others[likeness >= _ALIKE].tolist() if other not in copies)
        return tuple(itertools.islice(near, _NAMED_FROM))

    def _name(self, numbers: Sequence[int]) -> tuple[Similar, ...]:
        papers = [self._papers[number] for number in numbers]
        return tuple([Similar(paper.key, paper.title, paper.url) for paper in papers])


def _looks_for_something(subscriber: Subscriber) -> bool:
    return any(not parse(entry).excludes for entry in subscriber.keywords)
