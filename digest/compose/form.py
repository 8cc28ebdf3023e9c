"""Pieces of a mail from forms: what is the same in many of them is rendered and styled once.

A form is an `Outline` rendered, styled and cut at its blanks. It belongs to what the template asks about the values (no
keywords? how many links? which words are marked?), so there are few. Each is tried on the first values that need it:
where it does not give what the template gives, or where the template has no outline, every piece is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from digest.compose.frame import Piece, lines_of, piece
from digest.compose.mime import quoted_printable
from digest.compose.outline import BLANKS, Questions, has_blanks
from digest.compose.render import SUBJECT_LIMIT
from digest.compose.styles import MARKUP, UNSEEN, PieceError
from digest.compose.text import one_line
from digest.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

    from digest.compose.letter import Cover
    from digest.compose.outline import Blanks, Outline
    from digest.compose.render import Renderer
    from digest.compose.styles import Element

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

#: forms kept, of a few kilobytes each; a day needs a hundred
_FORMS = 1024
#: what our filters raise if a template gives them what they cannot take
_FILTER_ERRORS = (PieceError, AttributeError, TypeError, ValueError)


class _Form(Protocol[T_co]):
    def filled(self, given: object) -> T_co: ...


@dataclass(frozen=True, slots=True)
class _PieceForm:
    text: Blanks
    #: whole lines; those without blanks are encoded already
    html: tuple[bytes | Blanks, ...]
    #: how often `style=` stands in the lines with blanks; None: no blank is in a tag
    styles: int | None

    def filled(self, given: object) -> Piece:
        parts = [part if isinstance(part, bytes) else part.filled(given) for part in self.html]
        if self.styles is not None and _styles(part for part in parts if isinstance(part, str)) > self.styles:
            raise PieceError("a value reads as a style")  # whatever `styles` makes of it; no link reads like that
        lines = lines_of(self.text.filled(given))
        html = [part if isinstance(part, bytes) else quoted_printable(part) for part in parts]
        return Piece(lines.data, lines.before, lines.after, b"".join(html))


@dataclass(frozen=True, slots=True)
class _SubjectForm:
    text: Blanks

    def filled(self, given: object) -> str:
        return one_line(self.text.filled(given), SUBJECT_LIMIT)


class _Tried(Generic[T]):
    """Forms by what they belong to; None where a form does not give what the templates give."""

    def __init__(self) -> None:
        self._forms: dict[Hashable, _Form[T] | None] = {}

    def filled(self, key: Hashable, given: object, rendered: Callable[[], T], drawn: Callable[[], _Form[T]]) -> T:
        form = self._forms.get(key)
        if form is None:
            return rendered() if key in self._forms else self._first(key, given, rendered(), drawn)
        try:
            return form.filled(given)
        except _FILTER_ERRORS:
            return rendered()

    def _first(self, key: Hashable, given: object, rendered: T, drawn: Callable[[], _Form[T]]) -> T:
        if len(self._forms) >= _FORMS:
            self._forms.clear()
        try:
            form = drawn()
            self._forms[key] = form if form.filled(given) == rendered else None
        except (TemplateError, *_FILTER_ERRORS):
            self._forms[key] = None
        return rendered


class Forms:
    """Prints the pieces and subjects of the mails of one letterhead.

    Args:
        renderer: the templates.
    """

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._pieces, self._subjects = _Tried[Piece](), _Tried[str]()
        self._subject = renderer.outline("digest.subject", "txt")
        self._outlines = {
            kind: (renderer.outline(kind, "txt"), renderer.outline(kind, "html")) for kind in BLANKS if "." not in kind
        }
        #: by kind; of all that is a reader's own together
        self._questions = {kind: _asked(both) for kind, both in self._outlines.items()}
        self._own_questions = _asked((*self._outlines["head"], *self._outlines["reader"], self._subject))

    def shape(self, cover: Cover) -> Hashable:
        """What decides about everything but the blanks of a reader's own pieces and subject."""
        return (
            cover.day,
            cover.frequency,
            cover.quiet,
            cover.left_out,
            cover.compact,
            cover.pictures,
            self._own_questions.answers(cover),
        )

    def piece(self, kind: str, around: Element | None, given: object, shape: Hashable = None) -> Piece:
        """The piece of this kind inside the element `around`; None: the HTML does not show it.

        Args:
            kind: which template.
            around: the element.
            given: what the template prints: Cover, Heading, Body, Close, MissedCard or FollowupCard.
            shape: of a Cover, what `shape` gives.

        Raises:
            TemplateError: a template cannot be rendered.
            PieceError: the piece cannot be made without the rest of the mail.
        """

        def rendered() -> Piece:
            values = {BLANKS[kind][0]: given}
            html = self._renderer.html_piece(kind, around, **values) if around else ""
            return piece(self._renderer.text_piece(kind, **values), html)

        text, html = self._outlines[kind]
        if not (text and html and around):
            return rendered()
        key = (kind, around, self._questions[kind].answers(given) if shape is None else shape)
        return self._pieces.filled(key, given, rendered, lambda: self._drawn(text, html, around, given))

    def subject(self, cover: Cover, shape: Hashable) -> str:
        """The subject as `Renderer.subject` gives it; raises as it does."""
        text = self._subject
        if not text:
            return self._renderer.subject(cover)
        return self._subjects.filled(
            shape, cover, lambda: self._renderer.subject(cover), lambda: _SubjectForm(text.blanks(text.printed(cover)))
        )

    def _drawn(self, text: Outline, html: Outline, around: Element, given: object) -> _PieceForm:
        printed = html.printed(given)
        in_tags = [*_tags_with_blanks(printed)]
        styled = self._renderer.styled_piece(printed, around)
        if not styled.endswith("\n"):
            raise PieceError("a piece does not end with its line")
        lines = [f"{line}\n" for line in styled[:-1].split("\n")]
        parts = tuple(_encoded(html, lines))
        styles = _styles(part.form for part in parts if not isinstance(part, bytes)) if in_tags else None
        return _PieceForm(text.blanks(text.printed(given)), parts, styles)


def _asked(outlines: Iterable[Outline | None]) -> Questions:
    return Questions.of_all(one.questions for one in outlines if one)


def _styles(lines: Iterable[str]) -> int:
    return sum([part.lower().count("style=") for part in lines])


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
