"""Papers → which of them are nearly the same paper. Pure."""

from __future__ import annotations

import functools
import itertools
from array import array
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from digest.curate.postings import Postings
from digest.curate.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from digest.model import Paper

#: papers that share so much of the words that either has are copies; of 157,000 pairs of papers of one field, the two
#: most alike shared 0.31
NEAR_COPY = 0.5


class Copies:
    """Which papers of a batch are nearly copies of which, found once for each paper asked about.

    Copies share most of the words of titles and abstracts (Jaccard coefficient). Without two abstracts, the titles have
    to be of the same words: surveys of this and of that share most of a title.
    """

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._papers = papers
        self._known: dict[int, frozenset[int]] = {}

    def of(self, number: int) -> frozenset[int]:
        """The papers that are near copies of this one, itself not among them."""
        found = self._known.get(number)
        if found is None:
            found = self._known[number] = frozenset(self._find(number))
        return found

    def _find(self, number: int) -> Iterator[int]:
        """Of the papers of the same title, and of those with enough of the paper's words, the copies.

        A copy shares at least half of the paper's words: where m of n are not looked at, n/2 - m of the others. So the
        commonest are looked at only if there may be one.
        """
        own, ones = self._having.row(number)
        unseen = 2 * len(own) // 5
        shared = self._having.product(own[unseen:], ones[unseen:])
        alike = np.flatnonzero(shared >= max(1, (len(own) + 1) // 2 - unseen))
        titled = self._titled[_title(self._papers[number])]
        candidates = sorted({*alike.tolist(), *titled} - {number})
        if not candidates:
            return
        shared += self._having.product(own[:unseen], ones[:unseen])
        overlap = shared / np.maximum(len(own) + self._having.lengths - shared, 1.0)
        for other in candidates:
            both = self._papers[number].abstract and self._papers[other].abstract
            if overlap[other] >= NEAR_COPY if both else other in titled:
                yield other

    @functools.cached_property
    def _titled(self) -> Mapping[str, Sequence[int]]:
        titled = defaultdict(list)
        for number, paper in enumerate(self._papers):
            titled[_title(paper)].append(number)
        return titled

    @functools.cached_property
    def _having(self) -> Postings:
        """Each paper's words, the commonest first."""
        known = defaultdict[str, int](itertools.count().__next__)
        rows = [array("i", map(known.__getitem__, _vocabulary(paper))) for paper in self._papers]
        numbers = np.repeat(np.arange(len(rows)), list(map(len, rows)))
        terms = np.fromiter(itertools.chain.from_iterable(rows), np.intp, len(numbers))
        order = np.lexsort((terms, -np.bincount(terms, minlength=1)[terms], numbers))
        return Postings(numbers, terms[order], np.ones(len(numbers)), len(rows))


def _vocabulary(paper: Paper) -> frozenset[str]:
    return frozenset((*words(paper.title), *words(paper.abstract)))


def _title(paper: Paper) -> str:
    """The words of its title, in whatever order it has them."""
    return " ".join(sorted({*words(paper.title)}))
