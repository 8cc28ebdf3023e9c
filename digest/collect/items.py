"""One bad item costs one item, one bad answer one answer: raw items go in, papers and problems come out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from digest.collect.text import one_line
from digest.model import Paper, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: problems told one by one: nobody reads a million, and a hostile list could hold them
_MAX_PROBLEMS = 100
Item = TypeVar("Item")
#: what every parser returns: what could be read, and what could not
Parsed = tuple[tuple[Paper, ...], tuple[Problem, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request of a source brought."""

    #: which part of the source: a category, a day, a page; empty if it has no parts
    part: str
    papers: tuple[Paper, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: why nothing could be read, one sentence without a full stop; empty if all went well
    failure: str = ""
    #: what the operator can do about it
    hint: str = ""


class UnusableError(ValueError):
    """An item that makes no paper; the message goes on from the item's name: `has no title`."""


def read_items(items: Iterable[Item], read: Callable[[Item], Paper], where: Callable[[int, Item], str]) -> Parsed:
    """Read every item that can be read; the second of two with the same key is left out.

    That is told, once for all of them, if it has another title: then somebody may miss it.

    Args:
        items: in the order of the source.
        read: makes a paper, or raises `UnusableError` (any other exception is a problem of that item as well).
        where: names an item, given its number from 1, for its problem.
    """
    papers: dict[str, Paper] = {}
    problems: list[Problem] = []
    untold = 0
    double, doubles = "", 0
    for number, item in enumerate(items, 1):
        try:
            paper = read(item)
        except Exception as error:  # noqa: BLE001 - whatever a hostile item does to a library, it costs that item only
            if len(problems) < _MAX_PROBLEMS:
                problems.append(Problem(one_line(where(number, item)), _reason(error)))
            else:
                untold += 1
        else:
            if papers.setdefault(paper.key, paper).title.casefold() != paper.title.casefold():
                double, doubles = double or one_line(where(number, item)), doubles + 1
    if untold:
        problems.append(Problem("the answer", f"has {untold} more unreadable items"))
    if doubles:
        more = f", as were {doubles - 1} more" if doubles > 1 else ""
        problems.append(Problem(double, f"was left out: another item with the same identifier has another title{more}"))
    return tuple(papers.values()), tuple(problems)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, UnusableError) else f"cannot be read ({type(error).__name__})"


def nothing(message: str, where: str = "the answer") -> Parsed:
    """No papers, and the reason. A full stop that was quoted with it is dropped."""
    return (), (Problem(where, message.rstrip(". ")),)


def failure_of(parsed: Parsed) -> str:
    """Nothing read and something wrong is a failure; nothing read and nothing wrong is a quiet day.

    >>> failure_of(nothing("is not JSON"))
    'the answer is not JSON'
    >>> failure_of(((), ()))
    ''
    """
    papers, problems = parsed
    if papers or not problems:
        return ""
    first = f"{problems[0].where} {problems[0].message}"
    return first if len(problems) == 1 else f"no item could be read; the first: {first}"
