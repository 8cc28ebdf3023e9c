"""Letter → subject, text and HTML, by Jinja templates; reads template files and nothing else.

A user's folder comes before the packaged templates, file by file: `mail/digest.html` there replaces ours. Templates run
in Jinja's sandbox, escape every value in `.html`, and fail on names that do not exist. A template that fails is a
`TemplateError` with file and line.
"""

from __future__ import annotations

import logging
import re
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import css_inline
import jinja2
from jinja2.sandbox import SandboxedEnvironment
from lxml.etree import LxmlError
from premailer import Premailer

from digest.compose.sample import samples
from digest.compose.text import one_line
from digest.compose.words import counted
from digest.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from digest.compose.letter import Letter

Inliner = Literal["premailer", "css-inline"]

#: RFC 2822 §2.1.1 allows 998, but a phone shows 40 and a wide screen about 70
SUBJECT_LIMIT = 70
_TEXT_WIDTH = 72
#: 25 or more characters without a natural place to break, none of them East Asian
_LONG_WORD = re.compile(r"[^\s/?\-\u2e80-\U0010ffff]{25,}")
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


class Renderer:
    """Templates, loaded once and used for any number of mails.

    Args:
        templates: folder whose files replace packaged ones of the same name; None: only the packaged ones.
        inliner: which library moves CSS into `style` attributes. Both give the same look; css-inline is faster.

    Raises:
        TemplateError: `templates` is not a folder.
    """

    def __init__(self, templates: Path | None = None, inliner: Inliner = "premailer") -> None:
        if templates is not None and not templates.is_dir():
            raise TemplateError(str(templates), None, "there is no such folder", hint="create it, or correct its path")
        folders = [folder for folder in (templates, _packaged()) if folder is not None]
        self._environment = SandboxedEnvironment(
            loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(folder) for folder in folders]),
            autoescape=jinja2.select_autoescape(["html"]),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters |= {"wrap": wrap, "breakable": breakable, "counted": counted}
        self._inline: Callable[[str], str] = _premailer if inliner == "premailer" else _css_inline

    def render(self, letter: Letter) -> Rendered:
        """The mail to a subscriber.

        Raises:
            TemplateError: naming the template at fault, and the line if it is known.
        """
        return Rendered(
            subject=one_line(self._fill("mail/digest.subject.txt", letter=letter), SUBJECT_LIMIT),
            text=_tidied(self._fill("mail/digest.txt", letter=letter)),
            html=self._inlined("mail/digest.html", self._fill("mail/digest.html", letter=letter)),
        )

    def render_notice(self, subject: str, lines: Sequence[str], user_agent: str) -> Rendered:
        """The mail to the operator; text only.

        Raises:
            TemplateError: as for `render`.
        """
        values = {"subject": subject, "lines": lines, "user_agent": user_agent}
        return Rendered(
            subject=one_line(self._fill("mail/operator.subject.txt", **values), SUBJECT_LIMIT),
            text=_tidied(self._fill("mail/operator.txt", **values)),
            html="",
        )

    def check(self) -> None:
        """Try every template with every block in use.

        Raises:
            TemplateError: the first mistake found.
        """
        for letter in samples():
            self.render(letter)
        self.render_notice("Nothing new", ["No source brought a new paper:", "- arxiv: it did not answer"], "digest")

    def _fill(self, name: str, **values: Any) -> str:
        try:
            return self._environment.get_template(name).render(**values)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(error.filename or name, error.lineno, error.message or "", hint=_HINT) from error
        except Exception as error:  # whatever a template can provoke: undefined names, wrong types, missing includes
            place, line = _place(error)
            missing = "there is no template " * isinstance(error, jinja2.TemplateNotFound)
            raise TemplateError(
                place or name, line, missing + (str(error) or type(error).__name__), hint=_HINT
            ) from error

    def _inlined(self, name: str, html: str) -> str:
        try:
            return self._inline(html)
        except (LxmlError, css_inline.InlineError, ValueError, TypeError, AttributeError, AssertionError) as error:
            reason = f"its CSS cannot be inlined: {error}"
            raise TemplateError(name, None, reason, hint=_HINT) from error


def wrap(text: str, indent: str = "", first: str | None = None) -> str:
    """Template filter: the text in lines of at most 72 columns; words and links are never broken.

    Args:
        text: one paragraph.
        indent: before every line.
        first: before the first line instead; None: `indent`.
    """
    return textwrap.fill(
        text,
        _TEXT_WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def breakable(text: str) -> str:
    """Template filter: words too long for a phone may break after every 16th character.

    A zero-width space does what `overflow-wrap` does, also where mail programs drop that. Links break at their own
    slashes and stay whole when copied; East Asian scripts break anywhere.
    """
    return _LONG_WORD.sub(lambda match: "\u200b".join(textwrap.wrap(match[0], 16)), text)


def _packaged() -> Path:
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


def _tidied(text: str) -> str:
    """Without spaces at line ends, at most two empty lines in a row, and one line end at the end."""
    lines = "\n".join(line.rstrip() for line in text.strip().split("\n"))
    return re.sub(r"\n{4,}", "\n\n\n", lines) + "\n"


def _premailer(html: str) -> str:
    # strip_important would take the dark scheme's !important away; basic attributes (bgcolor, width) are obsolete HTML.
    # Only the at-rules of the style sheet stay: the rest of it is in the style attributes.
    return str(
        Premailer(
            allow_network=False,
            disable_validation=True,
            cssutils_logging_level=logging.CRITICAL,
            strip_important=False,
            disable_basic_attributes=["align", "valign", "bgcolor", "width", "height"],
        ).transform(html, pretty_print=False)
    )


def _css_inline(html: str) -> str:
    return _css_inliner().inline(html)


@cache
def _css_inliner() -> css_inline.CSSInliner:
    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
