"""What one keyword says for the papers of a run, as arrays, and what arrays of papers come to. Pure.

Papers are numbers: places in the run's order. A vector names only the papers that the keyword says something for, so
that readers cost time for what their keywords find and not for what they pass over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from digest.curate.evidence import Evidence

Numbers: TypeAlias = "npt.NDArray[np.intp]"
Values: TypeAlias = "npt.NDArray[np.float64]"
Mask: TypeAlias = "npt.NDArray[np.bool_]"

#: values are multiples of this: below 2^13 their sums are exact, and so the same in whatever order keywords are typed
_UNIT = 2.0**-40
#: evidence of one keyword beyond this counts no more: weights of weights
_MOST = 2.0**10
#: so much evidence is a score of 1 - 1/e; the best papers of a day have 3 to 7, and scores still tell them apart
_SCORED_WHOLE = 2.0
#: evidence beyond this (weights!) no longer shows in a score, which stays below 1
_MOST_SCORED = 60.0
#: totals are told apart in so many steps per whole; finer differences are the error of their sums. A step of 1e-9 would
#: give other last digits
_STEPS = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """One keyword's evidence."""

    #: papers, each once; first those that match
    numbers: Numbers
    #: for each of them, above 0
    values: Values
    #: those that match: the first of them
    matched: Numbers

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        return 500 + 16 * len(self.numbers)

    def value(self, number: int) -> float:
        """What the keyword says for one paper."""
        return float(self.values[self.numbers == number].sum())


def vector(evidence: Evidence) -> Vector:
    """The same evidence, compact, and in units whose sums are exact."""
    numbers = [*evidence.matched, *(evidence.values.keys() - evidence.matched)]
    # a paper that matches has at least one unit
    values = [max(1, round(min(evidence.values[number], _MOST) / _UNIT)) * _UNIT for number in numbers]
    places = np.array(numbers, np.intp)
    return Vector(places, np.array(values, np.float64), places[: len(evidence.matched)])


def added_up(readers: Sequence[Sequence[Vector]], papers: int) -> Values:
    """What each reader's vectors say for each of so many papers, together: a row per reader."""
    table = np.zeros((len(readers), papers))
    for row, vectors in zip(table, readers, strict=True):
        for one in vectors:
            row[one.numbers] += one.values
    return table


def masks(readers: Sequence[Sequence[Vector]], papers: int) -> Mask:
    """Of so many papers, those that match any of each reader's vectors: a row per reader."""
    table = np.zeros((len(readers), papers), np.bool_)
    for row, vectors in zip(table, readers, strict=True):
        for one in vectors:
            row[one.matched] = True
    return table


def mask(sets: Sequence[Numbers], papers: int) -> Mask:
    """Of so many papers, those in any of the sets."""
    found = np.zeros(papers, np.bool_)
    if sets:
        found[np.concatenate(sets)] = True
    return found


def greatest(values: Values, count: int) -> Numbers:
    """The places of at most `count` values, the greatest first; equal ones in their own order.

    >>> greatest(np.array([1.0, 3.0, 2.0, 3.0]), 3).tolist()
    [1, 3, 2]
    """
    if 0 < count < len(values):
        # many times as fast as giving each its place
        least = np.partition(values, len(values) - count)[len(values) - count]
        places = np.flatnonzero(values >= least)
        return places[np.argsort(-values[places], kind="stable")[:count]]
    return np.argsort(-values, kind="stable")[:count]


def greatest_of_each(table: Values, count: int) -> tuple[Numbers, Numbers]:
    """What `greatest` gives for each row of a table, of values above 0 only.

    Returns:
        rows, in order, and columns.

    >>> rows, columns = greatest_of_each(np.array([[1.0, 3.0, 2.0], [0.0, 0.0, 0.0], [0.0, 5.0, 5.0]]), 2)
    >>> rows.tolist(), columns.tolist()
    ([0, 0, 2, 2], [1, 2, 1, 2])
    """
    rows, columns = places(table, least_of_greatest(table, count))
    order = np.lexsort((-table[rows, columns], rows))
    rows, columns = rows[order], columns[order]
    # those that are as great as the last one may be too many
    kept = np.arange(len(rows)) - np.searchsorted(rows, rows) < count
    return rows[kept], columns[kept]


def least_of_greatest(table: Values, count: int) -> Values:
    """Of each row the least of its `count` greatest values, of which none is below 0."""
    rows, columns = table.shape
    if not 0 < count < columns:
        return np.zeros(rows)
    # many times as fast as giving each value its place
    found: Values = np.partition(table, columns - count, axis=1)[:, columns - count]
    return found


def places(table: Values, least: Values) -> tuple[Numbers, Numbers]:
    """Rows and columns of the values that are above 0, and not below the `least` of their row; in order."""
    found = np.flatnonzero(table >= np.maximum(least, np.finfo(np.float64).tiny)[:, np.newaxis])
    rows = found // max(table.shape[1], 1)
    return rows, found - rows * table.shape[1]


def rounded(values: Values, step: float) -> Values:
    """For each value the nearest multiple of a step.

    >>> rounded(np.array([0.1, 0.3]), 0.25).tolist()
    [0.0, 0.25]
    """
    return np.rint(values / step) * step


def exact(totals: Values) -> Values:
    """Totals without the error of their sums, so that equal papers are equal."""
    return np.rint(totals * _STEPS) / _STEPS


def score(totals: Values) -> Values:
    """What totals come to on the scale from 0 to 1: 0 only after a weight next to nothing, and never 1."""
    return 1.0 - np.exp(-np.minimum(exact(totals), _MOST_SCORED) / _SCORED_WHOLE)


def total(scores: Values) -> Values:
    """The totals that come to these scores, each below 1: what `score` undoes."""
    return -_SCORED_WHOLE * np.log1p(-scores)
