"""A batch of papers and one subscriber's entries → the papers that match, best first. Pure.

What one entry says for the papers is found once, whoever asks (`evidence`), and kept as a `vector`: nowhere else is an
entry looked up in the papers' words. Here a reader's vectors are added up, which is arithmetic. Then the best papers
vote for others like them: a reader who wants these wants those too (pseudo-relevance feedback, Rocchio 1971, over
neighbours instead of words). Which are alike is found once as well, by all their words (`neighbours`, `subjects`).

A score is 1 - e^(-evidence/2). On judged profiles it reads like a probability: of the matching papers scored below 0.2
one in 200 was relevant, from there to 0.4 one in nine, to 0.6 one in two, to 0.8 eight in ten, above 98 in 100.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import numpy as np

from digest.curate.evidence import EvidenceIndex
from digest.curate.neighbours import Neighbours, by_subjects_too
from digest.curate.query import Query, parse
from digest.curate.semantic import Meanings, Semantics, blended
from digest.curate.subjects import Subjects
from digest.curate.vector import (
    Mask,
    Numbers,
    Values,
    Vector,
    added_up,
    exact,
    greatest,
    greatest_of_each,
    mask,
    masks,
    score,
    vector,
)
from digest.curate.votes import Votes
from digest.model import Match, Paper

# Settled with benchmarks/relevance.py on twelve judged profiles, 561 papers: nDCG@10 0.840 and MAP 0.766 without votes,
# 0.902 and 0.885 with; 0.891 and 0.880 with the weights chosen anew, each profile left out (--leave-one-out).
#: so many of the best papers vote …
_VOTERS = 20
#: … and together give at most this much of the best paper's own evidence; fewer give less, in proportion
_FEEDBACK = 1.5
#: papers that match no entry have to score so much of what the best scores. Of those that come among the first ten so,
#: one in two is relevant on days of 280 papers, one in five on days of 70, and all of 15 were on one of 561
_RELATED_FROM = 0.5
#: so many papers that match no entry are candidates for a digest; some may have been delivered before
_MOST_RELATED = 50
#: bytes of vectors kept in memory: 15,000 of the two-word phrases of benchmarks/plan.py
_VECTOR_MEMORY = 20 * 2**20
#: bytes that a paper's knowing of one entry takes, about
_MATCHING_MEMORY = 60
#: entries whose exclusions, or related papers, are kept in memory, the latest used
_REMEMBERED_SETS = 4096
#: matches kept in memory, the latest used; a popular keyword's best papers are shown to many
_REMEMBERED = 32_768


@dataclass(frozen=True, slots=True)
class Scored:
    """One paper as a subscriber's entries see it."""

    paper: Paper
    #: 0 ≤ score < 1; comparable between days and subscribers
    score: float
    _explain: Callable[[Scored], tuple[Match, ...]] = field(default=lambda _: (), repr=False, compare=False)

    @property
    def matches(self) -> tuple[Match, ...]:
        """The entries that matched, what says most first; empty for a paper that is only like those that match.

        Found on demand: marking words costs more than ranking, and few ranked papers are ever shown.
        """
        return self._explain(self)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How the papers of a run stand with one subscriber. Papers are numbers here: places in `Ranking.papers`."""

    #: what speaks for each paper, votes included; 0 for those that do not match, and for no other
    totals: Values
    #: of all papers, those that an excluding entry leaves out, none of which matches; None: there are none
    excluded: Mask | None = None
    #: the entries that look for something, in the order typed, and what they found
    found: Sequence[tuple[Query, Vector]] = ()
    #: of the papers, those that match no entry by its words
    related: AbstractSet[int] = frozenset()
    #: how each paper of the run leans to the subscriber's profile, -1..1; None: there is none
    lean: Values | None = None

    @property
    def numbers(self) -> Numbers:
        """The papers that match, ascending."""
        return np.flatnonzero(self.totals)


class Ranking:
    """The papers of one run, indexed once and ranked for any number of subscribers.

    What an entry says for the papers is computed once, whoever asks; a subscriber then costs time for what the entries
    found, and a few nanoseconds for each paper that they did not.
    """

    def __init__(self, papers: Sequence[Paper], semantics: Semantics | None = None) -> None:
        """Index the papers.

        Args:
            papers: of the run.
            semantics: also finds papers that say the same in other words; None: only words count.
        """
        #: by key, so that equal scores are in the order of keys whatever the order of the batch
        self.papers: Sequence[Paper] = sorted(papers, key=lambda paper: paper.key)
        #: the papers' places in that order, by key
        self.numbers: Mapping[str, int] = {paper.key: number for number, paper in enumerate(self.papers)}
        self._meanings = Meanings(self.papers, semantics.encode) if semantics else None
        #: most papers of a digest that match no entry
        self.extra_papers = semantics.extra_papers if semantics else 0
        self._evidence = EvidenceIndex(self.papers, self._meanings)
        self._vectors: dict[str, Vector] = {}
        self._vector_memory = 0
        #: of each paper, the entries with a vector that match it
        self._matching: list[set[str]] = [set() for _ in self.papers]
        self._unwanted = functools.lru_cache(maxsize=_REMEMBERED_SETS)(self._find_unwanted)
        self._meant = functools.lru_cache(maxsize=_REMEMBERED_SETS)(self._find_meant)
        self._marked = functools.lru_cache(maxsize=_REMEMBERED)(self._mark)

    @functools.cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(self._evidence.text.terms(), len(self.papers))

    @functools.cached_property
    def _votes(self) -> Votes:
        count = len(self.papers)
        words = by_subjects_too(self._neighbours.of, Subjects(self.papers), count)
        return Votes(count, blended(words, self._meanings.neighbours, count) if self._meanings else words)

    def neighbours(self, number: int) -> tuple[Numbers, Values]:
        """The papers most like one, itself not among them, and how much (0 < likeness ≤ 1); the most like first."""
        return self._neighbours.of(number)

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
        """The same as `rank` in numbers, in their order; related papers then are among those that match."""
        (standing,) = self.standings([queries], related=related)
        return standing

    def standings(self, readers: Sequence[Sequence[Query]], *, related: bool = False) -> list[Standing]:
        """`standing` for several readers, by the entries of each, at a fraction of the time for each.

        Takes 50 bytes of memory for each reader and paper.
        """
        self._forget()
        found = [[(query, self._vector(query.entry)) for query in queries if not query.excludes] for queries in readers]
        excluded = [
            self._excluded(queries) if len(one) < len(queries) else None
            for queries, one in zip(readers, found, strict=True)
        ]
        said = [[vector for _, vector in one] for one in found]
        required = [[vector for query, vector in one if query.required] for one in found]
        wanted = [
            [vector for query, vector in one if not query.required] or vectors
            for one, vectors in zip(found, said, strict=True)
        ]
        matched = masks(wanted, len(self.papers))
        listed = np.ones_like(matched) if related or self.extra_papers else matched
        for row, (vectors, unwanted) in enumerate(zip(required, excluded, strict=True)):
            conditions = [self._mask([vector.matched]) for vector in vectors]
            if unwanted is not None:
                conditions.append(~unwanted)
            for condition in conditions:
                matched[row] &= condition
                listed[row] &= condition
        totals = self._totals(added_up(said, len(self.papers)), matched)
        nearest: list[AbstractSet[int]] = [frozenset()] * len(readers)
        if self.extra_papers and not related:
            nearest = [self._nearest(*row) for row in zip(found, matched, listed, totals, strict=True)]
            listed = matched
            for row, extra in enumerate(nearest):
                listed[row, [*extra]] = True
        totals *= listed
        return [
            Standing(sums, unwanted, one, extra)
            for sums, unwanted, one, extra in zip(totals, excluded, found, nearest, strict=True)
        ]

    def _nearest(
        self, found: Sequence[tuple[Query, Vector]], matched: Mask, allowed: Mask, totals: Values
    ) -> AbstractSet[int]:
        """The best of the papers that match no entry and yet are meant by one, half as good as the best of all."""
        meant = mask([self._meant(query.entry) for query, _ in found], len(self.papers))
        numbers = np.flatnonzero(meant & allowed & ~matched)
        if not len(numbers):
            return frozenset()
        scores = score(totals[numbers])
        numbers = numbers[scores >= _RELATED_FROM * score(totals[allowed].max())]
        return frozenset(numbers[greatest(totals[numbers], _MOST_RELATED)].tolist())

    def _find_meant(self, entry: str) -> Numbers:
        return np.array([*self._evidence.meant(parse(entry).node)], np.intp)

    def hits(self, standing: Standing, numbers: Iterable[int]) -> list[frozenset[str]]:
        """The entries that match each of some papers."""
        entries = frozenset([query.entry for query, _ in standing.found])
        for entry in entries:
            self._vector(entry)  # if it was forgotten meanwhile
        matching = self._matching
        return [entries & matching[number] for number in numbers]

    def matches(self, number: int, entries: AbstractSet[str]) -> tuple[Match, ...]:
        """What entries that match a paper have to say, whoever asks; what says most first."""
        marked = [self._marked(entry, number) for entry in entries]
        return tuple(sorted(marked, key=lambda match: (-match.score, match.keyword)))

    def matching(self, query: Query, conditions: Sequence[Query] = ()) -> tuple[Scored, ...]:
        """The papers that one entry matches, best first; of an excluding entry, those that it would leave out.

        Args:
            query: the entry.
            conditions: of a subscriber's other entries those that exclude or are required; they leave out more.
        """
        found = self.rank([replace(query, excludes=False, required=False), *conditions])
        if not query.excludes:
            return found
        # nothing that has its words in another order or form: see `EvidenceIndex.exactly`
        left_out = frozenset(self.exactly(query.entry).tolist())
        return tuple([one for one in found if self.numbers[one.paper.key] in left_out])

    def backers(self, standing: Standing, number: int) -> list[int]:
        """The papers, itself not among them, whose votes say something for one; those that say most first."""
        evidence = added_up([[said for _, said in standing.found]], len(self.papers))[0]
        matched = np.array([one for one in standing.numbers.tolist() if one not in standing.related], np.intp)
        voters = matched[greatest(evidence[matched], _VOTERS)]
        votes = self._votes.count(voters, evidence[voters], np.arange(len(voters)), len(voters))[:, number]
        order = greatest(votes, len(votes))
        return [voter for voter in voters[order[votes[order] > 0]].tolist() if voter != number]

    def count(self, entry: str) -> int:
        """How many papers an entry matches by its words; `matching` takes longer, since it puts them in order."""
        return len(self._vector(entry).matched)

    def exactly(self, entry: str) -> Numbers:
        """The papers that have the words of an entry as typed: those that excluding it leaves out."""
        return self._unwanted(entry)

    def terms(self) -> Iterator[tuple[str, int, float]]:
        """Stem, paper and weight of every occurrence of a word."""
        return self._evidence.text.terms()

    def near_misses(self, query: Query, n: int) -> tuple[Scored, ...]:
        """At most `n` papers that have more than half of the entry's words, but not as it asks for them; best first."""
        almost = sorted(self._evidence.almost(query.node).items())
        totals = np.zeros(len(self.papers))
        totals[[number for number, _ in almost]] = [value for _, value in almost]
        return self._scored(Standing(totals))[:n]

    def _mask(self, sets: Sequence[Numbers]) -> Mask:
        return mask(sets, len(self.papers))

    def _excluded(self, queries: Sequence[Query]) -> Mask:
        return self._mask([self._unwanted(query.entry) for query in queries if query.excludes])

    def _find_unwanted(self, entry: str) -> Numbers:
        return np.array([*self._evidence.exactly(parse(entry).node)], np.intp)

    def _totals(self, evidence: Values, matched: Mask) -> Values:
        """What speaks for each paper: the evidence, and what the best papers that match give to those like them.

        A row per reader.
        """
        matching = evidence * matched
        readers, voters = greatest_of_each(matching, _VOTERS)
        if not len(readers):
            return evidence
        best = matching.max(axis=1)
        votes = self._votes.count(voters, matching[readers, voters] / best[readers], readers, len(evidence))
        most = votes.max(axis=1)
        most[most == 0] = 1.0
        votes *= (_FEEDBACK / _VOTERS * np.bincount(readers, minlength=len(evidence)) * best / most)[:, np.newaxis]
        votes += evidence
        return votes

    def _vector(self, entry: str) -> Vector:
        known = self._vectors.get(entry)
        if known is None:
            known = self._vectors[entry] = vector(self._evidence.of(parse(entry).node))
            matched: list[int] = known.matched.tolist()
            for number in matched:
                self._matching[number].add(entry)
            self._vector_memory += known.size + _MATCHING_MEMORY * len(matched)
        return known

    def _forget(self) -> None:
        """Begin anew if there are too many vectors; between readers, as those of each must all be known."""
        if self._vector_memory > _VECTOR_MEMORY:
            self._vectors, self._vector_memory = {}, 0
            for entries in self._matching:
                entries.clear()

    def _scored(self, standing: Standing) -> tuple[Scored, ...]:
        """The papers that match, best first."""

        def explain(scored: Scored) -> tuple[Match, ...]:
            number = self.numbers[scored.paper.key]
            return self.matches(number, *self.hits(standing, [number]))

        numbers = standing.numbers
        numbers = numbers[greatest(exact(standing.totals[numbers]), len(numbers))]
        scores = zip(numbers.tolist(), score(standing.totals[numbers]).tolist(), strict=True)
        return tuple([Scored(self.papers[number], value, explain) for number, value in scores])

    def _mark(self, entry: str, number: int) -> Match:
        places = self._evidence.places(parse(entry).node, number)
        return Match(
            entry,
            tuple(dict.fromkeys(place for place, _ in places)),
            tuple(dict.fromkeys(text for _, text in places)),
            self._vector(entry).value(number),
        )
