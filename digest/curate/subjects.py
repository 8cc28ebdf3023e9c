"""Papers → where they stand among the subjects that all are about. Pure.

Latent semantic analysis (Deerwester et al. 1990, https://doi.org/10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9):
the directions in which papers differ most, so that words that keep the same company count as alike. Terms are runs of
four letters, which forms of one word share, and its compounds.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from digest.curate.weights import Cells, Table, Weights, join, occurring, rarity, unit_rows
from digest.curate.words import STOP_WORDS, words
from digest.model import Paper

if TYPE_CHECKING:
    from digest.curate.vector import Numbers

# Settled as told in `similar`: of 140, 280 and 561 papers, 20 to 40 are equally good; words do less well than letters
#: how many directions
_SUBJECTS = 30
#: letters in a run; a word has a mark at either end
_RUN = 4
#: directions are learned from so many papers, the others are projected on them; learned from half, a quarter of what
#: they add is lost
_LEARNED = 1000
#: papers that are projected at once: their runs take 15 kB each while they are counted
_TOGETHER = 1000


def title_twice(paper: Paper) -> tuple[str, ...]:
    """The texts of a paper, what names the subject counting double."""
    return paper.title, paper.title, paper.abstract, *paper.ai_keywords


class Subjects:
    """Directions learned from some of the papers, and where papers stand."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._papers = papers
        self._known: dict[str, int] = {}
        self._runs_of: dict[str, Sequence[int]] = dict.fromkeys(STOP_WORDS, ())
        #: the papers that directions are learned from, evenly among all
        self.learned: Numbers = np.unique(np.linspace(0, len(papers) - 1, min(len(papers), _LEARNED)).astype(np.intp))
        table = occurring(self._cells(self.learned), len(self.learned))
        # what only one paper has makes it like no other
        self._rarity = np.where(table.spread > 1, rarity(table.spread, len(self.learned)), np.float32(0))
        table = table.scaled(self._rarity).unit()
        products = table.products()
        # of the papers without what they have in common, each at length 1
        common = products.mean(axis=1, keepdims=True)
        products += common.mean() - common - common.T
        lengths = np.sqrt(np.maximum(products.diagonal(), 0.0))
        lengths = np.where(lengths > 0, lengths, np.float32(1))
        products /= lengths * lengths[:, np.newaxis]
        # the greatest last
        strengths, directions = np.linalg.eigh(products)
        directions = directions[:, -_SUBJECTS:] / np.sqrt(np.maximum(strengths[-_SUBJECTS:], 1e-6))
        directions /= lengths[:, np.newaxis]
        mean = table.mean()
        self._axes = table.sums_by_term(directions) - np.outer(mean, directions.sum(axis=0))
        self._mean = mean @ self._axes
        self._rows = np.full((len(papers), self._axes.shape[1]), np.nan, np.float32)
        self._rows[self.learned] = self._projected(table)

    def likeness(self, number: int, others: Numbers) -> Weights:
        """How alike the directions of some papers and those of one are: cosines, 0 without a word."""
        return np.asarray(self.standing(others) @ self.standing(np.array([number]))[0], np.float32)

    def commonness(self, numbers: Numbers) -> Weights:
        """How alike each of some papers is to those that were learned from, on average; what is unlike counts as 0."""
        return np.asarray(np.clip(self.standing(numbers) @ self.standing(self.learned).T, 0.0, 1.0).mean(axis=1))

    def standing(self, numbers: Numbers) -> Weights:
        """Where some papers stand, a row of length 1 for each, or of zeros."""
        missing = np.unique(numbers[np.isnan(self._rows[numbers, 0])])
        for start in range(0, len(missing), _TOGETHER):
            some = missing[start : start + _TOGETHER]
            table = occurring(self._cells(some), len(some)).scaled(self._rarity).unit()
            self._rows[some] = self._projected(table)
        return self._rows[numbers]

    def _projected(self, table: Table) -> Weights:
        projected = table.times(self._axes)
        said = projected.any(axis=1, keepdims=True)
        return unit_rows(np.where(said, projected - self._mean, np.float32(0)))

    def _cells(self, numbers: Numbers) -> Cells:
        """Every occurrence of a run in some of the papers, by their places there."""
        runs, lengths = array("i"), []
        for number in numbers.tolist():
            before = len(runs)
            for text in title_twice(self._papers[number]):
                runs.extend(itertools.chain.from_iterable(map(self._runs, words(text))))
            lengths.append(len(runs) - before)
        return join(np.repeat(np.arange(len(numbers)), lengths), np.frombuffer(runs, np.intc))

    def _runs(self, word: str) -> Sequence[int]:
        found = self._runs_of.get(word)
        if found is None:
            marked = f"#{word}#"
            pieces = [marked[start : start + _RUN] for start in range(max(1, len(marked) - _RUN + 1))]
            found = self._runs_of[word] = [self._known.setdefault(piece, len(self._known)) for piece in pieces]
        return found
