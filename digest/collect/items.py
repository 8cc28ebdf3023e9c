"""One bad item costs one item: raw items and a reader go in, papers and problems come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from digest.collect.text import one_line
from digest.model import Paper, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")
#: what every parser returns: what could be read, and what could not
Parsed = tuple[tuple[Paper, ...], tuple[Problem, ...]]


class UnusableError(ValueError):
    """An item that makes no paper; the message is one sentence without a full stop."""


def read_items(items: Iterable[Item], read: Callable[[Item], Paper], where: Callable[[int, Item], str]) -> Parsed:
    """Read every item that can be read; the second of two with the same key is left out.

    Args:
        items: in the order of the source.
        read: makes a paper, or raises `UnusableError` (any other exception is a problem of that item as well).
        where: names an item, given its number from 1, for its problem.
    """
    papers: dict[str, Paper] = {}
    problems = []
    for number, item in enumerate(items, 1):
        try:
            paper = read(item)
        except UnusableError as error:
            problems.append(Problem(one_line(where(number, item)), str(error)))
        except Exception as error:  # noqa: BLE001 - whatever a hostile item does to a library, it costs that item only
            problems.append(Problem(f"item {number}", f"cannot be read ({type(error).__name__})"))
        else:
            papers.setdefault(paper.key, paper)
    return tuple(papers.values()), tuple(problems)


def nothing(where: str, message: str) -> Parsed:
    """No papers, and the reason, of which `visit` makes a failure. A full stop that was quoted with it is dropped."""
    return (), (Problem(where, message.rstrip(". ")),)
