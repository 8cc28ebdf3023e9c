"""Letter → subject, text and HTML, by Jinja templates; reads template files and nothing else.

A user's folder comes before the packaged templates, file by file: `mail/digest.html` there replaces ours. Templates run
in Jinja's sandbox, escape every value in `.html`, and fail on names that do not exist. A template that fails is a
`TemplateError` with file and line.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from lxml.etree import LxmlError

from digest.compose.card import Answers, Badge, Body, Card, Close, FollowupCard, Heading, MissedCard
from digest.compose.invitation import Invitation
from digest.compose.letter import Cover, Letter
from digest.compose.marking import Segment
from digest.compose.outline import outline
from digest.compose.picture import Picture
from digest.compose.sample import invitations, samples
from digest.compose.styles import Styles
from digest.compose.text import one_line
from digest.compose.translation import Translating, speak
from digest.errors import TemplateError
from digest.languages.language import ENGLISH, language

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

    from digest.compose.outline import Outline
    from digest.compose.styles import Element, Inliner
    from digest.languages.language import Language

T = TypeVar("T")

#: RFC 5322 §2.1.1 allows 998, but a phone shows 40 and a wide screen about 70
SUBJECT_LIMIT = 70
_TEXT_WIDTH = 72
_EMPTY_LINES = re.compile(r"\n{4,}")
_WHITE_SPACE = re.compile(r"[ \t\n\v\f\r]+")
#: numbers kept with their nouns, of each language
_COUNTED = 4096
#: characters in a row from which a phone may be too narrow
_UNBREAKABLE = 25
#: so many without a natural place to break, none of them East Asian
_LONG_WORD = re.compile(rf"[^\s/?\-\u2e80-\U0010ffff]{{{_UNBREAKABLE},}}")
_GAPS = {
    f"mail/{kind}.{suffix}": f"<!--{kind} {number}-->\n"
    for suffix in ("html", "txt")
    for kind, number in {
        "head": "0",
        "title": "{{ card.number }}",
        "picture": "{{ card.number }}",
        "paper": "{{ card.number }}",
        "why": "{{ card.number }}",
        "answer": "{{ card.number }}",
        "missed": "{{ missed.number }}",
        "followup": "{{ followup.number }}",
        "reader": "0",
    }.items()
}
_HARMLESS = frozenset(
    {Answers, Badge, Body, Card, Close, Cover, FollowupCard, Heading, Invitation, Letter, MissedCard, Picture, Segment}
)
_HINT = "compare it with the packaged template of the same name, or remove your own copy"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the templates made of one letter."""

    #: one line of at most `SUBJECT_LIMIT` characters, safe in a header
    subject: str
    #: lines end in a line feed
    text: str
    #: a whole document with its CSS inlined; empty for mails that have no HTML
    html: str


class _Sandbox(Translating, SandboxedEnvironment):
    """Jinja's sandbox, and a short way to what we give a template: texts, numbers and tuples, all of it harmless."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) in _HARMLESS and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                pass  # the usual way words it
        return super().getattr(obj, attribute)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # Jinja's own is a ChainMap, so that later globals are seen, and is copied into a dict for every render
        return {**self.globals, **(d or {})}


class Renderer:
    """Templates, loaded once and used for any number of mails: in English, and `speaking` any other language.

    Args:
        templates: folder whose files replace packaged ones of the same name; None: only the packaged ones.
        inliner: which library moves CSS into `style` attributes. Both give the same look.
        language: what they are in.

    Raises:
        TemplateError: `templates` is not a folder.
    """

    def __init__(
        self, templates: Path | None = None, inliner: Inliner = "premailer", language: Language = ENGLISH
    ) -> None:
        if templates is not None and not templates.is_dir():
            raise TemplateError(str(templates), None, "there is no such folder", hint="create it, or correct its path")
        folders = [folder for folder in (templates, packaged()) if folder is not None]
        self._templates, self._inliner = templates, inliner
        loader = jinja2.ChoiceLoader([jinja2.FileSystemLoader(folder) for folder in folders])
        self._environment = _Sandbox(
            loader=loader,
            autoescape=jinja2.select_autoescape(["html"]),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,  # an included file is whole lines
            auto_reload=False,
        )
        speak(self._environment, language)
        counted = lru_cache(maxsize=_COUNTED)(language.counted)
        self._environment.filters |= {"wrap": wrap, "breakable": breakable, "counted": counted}
        #: the same, but a piece that is included leaves only a line that names it
        self._pages = self._environment.overlay(loader=jinja2.ChoiceLoader([jinja2.DictLoader(_GAPS), loader]))
        self._styles = Styles(inliner)
        #: those that were asked for, by language
        self._others: dict[Language, Renderer] = {language: self}

    def speaking(self, code: str) -> Renderer:
        """The same templates in the language with this tag; in English if there is no such language."""
        spoken = language(code)
        if spoken not in self._others:
            self._others[spoken] = Renderer(self._templates, self._inliner, spoken)
        return self._others[spoken]

    def render(self, letter: Letter) -> Rendered:
        """The mail to a subscriber.

        Raises:
            TemplateError: naming the template at fault, and the line if it is known.
        """
        return Rendered(
            subject=self.subject(letter),
            text=_text(self._fill("mail/digest.txt", letter=letter)),
            html=self._styled("mail/digest.html", self._fill("mail/digest.html", letter=letter), self._styles.page)[0],
        )

    def subject(self, cover: Cover) -> str:
        """The subject as `render` gives it; raises as it does."""
        return one_line(self._fill("mail/digest.subject.txt", letter=cover), SUBJECT_LIMIT)

    def page(self, page: object) -> tuple[str, str, dict[str, Element]]:
        """Text and styled HTML with a line `<!--kind number-->` for every piece, and what is around each in the HTML.

        Raises:
            TemplateError: as for `render`; also if a page shows by itself what `page` has not.
        """
        text = self._fill("mail/digest.txt", self._pages, letter=page)
        html = self._fill("mail/digest.html", self._pages, letter=page)
        return text, *self._styled("mail/digest.html", html, self._styles.page)

    def text_piece(self, kind: str, **values: Any) -> str:
        """The text of one piece; raises as `render`."""
        return self._fill(f"mail/{kind}.txt", **values)

    def styled_piece(self, html: str, around: Element) -> str:
        """HTML with the styles that it has inside `around`; raises as `html_piece`."""
        return self._styled("mail/digest.html", html, lambda html: self._styles.piece(html, around))

    def html_piece(self, kind: str, around: Element, **values: Any) -> str:
        """The HTML of one piece, with the styles that it has inside `around`.

        Raises:
            TemplateError: as for `render`.
            PieceError: its styles cannot be told without the rest of the page.
        """
        name = f"mail/{kind}.html"
        return self._styled(name, self._fill(name, **values), lambda html: self._styles.piece(html, around))

    def outline(self, kind: str, suffix: str) -> Outline | None:
        """The template of a kind of piece with blanks, if it has an outline and no mistake that `render` would tell."""
        try:
            return outline(self._environment, kind, suffix)
        except jinja2.TemplateError:
            return None

    def render_notice(self, subject: str, lines: Sequence[str], user_agent: str) -> Rendered:
        """The mail to the operator; text only.

        Raises:
            TemplateError: as for `render`.
        """
        values = {"subject": subject, "lines": lines, "user_agent": user_agent}
        return Rendered(
            subject=one_line(self._fill("mail/operator.subject.txt", **values), SUBJECT_LIMIT),
            text=_text(self._fill("mail/operator.txt", **values)),
            html="",
        )

    def render_invitation(self, invitation: Invitation) -> Rendered:
        """The mail that asks somebody whether they want mail; raises as `render`."""
        html = self._fill("mail/confirm.html", invitation=invitation)
        return Rendered(
            subject=one_line(self._fill("mail/confirm.subject.txt", invitation=invitation), SUBJECT_LIMIT),
            text=_text(self._fill("mail/confirm.txt", invitation=invitation)),
            html=self._styled("mail/confirm.html", html, self._styles.page)[0],
        )

    def check(self) -> None:
        """Try every template with every block in use.

        Raises:
            TemplateError: the first mistake found.
        """
        for letter in samples():
            if not self.render(letter).subject:
                raise TemplateError("mail/digest.subject.txt", None, "the subject is empty", hint=_HINT)
        for invitation in invitations():
            self.render_invitation(invitation)
        self.render_notice("Nothing new", ["No source brought a new paper:", "- arxiv: it did not answer"], "digest")

    def _fill(self, name: str, environment: jinja2.Environment | None = None, /, **values: object) -> str:
        try:
            return (environment or self._environment).get_template(name).render(values)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(error.filename or name, error.lineno, error.message or "", hint=_HINT) from error
        except Exception as error:  # whatever a template can provoke: undefined names, wrong types, missing includes
            place, line = _place(error)
            missing = "there is no template " * isinstance(error, jinja2.TemplateNotFound)
            raise TemplateError(
                place or name, line, missing + (str(error) or type(error).__name__), hint=_HINT
            ) from error

    def _styled(self, name: str, html: str, style: Callable[[str], T]) -> T:
        try:
            return style(html)
        # css-inline's errors are ValueErrors
        except (LxmlError, ValueError, TypeError, AttributeError, AssertionError) as error:
            reason = f"its CSS cannot be inlined: {error}"
            raise TemplateError(name, None, reason, hint=_HINT) from error


def wrap(text: str, indent: str = "", first: str | None = None) -> str:
    """Template filter: the text in lines of at most 72 columns; words and links are never broken.

    Args:
        text: one paragraph; white space other than spaces that do not break counts as one space.
        indent: before every line.
        first: before the first line instead; None: `indent`.
    """
    if "  " in text or not text.isprintable():  # hardly ever, and slow
        text = _WHITE_SPACE.sub(" ", text)
    rest = text.strip(" ")
    if not rest:
        return ""
    lines, before = [], indent if first is None else first
    while (end := _line_end(rest, _TEXT_WIDTH - len(before))) < len(rest):
        lines.append(before + rest[:end])
        rest, before = rest[end + 1 :], indent
    return "\n".join([*lines, before + rest])


def _line_end(text: str, room: int) -> int:
    """Where the first line ends: at the last space within `room`, else at the first one."""
    if len(text) <= room:
        return len(text)
    end = text.rfind(" ", 0, max(room, 0) + 1)
    return text.find(" ") % (len(text) + 1) if end < 0 else end


def breakable(text: str) -> str:
    """Template filter: words too long for a phone may break after every 16th character.

    A zero-width space does what `overflow-wrap` does, also where mail programs drop that. Links break at their own
    slashes and stay whole when copied; East Asian scripts break anywhere.
    """
    # nearly always, and five times as fast
    if len(text) < _UNBREAKABLE or max(map(len, text.split()), default=0) < _UNBREAKABLE:
        return text
    return _LONG_WORD.sub(lambda match: "\u200b".join(textwrap.wrap(match[0], 16)), text)


def packaged() -> Path:
    """In a wheel the templates lie inside the package; in a checkout beside it."""
    package = Path(__file__).parents[1]
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def _place(error: BaseException) -> tuple[str, int | None]:
    """File and line of the innermost template in a traceback; Jinja rewrites its frames to point there."""
    place: tuple[str, int | None] = ("", None)
    traceback = error.__traceback__
    while traceback:
        if "__jinja_exception__" in traceback.tb_frame.f_globals:
            place = (traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)
        traceback = traceback.tb_next
    return place


def tidied(text: str) -> str:
    """Without white space at line ends, and with at most two empty lines in a row."""
    lines = "\n".join([line.rstrip() for line in text.split("\n")])
    return _EMPTY_LINES.sub("\n\n\n", lines) if "\n\n\n\n" in lines else lines


def _text(text: str) -> str:
    return tidied(text).strip("\n") + "\n"
