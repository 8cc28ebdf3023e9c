"""Papers of a run → which keep company with which. Pure."""

from __future__ import annotations

from collections import defaultdict
from itertools import count as count_up
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from digest.curate.postings import Postings
from digest.curate.vector import greatest, rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from digest.curate.subjects import Subjects
    from digest.curate.vector import Numbers, Values

#: a paper's number → the papers most like it, and how much, as `nearest` gives them; itself not among them
NeighboursOf: TypeAlias = "Callable[[int], tuple[Numbers, Values]]"

#: a paper is known by this many of its words, the weightiest
MOST_WORDS = 40
#: a paper remembers this many others that are most like it
MOST_NEIGHBOURS = 100

#: what the likeness of two papers' subjects counts of that of their words; squared, so that the nearest count most.
#: Settled as told in `rank`, and on random days of 140 to 420 of these papers, where 0.2 to 0.5 do about equally well
#: (nDCG@10 0.858 on days of 280, and 0.840 without)
_SUBJECT = 0.25
#: likenesses of subjects are told apart in such steps: their last digits depend on the machine
_STEP = 1e-4

_OCCURRENCE = np.dtype([("stem", np.intp), ("paper", np.intp), ("weight", np.float64)])


class Neighbours:
    """Cosine similarity of tf-idf vectors above the usual: 0 is no more alike than two papers taken at random."""

    def __init__(self, terms: Iterable[tuple[str, int, float]], count: int) -> None:
        """Build the vectors.

        Args:
            terms: stem, paper (0 ≤ paper < count) and weight of every occurrence.
            count: how many papers there are.
        """
        self._count = count
        self._postings = Postings(*_vectors(terms, count), count)

    def of(self, number: int) -> tuple[Numbers, Values]:
        """The papers most like this one, as `NeighboursOf` tells; 0 < likeness ≤ 1."""
        likeness = self._postings.product(*self._postings.row(number))
        likeness[number] = 0.0
        likeness = np.minimum(likeness, 1.0) - likeness.sum() / self._count
        return nearest(likeness)


def nearest(likeness: Values) -> tuple[Numbers, Values]:
    """At most `MOST_NEIGHBOURS` papers that are most like one, and how much they are.

    Best first; equal ones in their own order. Those with a likeness of 0 or less are left out.
    """
    numbers = greatest(likeness, MOST_NEIGHBOURS)
    numbers = numbers[likeness[numbers] > 0]
    return numbers, likeness[numbers]


def by_subjects_too(words: NeighboursOf, subjects: Subjects, papers: int) -> NeighboursOf:
    """Neighbours by words, and by what the papers are about: they may say the same without one word in common."""
    rows = subjects.standing(np.arange(papers))

    def of(number: int) -> tuple[Numbers, Values]:
        about = np.maximum(rows @ rows[number], 0.0).astype(np.float64)
        likeness = _SUBJECT * rounded(about * about, _STEP)
        worded, by_words = words(number)
        likeness[worded] += by_words
        likeness[number] = 0.0
        return nearest(likeness)

    return of


def _vectors(terms: Iterable[tuple[str, int, float]], count: int) -> tuple[Numbers, Numbers, Values]:
    """Paper, stem and value of every part of the papers' vectors, by paper; a stem's number is its alphabetical place.

    A paper's greatest parts are kept, at length 1.
    """
    # read once: as a list of tuples, the occurrences in a thousand papers would take 25 MB
    seen_as = defaultdict[str, int](count_up().__next__)
    occurrences = np.fromiter(((seen_as[stem], paper, weight) for stem, paper, weight in terms), _OCCURRENCE)
    place_of = np.empty(len(seen_as), np.intp)
    place_of[[seen_as[stem] for stem in sorted(seen_as)]] = np.arange(len(seen_as))
    # a paper's occurrences of one stem are one cell
    cells = occurrences["paper"] * len(place_of) + place_of[occurrences["stem"]]
    weights = occurrences["weight"]
    cells, cell_of = np.unique(cells, return_inverse=True)
    papers, stems = np.divmod(cells, max(1, len(place_of)))
    spread = np.bincount(stems, minlength=len(place_of))[stems]
    values = (1 + np.log(np.bincount(cell_of, weights))) * np.log((count + 1) / (spread + 0.5))
    # what only one paper has makes it like no other
    order = np.lexsort((-values, papers))
    order = order[spread[order] > 1]
    papers, stems, values = papers[order], stems[order], values[order]
    kept = np.arange(len(papers)) - np.searchsorted(papers, papers) < MOST_WORDS
    papers, stems, values = papers[kept], stems[kept], values[kept]
    return papers, stems, values / np.sqrt(np.bincount(papers, values * values, count))[papers]
