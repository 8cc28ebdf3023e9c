"""One subscriber's selection → the numbers behind it, paper by paper, and by how much the next ones just missed. Pure.

evidence   what each entry says for the paper that it matches (`evidence`)
words      what entries that do not match it find of their words there
likeness   what the best papers that match say for those like them (`votes`)
profile    what the subscriber brought and said adds or takes (`profile`)
relevance  1 - e^(-(evidence + words + likeness + profile)/2)
interest   0.95 · relevance + 0.05 · trend: the order of For you
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from digest.curate.offer import TREND_SHARE
from digest.curate.vector import score

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from digest.curate.offer import Offer, Request
    from digest.curate.rank import Ranking, Standing
    from digest.model import Digest, Match, Trend

Part = Literal["for_you", "trending", "missed"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where one paper stands, and why."""

    key: str
    title: str
    part: Part
    #: from 1 within the part
    place: int
    #: the entries that match, each with its evidence
    matches: tuple[Match, ...]
    #: 0 or more
    words: float
    likeness: float
    #: below 0: the profile speaks against it
    profile: float
    #: 0 to 1; 0 for what no keyword matches
    relevance: float
    #: 0 to 1, beside all papers
    trend: float
    interest: float
    #: why a paper just missed; empty for the others
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
            yield table.row(pick.paper.key, pick.part, place)


class _Table:
    """The numbers of all papers, before and after the profile had its say."""

    def __init__(self, ranking: Ranking, before: Standing, after: Standing, trends: Mapping[str, Trend]) -> None:
        self._ranking, self._standing, self._trends = ranking, after, trends
        self._before, self._after = _totals(before), _totals(after)

    def row(
        self, key: str, part: Part, place: int, reason: str = "", floor: float = 0.0, last: float = 0.0
    ) -> Explanation:
        number = self._ranking.numbers[key]
        listed = number in self._after
        entries = self._ranking.hits(self._standing, [number])[0] if listed else ()
        matches = self._ranking.matches(number, entries)
        evidence, words = sum(match.score for match in matches), 0.0
        if listed:
            words = max(0.0, _said(self._standing, number) - evidence)
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
            likeness=max(0.0, self._before.get(number, 0.0) - evidence - words),
            profile=total - self._before.get(number, 0.0) if listed else 0.0,
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
    return dict(zip(standing.numbers.tolist(), standing.totals.tolist(), strict=True))


def _said(standing: Standing, number: int) -> float:
    """What all entries say for a paper, those that do not match it included."""
    return sum(float(said.values[said.numbers == number].sum()) for _, said in standing.found)
