"""Vectors of texts → what a keyword says for papers that put it in other words, and which papers are alike. Pure.

The model is handed in as a function. Static vectors put many texts near each other that have little to do with each
other, so only what is well above the usual counts, and less than a word that is really there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from digest.curate.neighbours import nearest

if TYPE_CHECKING:
    import numpy.typing as npt

    from digest.curate.neighbours import NeighboursOf
    from digest.curate.vector import Numbers, Values
    from digest.model import Paper

#: texts → a row each, of any length other than 0; a text without known words may be all zeros
Encode: TypeAlias = "Callable[[Sequence[str]], npt.NDArray[np.floating[Any]]]"
Rows: TypeAlias = "npt.NDArray[np.float64]"

# Settled as told in `rank`, with static vectors distilled from MiniLM-L6: half or double of any moves nDCG@10 by 0.01.
#: what one standard deviation of likeness to a keyword counts, above the first
_DEVIATION = 0.15
#: no standard deviation counts as greater: of 88 keywords they were 0.04 to 0.2, of a handful of papers they may be any
_WIDEST = 0.15
#: how much of the likeness of two papers is of their vectors; the rest is of their words
_SHARE = 0.2
#: a smaller deviation is the error of sums
_ALL_ALIKE = 1e-6
#: likenesses to texts kept in memory, the latest used; one of a thousand papers takes 20 kB
_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Semantics:
    """What knows other words for the same."""

    encode: Encode
    #: at most so many papers of a digest may match no keyword by its words, ≥ 0
    extra_papers: int = 0


class Meanings:
    """The papers of a run by their vectors."""

    def __init__(self, papers: Sequence[Paper], encode: Encode) -> None:
        self._encode = encode
        self._count = len(papers)
        #: titles alone, and titles with abstracts: to either, keywords are compared
        self._rows = [
            _unit(encode(texts)) if papers else np.zeros((0, 1))
            for texts in ([paper.title for paper in papers], [f"{paper.title}. {paper.abstract}" for paper in papers])
        ]
        # papers are compared with each other by what not all of them have in common
        whole = self._rows[1]
        self._own = _unit(whole - whole.mean(axis=0)) if papers else whole
        self.like = functools.lru_cache(maxsize=_REMEMBERED)(self._like)

    def _like(self, text: str) -> Mapping[int, float]:
        """What a keyword says for the papers that are more like it than most, by their numbers; above 0."""
        keyword = _unit(self._encode([text]))[0] if self._count else np.zeros(1)
        if not keyword.any():
            return {}
        values = sum((_above_usual(rows @ keyword) for rows in self._rows), np.zeros(self._count)) / len(self._rows)
        numbers = np.flatnonzero(values)
        return dict(zip(numbers.tolist(), values[numbers].tolist(), strict=True))

    def likeness(self, number: int) -> Values:
        """The cosine of each paper's vector and one's, both without what all papers have in common; -1 to 1."""
        return np.asarray(self._own @ self._own[number], np.float64)

    def neighbours(self, number: int) -> tuple[Numbers, Values]:
        """The papers most like one, as `NeighboursOf` tells."""
        likeness = self.likeness(number)
        likeness[number] = 0.0
        likeness = np.minimum(likeness, 1.0) - likeness.mean()
        likeness[number] = 0.0
        return nearest(likeness)


def blended(words: NeighboursOf, meanings: NeighboursOf, papers: int) -> NeighboursOf:
    """Neighbours by words and by vectors, the nearest by vectors counting as much as the nearest by words."""

    def of(number: int) -> tuple[Numbers, Values]:
        likeness = np.zeros(papers)
        (worded, by_words), (meant, by_vectors) = words(number), meanings(number)
        likeness[worded] = (1 - _SHARE) * by_words
        if len(meant):
            greatest_by_words = by_words[0] if len(worded) else by_vectors[0]
            likeness[meant] += _SHARE * greatest_by_words * by_vectors / by_vectors[0]
        return nearest(likeness)

    return of


def _above_usual(likeness: Values) -> Values:
    """What likenesses count that are more than one standard deviation above the mean; 0 for all others."""
    spread = min(float(likeness.std()), _WIDEST)
    if spread < _ALL_ALIKE:
        return np.zeros_like(likeness)
    return np.asarray(_DEVIATION * np.maximum((likeness - likeness.mean()) / spread - 1.0, 0.0), np.float64)


def _unit(rows: npt.NDArray[np.floating[Any]]) -> Rows:
    """Each row at length 1; zeros stay."""
    rows = np.asarray(rows, np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), np.float64)
