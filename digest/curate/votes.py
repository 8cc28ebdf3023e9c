"""Papers that a reader wants → what that says for the papers like them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digest.curate.similar import MOST_NEIGHBOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from digest.curate.vector import Numbers, Values

#: how much like itself a voter is, so that votes among the best count. Settled as told in `rank`
_SELF = 0.15


class Votes:
    """Each paper's ballot: the papers most like it, and how much. Filled in when it first votes."""

    def __init__(self, papers: int, neighbours: Callable[[int], Mapping[int, float]]) -> None:
        """No ballot is filled in yet.

        Args:
            papers: how many there are.
            neighbours: at most `MOST_NEIGHBOURS` others that are like a paper, and how much (0 < likeness ≤ 1).
        """
        self._papers, self._neighbours = papers, neighbours
        # 1.6 kB a paper. A ballot's first place is the voter's own; likeness 0 where it has no more neighbours
        self._for = np.zeros((papers, MOST_NEIGHBOURS + 1), np.intp)
        self._likeness = np.zeros((papers, MOST_NEIGHBOURS + 1), np.float64)
        self._filled = np.zeros(papers, np.bool_)

    def count(self, voters: Numbers, weights: Values, readers: Numbers, count: int) -> Values:
        """For each of `count` readers and each paper its likeness to the reader's voters, as often as each weighs.

        Args:
            voters: of all readers.
            weights: how much each of them counts.
            readers: whose each of them is, from 0.
            count: how many readers there are.

        Returns:
            a row per reader.
        """
        for voter in np.unique(voters[~self._filled[voters]]).tolist():
            self._fill(voter)
        given = self._likeness[voters] * weights[:, np.newaxis]
        cells = self._for[voters] + (readers * self._papers)[:, np.newaxis]
        votes = np.bincount(cells.ravel(), given.ravel(), count * self._papers)
        return votes.reshape(count, self._papers).astype(np.float64, copy=False)

    def _fill(self, voter: int) -> None:
        ballot = {voter: _SELF, **self._neighbours(voter)}
        self._for[voter, : len(ballot)] = list(ballot.keys())
        self._likeness[voter, : len(ballot)] = list(ballot.values())
        self._filled[voter] = True
