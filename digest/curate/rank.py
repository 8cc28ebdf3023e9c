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
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from digest.curate.evidence import EvidenceIndex
from digest.curate.query import Query
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
#: matches kept in memory, the latest used; a popular keyword's best papers are shown to many
_REMEMBERED = 65_536


@dataclass(frozen=True, slots=True)
class Scored:
    """One paper as a subscriber's entries see it."""

    paper: Paper
    #: 0 < score < 1; comparable between days and subscribers
    score: float
    _explain: Callable[[Scored], tuple[Match, ...]] = field(default=lambda _: (), repr=False, compare=False)

    @property
    def matches(self) -> tuple[Match, ...]:
        """The entries that matched, as typed order has them; empty for a paper that is only like those that match.

        Found on demand: marking words costs more than ranking, and few ranked papers are ever shown.
        """
        return self._explain(self)


class Ranking:
    """The papers of one run, indexed once and ranked for any number of subscribers."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        # by key, so that equal scores are in the order of keys whatever the order of the batch
        self._papers = sorted(papers, key=lambda paper: paper.key)
        self._numbers = {paper.key: number for number, paper in enumerate(self._papers)}
        self._evidence = EvidenceIndex(self._papers)
        self._match = functools.lru_cache(maxsize=_REMEMBERED)(self._find_match)

    @functools.cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(self._evidence.text.terms(), len(self._papers))

    def rank(self, queries: Sequence[Query], *, related: bool = False) -> tuple[Scored, ...]:
        """The papers that match, best first; equal scores in the order of their keys.

        A paper matches if it matches an entry, no excluding entry, and every required one. Required entries are
        conditions: where there are others, one of those has to match as well.

        Args:
            queries: the subscriber's entries; order does not matter.
            related: also list papers that match no entry but share words with one or are like those that match.
        """
        wanted = [query for query in queries if not query.excludes]
        optional = [query for query in wanted if not query.required] or wanted
        allowed = self._allowed(queries)
        matched = allowed & _union(self._evidence.of(query.node).matched for query in optional)
        values = self._values(wanted)
        votes = self._votes({number: values[number] for number in matched})
        listed = allowed.intersection(values.keys() | votes.keys()) if related else matched
        # rounded, so that equal papers are equal in whatever order their sums were added up
        order = sorted((-round(values[number] + votes[number], 9), number) for number in listed)
        return self._scored(wanted, order)

    def unwanted(self, queries: Sequence[Query]) -> frozenset[str]:
        """Keys of the papers that an excluding entry leaves out."""
        return frozenset(self._papers[number].key for number in self._excluded(queries))

    def near_misses(self, query: Query, n: int) -> tuple[Scored, ...]:
        """At most `n` papers that have more than half of the entry's words, but not as it asks for them; best first."""
        almost = self._evidence.almost(query.node)
        best = heapq.nsmallest(n, almost, key=lambda number: (-almost[number], number))
        return self._scored((), [(-almost[number], number) for number in best])

    def _excluded(self, queries: Iterable[Query]) -> AbstractSet[int]:
        return _union(self._evidence.exactly(query.node) for query in queries if query.excludes)

    def _allowed(self, queries: Sequence[Query]) -> set[int]:
        allowed = set(range(len(self._papers))) - self._excluded(queries)
        for query in queries:
            if query.required:
                allowed &= self._evidence.of(query.node).matched
        return allowed

    def _values(self, wanted: Sequence[Query]) -> defaultdict[int, float]:
        """The entries' evidence, added up."""
        values: defaultdict[int, float] = defaultdict(float)
        for query in wanted:
            for number, value in self._evidence.of(query.node).values.items():
                values[number] += value
        return values

    def _votes(self, values: Mapping[int, float]) -> defaultdict[int, float]:
        """What the best papers give to those like them: at most as much as the best one's own evidence."""
        voters = heapq.nsmallest(_VOTERS, values, key=lambda number: (-values[number], number))
        votes: defaultdict[int, float] = defaultdict(float)
        for voter in voters:
            votes[voter] += _SELF * values[voter]
            for other, likeness in self._neighbours.of(voter).items():
                votes[other] += likeness * values[voter]
        if votes:
            factor = _FEEDBACK * values[voters[0]] / max(votes.values())
            for number in votes:
                votes[number] *= factor
        return votes

    def _scored(self, wanted: Sequence[Query], order: Iterable[tuple[float, int]]) -> tuple[Scored, ...]:
        """Papers from their negative totals and numbers."""
        explain = functools.partial(self._explain, wanted)
        return tuple(
            [Scored(self._papers[number], 1 - math.exp(max(total, -_MOST)), explain) for total, number in order]
        )

    def _explain(self, wanted: Sequence[Query], scored: Scored) -> tuple[Match, ...]:
        """The matches in the order of the entries, each with its share of the score."""
        number = self._numbers[scored.paper.key]
        share = scored.score / -math.log1p(-scored.score)
        evidence = [(query, self._evidence.of(query.node)) for query in wanted]
        return tuple(
            replace(self._match(query, number), score=found.values[number] * share)
            for query, found in evidence
            if number in found.matched
        )

    def _find_match(self, query: Query, number: int) -> Match:
        places = self._evidence.places(query.node, number)
        fields = tuple(dict.fromkeys(place for place, _ in places))
        return Match(query.entry, fields, tuple(dict.fromkeys(text for _, text in places)))


def matching(papers: Sequence[Paper], query: Query) -> tuple[Scored, ...]:
    """The papers that one entry matches, best first; of an excluding entry, those that it would leave out."""
    return Ranking(papers).rank([replace(query, excludes=False)])


def near_misses(papers: Sequence[Paper], query: Query, n: int) -> tuple[Scored, ...]:
    """At most `n` papers that have more than half of the entry's words, but not as it asks for them; best first."""
    return Ranking(papers).near_misses(query, n)


def _union(sets: Iterable[AbstractSet[int]]) -> AbstractSet[int]:
    return set().union(*sets)
