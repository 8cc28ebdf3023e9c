"""Papers that a reader wants → what that says for the papers like them. Pure.

Some papers are a little like everything: surveys, and whatever is written in the commonest words. They would gather
votes on any subject, so a vote counts the less the more a paper would get if all papers voted (what is called a hub,
Radovanović et al. 2010, https://jmlr.org/papers/v11/radovanovic10a.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digest.curate.neighbours import MOST_NEIGHBOURS

if TYPE_CHECKING:
    from digest.curate.neighbours import NeighboursOf
    from digest.curate.vector import Numbers, Values

# Settled as told in `rank`.
#: how much like itself a voter is, so that votes among the best count
_SELF = 0.1
#: a paper that all papers together would give twice the usual votes gets 2^-0.75 of each
_FAIRNESS = 0.75
#: with less than this share of the usual votes, nothing more is gained
_UNPOPULAR = 0.05


class Votes:
    """Each paper's ballot: the papers most like it, and how much, fairly shared."""

    def __init__(self, papers: int, neighbours: NeighboursOf) -> None:
        """Every paper fills in its ballot.

        Args:
            papers: how many there are.
            neighbours: gives those of each paper.
        """
        self._papers = papers
        # 1.6 kB a paper. A ballot's first place is the voter's own; likeness 0 where it has no more neighbours
        self._for = np.zeros((papers, MOST_NEIGHBOURS + 1), np.intp)
        self._likeness = np.zeros((papers, MOST_NEIGHBOURS + 1), np.float64)
        for voter in range(papers):
            others, likeness = neighbours(voter)
            self._for[voter, 1 : len(others) + 1] = others
            self._likeness[voter, 1 : len(others) + 1] = likeness
        everyone = np.arange(papers)
        self._likeness *= _worth(self.count(everyone, np.ones(papers), np.zeros(papers, np.intp), 1)[0])[self._for]
        self._for[:, 0], self._likeness[:, 0] = everyone, _SELF

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
        # in place: of many readers these are the largest arrays of all
        given, cells = self._likeness[voters], self._for[voters]
        given *= weights[:, np.newaxis]
        cells += (readers * self._papers)[:, np.newaxis]
        votes = np.bincount(cells.ravel(), given.ravel(), count * self._papers)
        return votes.reshape(count, self._papers).astype(np.float64, copy=False)


def _worth(popularity: Values) -> Values:
    """What a vote for each paper counts, by what each would get from all papers."""
    usual = np.median(popularity) if len(popularity) else 0.0
    return np.maximum(popularity / usual, _UNPOPULAR) ** -_FAIRNESS if usual else np.ones_like(popularity)
