"""Where the matched words stand in a text: words in, segments out, so that templates only escape and print. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from digest.compose.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: letters of other scripts that match ASCII ones where case is ignored, or whose lower case is longer
_OTHER_LETTERS = re.compile("[\u0130\u0131\u017f\u212a]")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a text."""

    #: never empty
    text: str
    #: True if a keyword matched here
    marked: bool = False


def mark(text: str, words: Iterable[str]) -> tuple[Segment, ...]:
    """The text in segments; joined they are the text again.

    Args:
        text: as shown to the reader, that is after `plain`.
        words: pieces of the paper's raw text, TeX and all. Case is ignored; a piece counts only as whole words.

    Returns:
        alternating marked and unmarked segments. Overlapping and touching pieces are one; an empty text has none.

    >>> [segment.text for segment in mark("Sparse MoE wins", ["sparse", "MoE"]) if segment.marked]
    ['Sparse', 'MoE']
    """
    segments, end = [], 0
    for start, stop in _merged(_spans(text, words)):
        segments += [Segment(text[end:start]), Segment(text[start:stop], marked=True)]
        end = stop
    return tuple(segment for segment in (*segments, Segment(text[end:])) if segment.text)


def _spans(text: str, words: Iterable[str]) -> list[tuple[int, int]]:
    pieces = {plain(word) for word in words} - {""}
    lower = "" if _OTHER_LETTERS.search(text) else text.lower()
    found = (_found(piece, lower) if lower and piece.isascii() else _matched(piece, text) for piece in pieces)
    return sorted(span for spans in found for span in spans)


def _found(piece: str, lower: str) -> Iterator[tuple[int, int]]:
    """What `_matched` gives, for an ASCII piece and a text in lower case; a pattern costs 0.1 ms before it is used."""
    piece = piece.lower()
    start = lower.find(piece)
    while start >= 0:
        end = start + len(piece)
        whole = not (_is_word(lower[start - 1 : start]) or _is_word(lower[end : end + 1]))
        if whole:
            yield start, end
        start = lower.find(piece, end if whole else start + 1)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _matched(piece: str, text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _pattern(piece).finditer(text))


# The words of a day's keywords; re's own cache holds 512
@lru_cache(maxsize=16_384)
def _pattern(piece: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(piece)}(?!\w)", re.IGNORECASE)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in spans:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    return merged
