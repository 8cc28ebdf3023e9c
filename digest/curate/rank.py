"""A batch of papers and one subscriber's entries → the papers that match, best first. Pure.

What a paper's entries say for it is added up (`evidence`). Then the ten best papers vote for others like them: a
reader who wants these wants those too (pseudo-relevance feedback, Rocchio 1971, over neighbours instead of words).

A score is 1 - e^-evidence. On judged profiles it reads like a probability: of the matching papers scored 0.4 to 0.6
one in two was relevant, of those above 0.8 all but one in forty; of those below 0.2 one in forty.
"""

from __future__ import annotations

import functools
import heapq
import math
import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from digest.curate.evidence import Evidence, EvidenceIndex
from digest.curate.lanes import pack, rows_in, unpack
from digest.curate.query import Node, Query, parse
from digest.curate.similar import Neighbours
from digest.model import Match, Paper

# Settled with benchmarks/relevance.py on twelve judged profiles, 561 papers: nDCG@10 0.840 without votes, 0.883 with.
# Chosen anew with each profile left out, and measured on that one: 0.876. Half or double of any value costs up to 0.03.
#: so many of the best papers vote …
_VOTERS = 10
#: … and together give at most as much as the best paper's own evidence
_FEEDBACK = 1.0
#: how much like itself a voter is, so that votes among the best count
_SELF = 0.15
#: evidence beyond this (weights!) no longer shows in a score, which stays below 1
_MOST = 30.0
# Numbers in lanes (`lanes`) are whole and below 2^64. An entry's evidence takes up to 50 bits: room for 16,383 entries
# at their most, and a hundred thousand of weight 100. Votes are ten times likeness times weight, 1 each at most.
_UNIT = 2**40
#: evidence of one entry beyond this counts no more: weights of weights
_MOST_EVIDENCE = 2.0**10
_LIKENESS_UNIT = 2**30
_WEIGHT_UNIT = 2**29
#: bytes of lanes kept in memory, the latest used, once for entries and once for voters
_ROW_MEMORY = 32 * 2**20
#: matches kept in memory, the latest used; a popular keyword's best papers are shown to many
_REMEMBERED = 65_536


@dataclass(frozen=True, slots=True)
class Scored:
    """One paper as a subscriber's entries see it."""

    paper: Paper
    #: 0 ≤ score < 1; comparable between days and subscribers
    score: float
    _explain: Callable[[Scored], tuple[Match, ...]] = field(default=lambda _: (), repr=False, compare=False)

    @property
    def matches(self) -> tuple[Match, ...]:
        """The entries that matched, as typed order has them; empty for a paper that is only like those that match.

        Found on demand: marking words costs more than ranking, and few ranked papers are ever shown.
        """
        return self._explain(self)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the papers of a run stand with one subscriber. Papers are numbers here: places in `Ranking.papers`."""

    #: what speaks for each paper that matches, votes included
    totals: Mapping[int, float]
    #: papers that an excluding entry leaves out; none of them matches
    excluded: AbstractSet[int] = frozenset()
    #: the entries that look for something, in the order typed, and what they found
    found: Sequence[tuple[Query, Evidence]] = ()


def score(total: float) -> float:
    """What a total comes to on the scale from 0 to 1: 0 only after a weight next to nothing, and never 1.

    Rounded, so that equal papers are equal in whatever order their sums were added up.
    """
    return 1 - math.exp(-min(round(total, 9), _MOST))


class Ranking:
    """The papers of one run, indexed once and ranked for any number of subscribers.

    What an entry says for the papers is computed once, whoever asks; a subscriber then costs time for the papers that
    match, and about a tenth of a microsecond for each that does not.
    """

    def __init__(self, papers: Sequence[Paper]) -> None:
        #: by key, so that equal scores are in the order of keys whatever the order of the batch
        self.papers: Sequence[Paper] = sorted(papers, key=lambda paper: paper.key)
        #: the papers' places in that order, by key
        self.numbers: Mapping[str, int] = {paper.key: number for number, paper in enumerate(self.papers)}
        self._evidence = EvidenceIndex(self.papers)
        rows = rows_in(_ROW_MEMORY, len(self.papers))
        self._row = functools.lru_cache(maxsize=rows)(self._pack_evidence)
        self._ballot = functools.lru_cache(maxsize=rows)(self._pack_ballot)
        self._marked = functools.lru_cache(maxsize=_REMEMBERED)(self._mark)

    @functools.cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(self._evidence.text.terms(), len(self.papers))

    def rank(self, queries: Sequence[Query], *, related: bool = False) -> tuple[Scored, ...]:
        """The papers that match, best first; equal scores in the order of their keys.

        A paper matches if it matches an entry, no excluding entry, and every required one. Required entries are
        conditions: where there are others, one of those has to match as well.

        Args:
            queries: the subscriber's entries; order does not matter.
            related: also list papers that match no entry but share words with one or are like those that match.
        """
        return self._scored(self.standing(queries, related=related))

    def standing(self, queries: Sequence[Query], *, related: bool = False) -> Standing:
        """The same as `rank` in numbers, in no order; related papers then are among those that match."""
        found = [(query, self._evidence.of(query.node)) for query in queries if not query.excludes]
        excluded = self._excluded(queries)
        required = [evidence.matched for query, evidence in found if query.required]
        matched = _union([evidence.matched for query, evidence in found if not query.required] or required)
        matched.intersection_update(*required)
        matched -= excluded
        listed = set(range(len(self.papers))).intersection(*required) - excluded if related else matched
        return Standing(self._totals([query.node for query, _ in found], matched, listed), excluded, found)

    def matches(self, standing: Standing, number: int, score: float) -> tuple[Match, ...]:
        """The entries that match a paper, in the order typed, each with its share of the paper's score."""
        share = score / -math.log1p(-score) if score else 0.0  # a weight may be next to nothing
        return tuple(
            [
                Match(query.entry, *self._marked(query.entry, number), evidence.values[number] * share)
                for query, evidence in standing.found
                if number in evidence.matched
            ]
        )

    def matching(self, query: Query) -> tuple[Scored, ...]:
        """The papers that one entry matches, best first; of an excluding entry, those that it would leave out."""
        return self.rank([replace(query, excludes=False)])

    def near_misses(self, query: Query, n: int) -> tuple[Scored, ...]:
        """At most `n` papers that have more than half of the entry's words, but not as it asks for them; best first."""
        return self._scored(Standing(self._evidence.almost(query.node)))[:n]

    def _excluded(self, queries: Iterable[Query]) -> AbstractSet[int]:
        return _union(self._evidence.exactly(query.node) for query in queries if query.excludes)

    def _totals(self, nodes: Iterable[Node], matched: AbstractSet[int], listed: Iterable[int]) -> dict[int, float]:
        """The evidence of all nodes added up, and what the best papers that match give to those like them.

        They give at most as much as the best one's own evidence. What nothing speaks for is left out.
        """
        count = len(self.papers)
        evidence = unpack(sum(map(self._row, nodes)), count)
        voters = greatest(evidence, matched, _VOTERS)
        best = evidence[voters[0]] if voters else 0
        weights = [_WEIGHT_UNIT * evidence[voter] // (best or 1) for voter in voters]
        votes = unpack(sum(map(operator.mul, map(self._ballot, voters), weights)), count)
        share = _FEEDBACK * best / (max(votes, default=0) or 1)
        return {n: (evidence[n] + share * votes[n]) / _UNIT for n in listed if evidence[n] or votes[n]}

    def _pack_evidence(self, node: Node) -> int:
        values = self._evidence.of(node).values
        # a paper that matches has at least one unit
        return pack(
            ((number, max(1, round(min(value, _MOST_EVIDENCE) * _UNIT))) for number, value in values.items()),
            len(self.papers),
        )

    def _pack_ballot(self, voter: int) -> int:
        likeness = {**self._neighbours.of(voter), voter: _SELF}
        return pack(((number, round(value * _LIKENESS_UNIT)) for number, value in likeness.items()), len(self.papers))

    def _scored(self, standing: Standing) -> tuple[Scored, ...]:
        """The papers that match, best first."""

        def explain(scored: Scored) -> tuple[Match, ...]:
            return self.matches(standing, self.numbers[scored.paper.key], scored.score)

        order = sorted((-round(total, 9), number) for number, total in standing.totals.items())
        return tuple([Scored(self.papers[number], score(-total), explain) for total, number in order])

    def _mark(self, entry: str, number: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Fields and words of a match."""
        places = self._evidence.places(parse(entry).node, number)
        return tuple(dict.fromkeys(place for place, _ in places)), tuple(dict.fromkeys(text for _, text in places))


def greatest(totals: Sequence[float], numbers: Collection[int], count: int) -> list[int]:
    """At most `count` of the numbers, those of the greatest totals, greatest first; equal ones in their own order."""
    if len(numbers) > count:
        # many times as fast as giving each its place
        least = heapq.nlargest(count, map(totals.__getitem__, numbers))[-1]
        numbers = [number for number in numbers if totals[number] >= least]
    return sorted(numbers, key=lambda number: (-totals[number], number))[:count]


def _union(sets: Iterable[AbstractSet[int]]) -> set[int]:
    return set[int]().union(*sets)
