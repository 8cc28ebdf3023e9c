"""Papers → which of them are most like one of them. Pure."""

from __future__ import annotations

import functools
import itertools
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from digest.curate.index import stems
from digest.curate.semantic import Semantics
from digest.curate.subjects import Subjects, title_twice
from digest.curate.vector import Numbers, Values, greatest, rounded
from digest.curate.weights import Cells, Places, Table, Weights, join, occurring, rarity, unit_rows
from digest.curate.words import STOP_WORDS, words
from digest.model import Paper

# Settled with benchmarks/similar.py on 258 papers of twelve judged profiles, those of one profile counting as similar:
# nDCG@10 over all, and nDCG of the judged papers alone. 0.486 and 0.870 for scikit-learn's tf-idf of words, 0.513 and
# 0.879 for the cosines here, 0.586 and 0.897 with subjects, 0.607 and 0.899 with the nearest asked as well, 0.622 and
# 0.903 with what is like everything moved down; 0.641 and 0.907 with a small model's vectors. Seventeen other profiles
# moved alike, up to the last step; by profile, each left out where that was settled, it is 0.594 instead of 0.576.
# Nothing came of a list of words that all abstracts use, of lengths, of titles compared by themselves, of word vectors
# learned from the papers (PPMI), of more of the nearest, and of walks from neighbour to neighbour (manifold ranking).
#: what a pair of words counts, of what each of them would
_PAIR = 0.7
#: what the likeness of two papers' subjects counts, of that of their words …
_SUBJECT = 0.3
#: … from so many papers on: what fewer have in common is what makes them similar
_FEW = 100
#: … for so many papers that are most alike by their words: others seldom are among the best, and have to be read
_READ = 1000
#: what the likeness of two papers' word vectors counts, of that of their words
_MEANT = 0.4
#: a paper that is less like all others than this share of the usual counts as if it were so much like them
_UNCOMMON = 0.05
#: so many of the most similar papers are asked as well, each as much as it is similar (Rocchio 1971) …
_ASKED = 3
#: … and together count so much of what the paper itself does
_EXPANSION = 0.5
#: what an author in common adds, and all categories in common: it decides between papers of about equal text
_AUTHOR_SHARED = 0.03
_CATEGORIES_SHARED = 0.02
#: similarities are told apart in such steps; finer differences are the error of sums
_STEP = 1e-6


class SimilarIndex:
    """Which papers are most like a paper: words and pairs of words, what its nearest have in common, then names.

    A paper is a vector of length 1 over stems and over pairs of stems that stand next to each other when small words
    are left out (`mixture of experts`), weighed as `weights` tells. The likeness of two papers is the cosine of their
    vectors, blended with that of their `Subjects`. A paper that is much like all papers counts less, as in `votes`.
    """

    def __init__(self, papers: Sequence[Paper], semantics: Semantics | None = None) -> None:
        """Index the papers.

        Args:
            papers: in the order by which equal ones are told.
            semantics: also finds papers that say the same in other words; None: only words count.
        """
        self.papers = papers
        typed, stem_of, cells = _occurrences(papers)
        table = occurring(cells, len(papers))
        # each array is of all papers: 40 MB of 20,000
        del cells
        spread = table.spread
        counted = rarity(spread, len(papers))
        singles, pairs = counted[: len(typed)], counted[len(typed) :]
        self._meant = _meanings(table.scaled(singles), typed, stem_of, semantics) if semantics and typed else None
        pairs *= _PAIR
        table = table.scaled(counted)
        table = table.unit()
        # what only one paper has makes it longer, and like no other
        self._table = table.scaled((spread > 1).astype(np.float32))
        del table
        self._subjects = Subjects(papers) if len(papers) >= _FEW else None
        if self._subjects is not None:
            self._shared_words = self._table.mean_product()
            self._known_commonness = np.full(len(papers), np.nan)
            self._usual = float(np.median(self._commonness(self._subjects, self._subjects.learned))) or 1.0

    def like(self, number: int, n: int) -> list[tuple[int, float]]:
        """The `n` papers most like one of them, itself not among them, and how much (0 < similarity ≤ 1), best first.

        Equal ones are in the order of the papers; those with nothing in common are left out.
        """
        similarity = self.similarity(number)
        similarity[number] = 0.0
        best = greatest(similarity, n)
        return [(other, value) for other, value in zip(best.tolist(), similarity[best].tolist(), strict=True) if value]

    def similarity(self, number: int) -> Values:
        """How similar all papers are to one of them, from 0 to 1; what the one is to itself says nothing."""
        words = self._cosines(number)
        near = greatest(words, _READ)
        own = self._alike(number, words, near)
        own[number] = 0.0
        asked = greatest(own, _ASKED)
        asked = asked[own[asked] > 0]
        similarity = own
        if len(asked):
            weights = own[asked] / own[asked].sum()
            common = sum(
                weight * self._alike(other, self._cosines(other), near)
                for other, weight in zip(asked.tolist(), weights, strict=True)
            )
            similarity = (own + _EXPANSION * common) / (1.0 + _EXPANSION)
        # names alone make nothing similar
        shared = np.where(similarity > 0, self._names_shared(number), 0.0)
        return rounded(similarity + (1.0 - similarity) * shared, _STEP)

    def _cosines(self, number: int) -> Values:
        """How alike the words of all papers are to those of one, from 0 to 1."""
        return np.minimum(self._table.product(number), 1.0)

    def _alike(self, number: int, words: Values, near: Numbers) -> Values:
        """How alike all papers are to one, from 0 to 1: by words, some by subjects, and by what is meant."""
        alike, whole = words.copy(), 1.0
        if self._subjects is not None:
            alike[near] += _SUBJECT * np.clip(self._subjects.likeness(number, near), 0.0, 1.0)
            whole += _SUBJECT
        if self._meant is not None:
            alike += _MEANT * np.clip(self._meant @ self._meant[number], 0.0, 1.0)
            whole += _MEANT
        alike /= whole
        if self._subjects is not None:
            # of the odds that they are alike, the share that is not due to the other's being like everything
            hub = np.maximum(self._commonness(self._subjects, near) / self._usual, _UNCOMMON)
            alike[near] /= alike[near] + (1.0 - alike[near]) * hub
        return np.asarray(alike, np.float64)

    def _commonness(self, subjects: Subjects, numbers: Numbers) -> Values:
        """How alike each of some papers is to all on average."""
        new = numbers[np.isnan(self._known_commonness[numbers])]
        if len(new):
            common, whole = self._shared_words[new] + _SUBJECT * subjects.commonness(new), 1.0 + _SUBJECT
            if self._meant is not None:
                common += _MEANT * np.clip(self._meant[new] @ self._meant[subjects.learned].T, 0.0, 1.0).mean(axis=1)
                whole += _MEANT
            self._known_commonness[new] = common / whole
        return self._known_commonness[numbers]

    def _names_shared(self, number: int) -> Values:
        """What authors and categories add."""
        paper, added = self.papers[number], np.zeros(len(self.papers))
        for author in set(map(_name, paper.authors)):
            added[self._authors.get(author, [])] = _AUTHOR_SHARED
        for category in set(paper.categories):
            for other in self._categories[category]:
                added[other] += _CATEGORIES_SHARED / len({*paper.categories, *self.papers[other].categories})
        return added

    @functools.cached_property
    def _authors(self) -> Mapping[str, Sequence[int]]:
        found = defaultdict(list)
        for number, paper in enumerate(self.papers):
            for author in set(map(_name, paper.authors)):
                found[author].append(number)
        return found

    @functools.cached_property
    def _categories(self) -> Mapping[str, Sequence[int]]:
        found = defaultdict(list)
        for number, paper in enumerate(self.papers):
            for category in set(paper.categories):
                found[category].append(number)
        return found


def _name(author: str) -> str:
    return " ".join(words(author))


def _occurrences(papers: Sequence[Paper]) -> tuple[Sequence[str], Places, Cells]:
    """All words but small ones, the stem of each, and a cell for every occurrence of a stem and of a pair of stems.

    The numbers of pairs follow those of stems.
    """
    known: defaultdict[str, int] = defaultdict(itertools.count().__next__)
    stream, lengths = array("i"), []
    # small words are left out; after each text stands what is no word, so that no pair reaches over
    between, small = -1, -2
    known.update(dict.fromkeys(STOP_WORDS, small))
    for paper in papers:
        before = len(stream)
        for text in title_twice(paper):
            stream.extend(map(known.__getitem__, words(text)))
            stream.append(between)
        lengths.append(len(stream) - before)
    typed = [word for word, number in known.items() if number != small]
    # a stem has the number of the first word that has it
    first: dict[str, int] = {}
    stem_of = np.array([first.setdefault(stem, number) for number, stem in enumerate(stems(typed))], np.int32)
    terms = np.frombuffer(stream, np.intc)
    weighty = terms != small
    numbers = np.repeat(np.arange(len(papers), dtype=np.int32), lengths)[weighty]
    terms = np.append(stem_of, np.int32(between))[terms[weighty]]
    del stream, weighty
    singles = terms != between
    holders, kinds = _pairs(numbers, terms, len(typed).bit_length())
    cells = join(np.append(numbers[singles], holders), np.append(terms[singles], kinds + np.int32(len(typed))))
    return typed, stem_of, cells


def _pairs(numbers: Places, terms: Places, width: int) -> tuple[Places, Places]:
    """Papers and kinds of the pairs that occur more than once, of terms that stand next to each other.

    Args:
        numbers: the paper of each term.
        terms: in their order; below 0 where no pair may be.
        width: bits that a term has.
    """
    paired = np.flatnonzero((terms[:-1] >= 0) & (terms[1:] >= 0))
    # sorted by pair, then by paper: in 63 bits there is room for two million words in two million papers
    pairs = terms[paired].astype(np.int64)
    pairs <<= width
    pairs |= terms[paired + 1]
    pairs <<= 63 - 2 * width
    pairs |= numbers[paired]
    pairs.sort()
    changes = np.diff(pairs >> (63 - 2 * width), prepend=-1) != 0
    # most occur once, and are like nothing
    again = ~(changes & np.append(changes[1:], True))
    kinds = np.cumsum(changes, dtype=np.int32)[again]
    return (pairs[again] & (1 << (63 - 2 * width)) - 1).astype(np.int32), kinds


def _meanings(table: Table, typed: Sequence[str], stem_of: Places, semantics: Semantics) -> Weights:
    """A vector of length 1 for each paper: the sum of its words' as much as they are weighed, without the usual.

    Of enough papers, without their mean and the direction in which they differ most, which says more of how they are
    written than what of (Arora et al. 2017, https://openreview.net/forum?id=SyK00v5xx).
    """
    vectors = unit_rows(np.asarray(semantics.encode(typed), np.float32))
    of_stems = np.zeros_like(vectors)
    np.add.at(of_stems, stem_of, vectors)
    rows = unit_rows(table.times(unit_rows(of_stems)))
    if table.papers < _FEW:
        return rows
    rows -= rows.mean(axis=0)
    usual = np.linalg.eigh(rows.T @ rows)[1][:, -1]
    return unit_rows(rows - np.outer(rows @ usual, usual))
