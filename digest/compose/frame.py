"""A mail without its pieces: what is the same for all readers of a day who get as many papers.

The page templates, `mail/digest.html` and `mail/digest.txt`, include a template for each piece: head, title, picture,
paper, why, answer, missed, followup, reader. Filled with stand-ins they make a frame with gaps; a frame filled with
printed pieces is a mail.

Pieces are whole lines, so that their bytes can be joined (see `mime.quoted_printable`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from digest.compose.letter import Occasion
from digest.compose.mime import quoted_printable
from digest.compose.render import tidied
from digest.compose.styles import PieceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from digest.compose.render import Renderer
    from digest.compose.styles import Element

_GAP = re.compile(r"<!--(head|title|picture|paper|why|answer|missed|followup|reader) (\d+)-->\n")
#: the pieces of a paper
CARD_PIECES = ("title", "paper", "why", "answer", "picture")
#: line ends by how many are asked for: at most two empty lines in a row
_LINE_ENDS = (b"", b"\r\n", b"\r\n" * 2, b"\r\n" * 3)
_MOST = len(_LINE_ENDS) - 1
#: bytes that Python takes for a piece or a part of a frame beside what is in it
_OVERHEAD = 400


class _StandIn:
    """Fails where a template asks for what only a piece may show; `default` and `is defined` must not hide that."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise PieceError(f"the page itself shows {name!r}, which only the templates that it includes may show")


@dataclass(frozen=True)
class Gap(_StandIn):
    """Where a paper, a near miss or a follow-up will stand."""

    #: from 1, each of these for themselves
    number: int


@dataclass(frozen=True, kw_only=True)
class Page(Occasion, _StandIn):
    """What a page template may show by itself."""

    left_out: int
    compact: bool
    pictures: bool
    for_you: tuple[Gap, ...]
    trending: tuple[Gap, ...]
    missed: tuple[Gap, ...]
    followups: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of a text, encoded, and the line ends around them."""

    #: with the line ends after them; empty if all lines are
    data: bytes
    #: line ends, of which `data` has those after
    before: int
    after: int


_NOTHING = Lines(b"", 0, 0)


@dataclass(frozen=True, slots=True)
class Piece(Lines):
    """A piece of a mail: the lines of its text, and its HTML."""

    #: encoded; empty, or with a line end at the end
    html: bytes

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return len(self.data) + len(self.html) + _OVERHEAD


@dataclass(frozen=True, slots=True)
class Frame:
    """A mail with gaps."""

    #: what stands before, between and after the gaps
    text: tuple[Lines, ...]
    html: tuple[bytes, ...]
    #: which pieces fill them, as places in the list given to `filled`
    text_order: tuple[int, ...]
    html_order: tuple[int, ...]
    #: what stands around each piece in the HTML; None: the page does not include it
    around: tuple[Element | None, ...]

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        parts = [*(lines.data for lines in self.text), *self.html]
        return sum(map(len, parts)) + _OVERHEAD * len(parts)

    def filled(self, pieces: Sequence[Piece]) -> tuple[list[bytes], list[bytes]]:
        """Text and HTML of the mail; joined, each is what `quoted_printable` makes of the whole.

        Raises:
            PieceError: a piece does not end with its line.
        """
        parts = [b""] * (2 * len(self.html_order) + 1)
        parts[::2] = self.html
        parts[1::2] = [pieces[index].html for index in self.html_order]
        text = [self.text[0]]
        for index, lines in zip(self.text_order, self.text[1:], strict=True):
            text.append(pieces[index])
            if lines is not _NOTHING:
                text.append(lines)
        return _joined(text), parts


def piece(text: str, html: str) -> Piece:
    """A piece as its templates gave it.

    Raises:
        PieceError: the last line of the HTML does not end.
    """
    lines = lines_of(text)
    return Piece(lines.data, lines.before, lines.after, _ended(html))


def frame(renderer: Renderer, page: Page) -> Frame:
    """The page's frame.

    Pieces are counted: head, reader, five of the first paper, of the second, …, near misses, follow-ups.

    Raises:
        PieceError: the templates cannot be taken apart.
        TemplateError: a template cannot be rendered.
    """
    text, html, comments = renderer.page(page)
    cards = len(CARD_PIECES) * (len(page.for_you) + len(page.trending))
    before = {"missed": 1 + cards, "followup": 1 + cards + len(page.missed)}
    texts, text_gaps = _split(text)
    htmls, html_gaps = _split(html)
    if len(set(html_gaps)) < len(html_gaps):
        raise PieceError("a piece is included twice")
    found = {_index(*gap, before): comments[f"<!--{gap[0]} {gap[1]}-->"] for gap in html_gaps}
    return Frame(
        text=tuple(map(lines_of, texts)),
        html=(*map(_ended, htmls[:-1]), quoted_printable(htmls[-1])),
        text_order=tuple(_index(*gap, before) for gap in text_gaps),
        html_order=tuple(_index(*gap, before) for gap in html_gaps),
        around=tuple(found.get(index) for index in range(_index("followup", len(page.followups), before) + 1)),
    )


def lines_of(text: str) -> Lines:
    """A text, or a part of one that ends with its line, tidied and encoded."""
    text = tidied(text)
    core = text.strip("\n")
    before = len(text) - len(text.lstrip("\n"))
    if not core:
        return Lines(b"", before, 0) if before else _NOTHING
    after = len(text) - len(core) - before
    return Lines(quoted_printable(core)[:-2] + _LINE_ENDS[after], before, after)


def _ended(html: str) -> bytes:
    if html and not html.endswith("\n"):
        raise PieceError("a piece does not end with its line")
    return quoted_printable(html) if html else b""


def _split(page: str) -> tuple[list[str], list[tuple[str, int]]]:
    parts = _GAP.split(page)
    return parts[::3], [(kind, int(number)) for kind, number in zip(parts[1::3], parts[2::3], strict=True)]


def _index(kind: str, number: int, before: Mapping[str, int]) -> int:
    """The place of a piece; `before`: of some kinds, the place before the first of them."""
    if kind in CARD_PIECES:
        return 2 + len(CARD_PIECES) * (number - 1) + CARD_PIECES.index(kind)
    return before[kind] + number if kind in before else ("head", "reader").index(kind)


def _joined(text: Iterable[Lines]) -> list[bytes]:
    parts: list[bytes] = []
    ends, before = _MOST, 0
    for lines in text:
        before += lines.before
        if data := lines.data:
            if before:
                parts.append(_LINE_ENDS[min(_MOST - ends, before)])
                before = 0
            elif not ends:
                raise PieceError("a piece does not end with its line")
            parts.append(data)
            ends = lines.after
    if parts:
        parts[-1] = parts[-1].removesuffix(_LINE_ENDS[ends])
    return [*parts, b"\r\n"]
