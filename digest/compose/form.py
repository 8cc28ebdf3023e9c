"""A reader's own pieces (head, footer, subject) from forms: what is the same for many readers is printed once.

A form is an `Outline` rendered, styled and cut at its blanks. It belongs to one day and to what the template asks about
the values (no keywords? no unsubscribe page?), so there are few. Each is tried on the first reader who needs it: where
it does not give what the template gives, or where the template has no outline, every reader's piece is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from digest.compose.frame import Piece, lines_of, piece
from digest.compose.mime import quoted_printable
from digest.compose.outline import has_blanks
from digest.compose.render import SUBJECT_LIMIT
from digest.compose.styles import MARKUP, UNSEEN, PieceError
from digest.compose.text import one_line
from digest.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from digest.compose.letter import Cover
    from digest.compose.outline import Blanks, Outline
    from digest.compose.render import Renderer
    from digest.compose.styles import Element

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

#: forms kept; a day needs a handful
_FORMS = 256
#: what our filters raise if a template gives them what they cannot take
_FILTER_ERRORS = (PieceError, AttributeError, TypeError, ValueError)


class _Form(Protocol[T_co]):
    def filled(self, cover: Cover) -> T_co: ...


@dataclass(frozen=True, slots=True)
class _PieceForm:
    text: Blanks
    #: whole lines; those without blanks are encoded already
    html: tuple[bytes | Blanks, ...]
    #: the blanks in tags
    in_tags: Blanks

    def filled(self, cover: Cover) -> Piece:
        if "style=" in self.in_tags.filled(cover).lower():
            raise PieceError("a value reads as a style")  # whatever `styles` makes of it; no link reads like that
        lines = lines_of(self.text.filled(cover))
        html = [part if isinstance(part, bytes) else quoted_printable(part.filled(cover)) for part in self.html]
        return Piece(lines.data, lines.before, lines.after, b"".join(html))


@dataclass(frozen=True, slots=True)
class _SubjectForm:
    text: Blanks

    def filled(self, cover: Cover) -> str:
        return one_line(self.text.filled(cover), SUBJECT_LIMIT)


class _Tried(Generic[T]):
    """Forms by what they belong to; None where a form does not give what the templates give."""

    def __init__(self) -> None:
        self._forms: dict[Hashable, _Form[T] | None] = {}

    def filled(self, key: Hashable, cover: Cover, rendered: Callable[[], T], drawn: Callable[[], _Form[T]]) -> T:
        form = self._forms.get(key)
        if form is None:
            return rendered() if key in self._forms else self._first(key, cover, rendered(), drawn)
        try:
            return form.filled(cover)
        except _FILTER_ERRORS:
            return rendered()

    def _first(self, key: Hashable, cover: Cover, rendered: T, drawn: Callable[[], _Form[T]]) -> T:
        if len(self._forms) >= _FORMS:
            self._forms.clear()
        try:
            form = drawn()
            self._forms[key] = form if form.filled(cover) == rendered else None
        except (TemplateError, *_FILTER_ERRORS):
            self._forms[key] = None
        return rendered


class Forms:
    """Prints what is a reader's own in the mails of one letterhead.

    Args:
        renderer: the templates.

    Raises:
        TemplateError: a template is missing or cannot be parsed.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._pieces, self._subjects = _Tried[Piece](), _Tried[str]()
        self._subject = renderer.outline("mail/digest.subject.txt")
        self._outlines = {
            kind: (renderer.outline(f"mail/{kind}.txt"), renderer.outline(f"mail/{kind}.html"))
            for kind in ("head", "reader")
        }

    def piece(self, kind: str, around: Element | None, cover: Cover) -> Piece:
        """The piece of this kind, `head` or `reader`, inside the element `around`; None: the HTML does not show it.

        Raises:
            TemplateError: a template cannot be rendered.
            PieceError: the piece cannot be made without the rest of the mail.
        """

        def rendered() -> Piece:
            html = self._renderer.html_piece(kind, around, letter=cover) if around else ""
            return piece(self._renderer.text_piece(kind, letter=cover), html)

        text, html = self._outlines[kind]
        if not (text and html and around):
            return rendered()
        key = (kind, around, cover.day, cover.left_out, text.answers(cover), html.answers(cover))
        return self._pieces.filled(key, cover, rendered, lambda: self._drawn(text, html, around, cover))

    def subject(self, cover: Cover) -> str:
        """The subject as `Renderer.subject` gives it; raises as it does."""
        text = self._subject
        if not text:
            return self._renderer.subject(cover)
        key = (cover.day, cover.left_out, text.answers(cover))
        return self._subjects.filled(
            key, cover, lambda: self._renderer.subject(cover), lambda: _SubjectForm(text.blanks(text.printed(cover)))
        )

    def _drawn(self, text: Outline, html: Outline, around: Element, cover: Cover) -> _PieceForm:
        printed = html.printed(cover)
        in_tags = html.blanks("".join(_tags_with_blanks(printed)))
        styled = self._renderer.styled_piece(printed, around)
        if not styled.endswith("\n"):
            raise PieceError("a piece does not end with its line")
        lines = [f"{line}\n" for line in styled[:-1].split("\n")]
        return _PieceForm(text.blanks(text.printed(cover)), tuple(_encoded(html, lines)), in_tags)


def _tags_with_blanks(html: str) -> Iterator[str]:
    """The tags with stand-ins.

    Raises:
        PieceError: another value than the stand-in could change which tags and styles there are.
    """
    for place, part in enumerate(MARKUP.split(html)):
        if has_blanks(part):
            # in a tag, only a quoted attribute that no selector sees; beside tags, nothing that may begin one
            if (has_blanks(UNSEEN.sub("", part)) or part[-2] in " /") if place % 2 else "<" in part:
                raise PieceError("a value is not printed as text")
            if place % 2:
                yield part


def _encoded(outline: Outline, lines: Sequence[str]) -> Iterator[bytes | Blanks]:
    for blank, together in groupby(lines, has_blanks):
        text = "".join(together)
        yield outline.blanks(text) if blank else quoted_printable(text)
