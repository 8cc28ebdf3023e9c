"""Papers → indexes of their authors and categories. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from digest.curate.words import words
from digest.model import Paper


class AuthorIndex:
    """Authors by the parts of their names."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._papers = papers
        self._by_part: defaultdict[str, set[int]] = defaultdict(set)
        for number, paper in enumerate(papers):
            for name in paper.authors:
                for part in words(name):
                    self._by_part[part].add(number)

    def find(self, parts: Sequence[str], *, prefix: bool = False) -> dict[int, tuple[str, ...]]:
        """Papers with an author of that name, and the names as written.

        Every part asked for has to be a part of the name, in any order; an initial stands for a whole part and the
        other way round, but one part of two letters or more has to be there in full.

        Args:
            parts: folded words of a name, `("yann", "lecun")`.
            prefix: the last part is only the beginning of one.
        """
        found = {}
        for number in sorted(self._candidates(parts, prefix=prefix)):
            names = tuple(
                name for name in self._papers[number].authors if _is_called(words(name), parts, prefix=prefix)
            )
            if names:
                found[number] = names
        return found

    def _candidates(self, parts: Sequence[str], *, prefix: bool) -> set[int]:
        full = {part for part in parts if len(part) > 1}
        if prefix:
            full |= {part for part in self._by_part if part.startswith(parts[-1])}
        return set().union(*(self._by_part.get(part, ()) for part in full))


def _is_called(name: list[str], parts: Sequence[str], *, prefix: bool) -> bool:
    left = list(name)
    for part in parts:
        fitting = [
            other for other in left if _fits(part, other) or (prefix and part == parts[-1] and other.startswith(part))
        ]
        if not fitting:
            return False
        left.remove(part if part in fitting else fitting[0])
    return True


def _fits(part: str, other: str) -> bool:
    short, long = sorted((part, other), key=len)
    return short == long or (len(short) == 1 and long.startswith(short))


class CategoryIndex:
    """Papers by category."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        self._papers: defaultdict[str, set[int]] = defaultdict(set)
        self._written: dict[str, str] = {}
        for number, paper in enumerate(papers):
            for category in paper.categories:
                self._papers[category.lower()].add(number)
                self._written[category.lower()] = category

    def find(self, code: str, *, prefix: bool = False) -> dict[int, tuple[str, ...]]:
        """Papers in the category or in one below it (`cs` holds `cs.CL`), and the categories as written.

        Args:
            code: in small letters.
            prefix: the code is only the beginning of one.
        """
        below = code if prefix else f"{code}."
        found: defaultdict[int, tuple[str, ...]] = defaultdict(tuple)
        for category in sorted(self._papers):
            if category == code or category.startswith(below):
                for number in self._papers[category]:
                    found[number] += (self._written[category],)
        return dict(found)
