"""What a source counted, moment by moment → how a count went in between, and how rare a number of it is. Pure.

Moments are whole seconds since 1970 (UTC), so that nothing happens at midnight, and so that differences are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from digest.curate.vector import Numbers, Values

DAY_S = 86_400.0
#: gains are compared in millionths: what interpolation rounds is no difference
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Course:
    """One count of one source, of many papers: three columns, ascending by paper, then by moment; no moment twice."""

    #: numbers of papers
    papers: Numbers
    moments: Values
    counts: Values

    def latest(self) -> Numbers:
        """The row of each paper's last count."""
        return np.flatnonzero(np.append(self.papers[1:] != self.papers[:-1], True))

    def between(self, papers: Numbers, moments: Values) -> Values:
        """What the counts of these papers were at these moments.

        Between two counts it is taken to have grown evenly, after the last one to be as it was, before the first one
        to have been the first. All the papers have been counted.
        """
        first, last = self._rows(papers)
        moments = np.clip(moments, self.moments[first], self.moments[last])
        counts: Values = np.interp(self._places(papers, moments), self._places(self.papers, self.moments), self.counts)
        return counts

    def said(self, papers: Numbers, moments: Values) -> Values:
        """The last counts of these papers until these moments; NaN where there was none yet."""
        first, last = self._rows(papers)
        until = np.clip(moments, self.moments[first] - 1, self.moments[last])
        rows = np.searchsorted(self._places(self.papers, self.moments), self._places(papers, until), "right") - 1
        counts: Values = np.where(rows >= first, self.counts[np.maximum(rows, 0)], np.nan)
        return counts

    def gains(self, since: Values, *, days: int) -> Values:
        """What each count had gained in so many times 24 hours before; at least 0.

        Args:
            since: for each paper of the course, in their order, a moment at which it had nothing; NaN: what it had at
                first is no gain.
            days: at least 1.
        """
        starts = np.unique(self.papers, return_index=True)[1]
        known = ~np.isnan(since) & (since < self.moments[starts])
        starts = starts[known]
        whole = Course(
            np.insert(self.papers, starts, self.papers[starts]),
            np.insert(self.moments, starts, since[known]),
            np.insert(self.counts, starts, 0.0),
        )
        gained = self.counts - whole.between(self.papers, self.moments - days * DAY_S)
        return np.maximum(gained.round(_DIGITS), 0.0)

    def _rows(self, papers: Numbers) -> tuple[Numbers, Numbers]:
        """First and last row of each."""
        return np.searchsorted(self.papers, papers, "left"), np.searchsorted(self.papers, papers, "right") - 1

    def _places(self, papers: Numbers, moments: Values) -> Values:
        """All papers' moments one after the other on one axis."""
        start, end = float(self.moments.min()) - 1, float(self.moments.max())
        places: Values = papers * (end - start + 1) + (moments - start)
        return places


def course(papers: Values, moments: Values, counts: Values) -> Course:
    """A course from rows in any order; NaN is no count. Of several at one moment the highest counts."""
    order = np.lexsort((counts, moments, papers))
    order = order[~np.isnan(counts[order])]
    papers, moments, counts = papers[order], moments[order], counts[order]
    highest = np.append((papers[1:] != papers[:-1]) | (moments[1:] != moments[:-1]), True)[: len(order)]
    return Course(papers[highest].astype(np.intp), moments[highest], counts[highest])


def rarity(numbers: Values, among: Values) -> Values:
    """How few of some numbers reach these, in bits: a number at b bits is reached by one in 2^b. At least 0.

    One more number, lower than all, is thought of: so the lowest is above nothing, and few numbers make a short
    scale. None of n is worth more than log2(n + 1) bits.
    """
    ordered = np.sort(among)
    reached = np.maximum(1, len(ordered) - np.searchsorted(ordered, numbers, "left"))
    bits: Values = np.log2((len(ordered) + 1) / reached)
    return bits
