"""Which papers have which terms, and how much of each: looked up both ways, by paper and by term. Pure.

Papers and terms are numbers from 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from digest.curate.vector import Numbers, Values


class Postings:
    """A sparse table with a row for each paper."""

    def __init__(self, numbers: Numbers, terms: Numbers, values: Values, papers: int) -> None:
        """Lay out its entries, at most one of each paper and term.

        Args:
            numbers: the paper of each entry, ascending.
            terms: its term.
            values: how much of the term the paper has.
            papers: how many there are.
        """
        self._papers = papers
        self._terms, self._values = terms, values
        self._starts = np.searchsorted(numbers, np.arange(papers + 1))
        # the same by terms
        order = np.argsort(terms, kind="stable")
        self._having, self._having_values = numbers[order], values[order]
        self._having_starts = np.searchsorted(terms[order], np.arange(int(terms.max(initial=-1)) + 2))

    @property
    def lengths(self) -> Numbers:
        """How many terms each paper has."""
        return np.diff(self._starts)

    def row(self, number: int) -> tuple[Numbers, Values]:
        """The terms of a paper and their values, in the order given."""
        entries = slice(self._starts[number], self._starts[number + 1])
        return self._terms[entries], self._values[entries]

    def product(self, terms: Numbers, values: Values) -> Values:
        """For each paper its values of these terms times the values given, added up."""
        starts = self._having_starts[terms]
        lengths = self._having_starts[terms + 1] - starts
        # places of all entries of these terms, one after the other
        places = np.arange(lengths.sum()) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        products = np.repeat(values, lengths) * self._having_values[places]
        return np.bincount(self._having[places], products, self._papers).astype(np.float64, copy=False)
