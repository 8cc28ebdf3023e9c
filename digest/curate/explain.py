"""One subscriber's selection → the numbers behind it, paper by paper, and by how much the next ones just missed. Pure.

evidence   what each entry says for the paper that it matches (`evidence`)
words      what entries that do not match it find there of their words, or of what they mean
likeness   what the best papers that match say for those like them (`votes`), and which of these say most
profile    what the subscriber brought and said adds or takes (`profile`)
relevance  1 - e^(-(evidence + words + likeness + profile)/2)
interest   0.95 · relevance + 0.05 · trend: the order of For you
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from digest.curate.offer import TREND_SHARE
from digest.curate.vector import score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from digest.curate.offer import Offer, Request
    from digest.curate.rank import Ranking, Standing
    from digest.model import Digest, Match, Part, Trend

#: a part of the digest, or just below its floor or its last paper
Where: TypeAlias = "Part | Literal['missed']"

#: papers that one is said to be like
_MOST_LIKE = 2


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where one paper stands, and why."""

    key: str
    title: str
    part: Where
    #: from 1 within the part
    place: int
    #: the entries that match, each with its evidence
    matches: tuple[Match, ...]
    #: the entries that do not match as a whole and yet say something, each with how much, above 0; as typed
    words: tuple[tuple[str, float], ...]
    #: 0 or more
    likeness: float
    #: titles of the papers that it is like, at most two; those whose votes count most come first
    like: tuple[str, ...]
    #: below 0: the profile speaks against it
    profile: float
    #: all of these together
    total: float
    #: 0 to 1; 0 for what no keyword matches
    relevance: float
    #: 0 to 1, beside all papers
    trend: float
    interest: float
    #: why a paper just missed, or trends; empty for those of For you
    reason: str = ""
    #: what it is short of: relevance of the floor, or interest of the last paper of For you, if that is full; None:
    #: neither is missing
    short: float | None = None


def explain(
    ranking: Ranking, offer: Offer, request: Request, trends: Mapping[str, Trend], *, missed_max: int
) -> tuple[Explanation, ...]:
    """Every paper of a subscriber's digest in its order, then those that just missed, best first.

    Args:
        ranking: knows every paper that may appear.
        offer: what there is to select from.
        request: what the digest is selected by.
        trends: by key, those that the offer has.
        missed_max: most papers that missed.
    """
    before = ranking.standing(request.queries)
    after = request.profile(before) if request.profile else before
    digest = offer.select(request, before, missed_max=missed_max)
    table = _Table(ranking, before, after, trends)
    rows = [*_listed(digest, table)]
    chosen = [row.interest for row in rows if row.part == "for_you"]
    # where there is room, nobody has to be as good as the last one
    last = chosen[-1] if len(chosen) == request.subscriber.max_papers else 0.0
    missed = enumerate(digest.missed, 1)
    return (*rows, *(table.row(one.key, "missed", n, one.why, request.subscriber.min_score, last) for n, one in missed))


def _listed(digest: Digest, table: _Table) -> Iterator[Explanation]:
    for part in ("for_you", "trending"):
        picks = [pick for pick in digest.picks if pick.part == part]
        for place, pick in enumerate(picks, 1):
            yield table.row(pick.paper.key, pick.part, place, pick.why if part == "trending" else "")


class _Table:
    """The numbers of all papers, before and after the profile had its say."""

    def __init__(self, ranking: Ranking, before: Standing, after: Standing, trends: Mapping[str, Trend]) -> None:
        self._ranking, self._before_standing, self._standing, self._trends = ranking, before, after, trends
        self._before, self._after = _totals(before), _totals(after)

    def row(
        self, key: str, part: Where, place: int, reason: str = "", floor: float = 0.0, last: float = 0.0
    ) -> Explanation:
        number = self._ranking.numbers[key]
        listed = number in self._after
        entries = self._ranking.hits(self._standing, [number])[0] if listed else frozenset()
        matches = self._ranking.matches(number, entries)
        words = tuple(_words(self._standing, number)) if listed else ()
        said = sum(match.score for match in matches) + sum(value for _, value in words)
        likeness = max(0.0, self._before.get(number, 0.0) - said)
        backers = self._ranking.backers(self._before_standing, number)[:_MOST_LIKE] if likeness else ()
        total = self._after.get(number, 0.0)
        relevance = float(score(np.array([total]))[0]) if listed else 0.0
        trend = self._trends[key].score if key in self._trends else 0.0
        interest = (1 - TREND_SHARE) * relevance + TREND_SHARE * trend
        return Explanation(
            key=key,
            title=self._ranking.papers[number].title,
            part=part,
            place=place,
            matches=matches,
            words=words,
            likeness=likeness,
            like=tuple([self._ranking.papers[backer].title for backer in backers]),
            profile=total - self._before.get(number, 0.0) if listed else 0.0,
            total=total,
            relevance=relevance,
            trend=trend,
            interest=interest,
            reason=reason,
            short=_short(floor - relevance, last - interest) if part == "missed" else None,
        )


def _short(of_floor: float, of_last: float) -> float | None:
    """By how much a paper missed; one that was left out for another reason misses nothing."""
    if of_floor > 0:
        return of_floor
    return of_last if of_last > 0 else None


def _totals(standing: Standing) -> Mapping[int, float]:
    numbers = standing.numbers
    return dict(zip(numbers.tolist(), standing.totals[numbers].tolist(), strict=True))


def _words(standing: Standing, number: int) -> Iterator[tuple[str, float]]:
    """What entries say for a paper that they do not match."""
    for query, said in standing.found:
        if number not in said.matched and (value := said.value(number)):
            yield query.entry, value
