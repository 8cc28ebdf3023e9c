"""Texts → the stems they are made of, by which papers are compared. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.curate.index import stems
from digest.curate.words import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: what one occurrence counts; a title names the subject, as in `index`
_TITLE, _ABSTRACT = 3.0, 1.0
#: words whose stems are kept in memory; a year of papers has half as many
_REMEMBERED = 500_000


class Bags:
    """Reads texts; each word is stemmed once."""

    def __init__(self) -> None:
        self._stems: dict[str, str] = {}

    def of(self, texts: Iterable[tuple[str, str]]) -> list[Mapping[str, float]]:
        """For each title and abstract its stems, and the weight of all their occurrences together.

        The stems are those of `index`: Porter's.

        >>> Bags().of([("Optimizers", "An optimizer")])
        [{'optim': 4.0, 'an': 1.0}]
        """
        read = [(words(title), words(abstract)) for title, abstract in texts]
        self._learn({word for title, abstract in read for word in (*title, *abstract)})
        return [self._bag(title, abstract) for title, abstract in read]

    def _bag(self, title: Sequence[str], abstract: Sequence[str]) -> Mapping[str, float]:
        bag: dict[str, float] = {}
        for text, weight in ((title, _TITLE), (abstract, _ABSTRACT)):
            for word in text:
                stem = self._stems[word]
                bag[stem] = bag.get(stem, 0.0) + weight
        return bag

    def _learn(self, asked: set[str]) -> None:
        new = sorted(asked - self._stems.keys())
        if len(self._stems) + len(new) > _REMEMBERED:
            self._stems, new = {}, sorted(asked)
        if new:
            self._stems |= zip(new, stems(new), strict=True)
