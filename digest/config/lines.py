"""Where in a TOML text its keys stand, for messages only: text in, a map from key path to line out."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: keys and list positions from the root: `("subscribers", 0, "timezone")`
KeyPath = tuple[str | int, ...]


def lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every key and list item of a valid TOML document; an item's line is its first key's."""
    import spanned_toml

    source = text.replace("\r\n", "\n")  # as the parser does before it counts
    ends = [place for place, char in enumerate(source) if char == "\n"]
    return {path: bisect_left(ends, place) + 1 for path, place in _places(spanned_toml.loads(source), ())}


def line_of(key: str, known: Mapping[KeyPath, int]) -> int | None:
    """The line of a dotted key, or of the nearest table around it; None if the file holds none of them."""
    path: KeyPath = tuple(int(part) if part.isdecimal() else part for part in key.split("."))
    return next((known[path[:end]] for end in range(len(path), 0, -1) if path[:end] in known), None)


def _places(node: Any, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    """Path and offset of everything below a node; tables have no place of their own in the parser's answer."""
    inner = node.inner()
    if isinstance(inner, dict):
        for key, value in inner.items():
            yield (*path, key.inner()), key.span().start
            yield from _places(value, (*path, key.inner()))
    elif isinstance(inner, list):
        for position, item in enumerate(inner):
            below = list(_places(item, (*path, position)))
            start = item.span().start or min((place for _, place in below), default=0)
            if start:
                yield (*path, position), start
            yield from below
