"""Which papers have which terms how often → what each term says of each paper. Pure.

Papers and terms are numbers from 0. Tables are sparse, their numbers short: 20,000 papers have three million entries.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from digest.curate.vector import Values

#: numbers of papers or of terms, below 2^31
Places: TypeAlias = "npt.NDArray[np.int32]"
Weights: TypeAlias = "npt.NDArray[np.float32]"
#: paper · 2^32 + term
Cells: TypeAlias = "npt.NDArray[np.int64]"

# Settled as told in `similar`
#: occurrences count this power of their number: more than its logarithm, less than the number
_POWER = 0.8
#: a term counts as if so many further papers without it were there: of forty papers of one subject, the subject's words
#: would count next to nothing otherwise
_BACKGROUND = 500
#: papers whose entries are multiplied at once: 20 MB for vectors of 256 numbers
_TOGETHER = 200
#: columns written out at once: 8 MB of 1,000 papers
_COLUMNS = 2000


class Table:
    """A row of weights for each paper."""

    def __init__(self, numbers: Places, terms: Places, weights: Weights, papers: int) -> None:
        """Take the entries, at most one of each paper and term.

        Args:
            numbers: the paper of each entry, ascending.
            terms: its term.
            weights: how much it says.
            papers: how many there are.
        """
        self.numbers, self.terms, self.weights, self.papers = numbers, terms, weights, papers

    @functools.cached_property
    def spread(self) -> npt.NDArray[np.intp]:
        """How many papers have each term."""
        return np.bincount(self.terms)

    @functools.cached_property
    def _starts(self) -> npt.NDArray[np.intp]:
        return np.searchsorted(self.numbers, np.arange(self.papers + 1))

    def scaled(self, factors: Weights) -> Table:
        """The same times a factor for each term; entries of terms with factor 0, or without one, are left out."""
        factors = np.pad(factors, (0, max(0, len(self.spread) - len(factors))))[self.terms]
        kept = factors != 0
        return Table(self.numbers[kept], self.terms[kept], self.weights[kept] * factors[kept], self.papers)

    def unit(self) -> Table:
        """Each row at length 1; empty ones stay."""
        squares = self._sums(self.weights * self.weights)
        lengths = np.asarray(np.sqrt(np.where(squares > 0, squares, 1.0)), np.float32)
        return Table(self.numbers, self.terms, self.weights / lengths[self.numbers], self.papers)

    def product(self, number: int) -> Values:
        """For each paper its row times that of one: with unit rows, their cosine."""
        one = slice(self._starts[number], self._starts[number + 1])
        asked = np.zeros(len(self.spread), np.float32)
        asked[self.terms[one]] = self.weights[one]
        return self._sums(asked[self.terms] * self.weights).astype(np.float64)

    def products(self) -> Weights:
        """For each two papers the product of their rows: with unit rows, their cosine."""
        sums = np.zeros((self.papers, self.papers), np.float32)
        for _, some in self._dense():
            sums += some @ some.T
        return sums

    def mean(self) -> Weights:
        """Of each term, over all papers."""
        return np.asarray(np.bincount(self.terms, self.weights, len(self.spread)) / max(1, self.papers), np.float32)

    def mean_product(self) -> Values:
        """For each paper the mean of its products with all of them."""
        return self._sums(self.mean()[self.terms] * self.weights).astype(np.float64)

    def sums_by_term(self, vectors: Weights) -> Weights:
        """For each term the sum of the papers' vectors, each times what the term says of it: terms · their length."""
        sums = np.zeros((len(self.spread), vectors.shape[1]), np.float32)
        for terms, some in self._dense():
            sums[terms] = some.T @ vectors
        return sums

    def _dense(self) -> Iterator[tuple[slice, Weights]]:
        """The columns of some terms, then those of others: all would be 80 MB of 1,000 papers."""
        order = np.argsort(self.terms, kind="stable")
        for first in range(0, len(self.spread), _COLUMNS):
            last = min(first + _COLUMNS, len(self.spread))
            entries = order[slice(*np.searchsorted(self.terms, (first, last), sorter=order))]
            some = np.zeros((self.papers, last - first), np.float32)
            some[self.numbers[entries], self.terms[entries] - first] = self.weights[entries]
            yield slice(first, last), some

    def times(self, vectors: Weights) -> Weights:
        """Each row times vectors of the terms: papers · length of a vector."""
        sums = np.zeros((self.papers, vectors.shape[1]), np.float32)
        for first in range(0, self.papers, _TOGETHER):
            starts = self._starts[first : first + _TOGETHER + 1]
            entries = slice(starts[0], starts[-1])
            weighed = vectors[self.terms[entries]] * self.weights[entries, None]
            sums[first : first + _TOGETHER] = _sums(weighed, starts - starts[0])
        return sums

    def _sums(self, values: Weights) -> Weights:
        """Of each paper's entries."""
        return _sums(values, self._starts)


def occurring(cells: Cells, papers: int) -> Table:
    """What occurrences count: their number^0.8.

    Args:
        cells: one for each occurrence, in any order; they are put in order.
        papers: how many there are.
    """
    # as numpy.unique does, with a third of the memory
    cells.sort()
    places = np.flatnonzero(np.diff(cells, prepend=-1))
    occurrences = np.diff(places, append=len(cells)).astype(np.float32)
    cells = cells[places]
    numbers, terms = (cells >> 32).astype(np.int32), (cells & 0xFFFFFFFF).astype(np.int32)
    return Table(numbers, terms, occurrences ** np.float32(_POWER), papers)


def rarity(spread: npt.NDArray[np.intp], papers: int) -> Weights:
    """What one occurrence says of terms that so many papers of all have: ln((papers + 500) / (spread + 0.5))."""
    return np.asarray(np.log((papers + _BACKGROUND) / (spread + 0.5)), np.float32)


def join(numbers: npt.NDArray[Any], terms: npt.NDArray[Any]) -> Cells:
    """Cells of papers and terms."""
    return np.asarray(numbers.astype(np.int64) << 32 | terms, np.int64)


def unit_rows(rows: Weights) -> Weights:
    """Each row at length 1; zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), np.float32)


def _sums(values: Weights, starts: npt.NDArray[np.intp]) -> Weights:
    """Of the values from each start to the next, or of as many rows."""
    sums = np.zeros((len(starts) - 1, *values.shape[1:]), np.float32)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        sums[filled] = np.add.reduceat(values, starts[filled], axis=0)
    return sums
