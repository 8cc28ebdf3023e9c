"""A page with a style sheet → the same page with `style` attributes, by premailer or css-inline. Pure.

The page stays as its template wrote it, but for the attributes added and the style sheet taken away; at-rules such as
`@media` cannot be inlined and stay. What an inliner makes of texts and links is never used.

An inliner takes 1 to 20 ms a page. But where selectors are made of types, classes, ids and ancestors alone, the style
of an element follows from its tag and the tags around it. So every kind of element is shown to the inliner once, and
the next page, or a piece of one, takes microseconds. Other selectors (`p + p`, `:first-child`, `[lang]`) are honoured
too, by showing it every page whole.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

from premailer import Premailer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import css_inline

Inliner = Literal["premailer", "css-inline"]

_QUOTED = r"\"[^\"]*\"|'[^']*'"
#: the attributes of a tag; possessive, so that hostile pages cost no backtracking
_ATTRIBUTES = rf"(?:{_QUOTED}|[^'\"<>]++)*+"
#: a comment or a tag; a `>` in quotes ends no tag
MARKUP = re.compile(rf"(<(?:!--.*?--|/?[a-zA-Z]{_ATTRIBUTES})>)", re.DOTALL)
#: a tag as the inliner returns it, under the number that it was given
_NUMBERED = re.compile(rf"<[a-zA-Z](?:{_QUOTED}|[^'\"<>])*?\sdata-element=\"(\d+)\"{_ATTRIBUTES}>")
_STYLE = re.compile(rf"\sstyle=(?:{_QUOTED})", re.IGNORECASE)
#: attributes that no simple selector sees, and whose values are often a paper's or a reader's own
UNSEEN = re.compile(rf"\s(?!class=|id=|style=)[\w:-]+=(?:{_QUOTED})", re.IGNORECASE)
_STYLE_SHEET = re.compile(r"<style\b[^>]*>(.*?)</style>\n?", re.DOTALL | re.IGNORECASE)
_AT_RULE_OR_COMMENT = re.compile(r"/\*.*?\*/|@[\w-]+[^{};]*(?:;|{(?:[^{}]*{[^{}]*})*[^{}]*})", re.DOTALL)
_SELECTORS = re.compile(r"(?:^|})([^{}]*){")
_SIMPLE = re.compile(r"[\w\s.#,>*-]*")
#: https://html.spec.whatwg.org/multipage/syntax.html#void-elements
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
#: style sheets remembered; a template has one or two, unless it writes another for every reader
_SHEETS = 16
#: tags remembered as written, of one element's children; those with links are endless
_TAGS = 64


class PieceError(Exception):
    """A piece of a mail cannot be made without the rest of it."""


@dataclass(slots=True)
class Sheet:
    """A style sheet: all `<style>` elements of a page, as written."""

    source: str
    #: True if every selector is made of types, classes, ids and ancestors
    simple: bool
    #: what the inliner leaves of it, once it was asked
    rest: str = ""


@dataclass(slots=True, eq=False)
class Element:
    """A kind of element: a tag among tags, under a style sheet. The root has no tag."""

    sheet: Sheet
    parent: Element | None = None
    #: as written where it was first seen, and its name in lower case
    tag: str = ""
    name: str = ""
    #: the attribute with a space before it, ` style="…"`, or empty; None: the inliner was not asked yet
    style: str | None = None
    #: what was seen inside it: by tag without the attributes that no selector sees, and some by the whole tag
    children: dict[str, Element] = field(default_factory=dict)

    def child(self, tag: str) -> Element:
        """The kind of an element inside this one; one of its own where the sheet tells elements of a kind apart."""
        if not self.sheet.simple:
            return Element(self.sheet, self, tag, _name(tag))
        seen = UNSEEN.sub("", tag)
        known = self.children.get(seen)
        if known is None:
            known = self.children[seen] = Element(self.sheet, self, tag, _name(tag))
        if len(self.children) < _TAGS:
            self.children[tag] = known
        return known

    def opening(self) -> str:
        """The tags from the outermost to this one."""
        return self.parent.opening() + self.tag if self.parent else ""


class Styles:
    """Styles for any number of pages; remembers every kind of element the inliner was shown.

    `page` and `piece` raise whatever the inliner raises about a page that it cannot read.
    """

    def __init__(self, inliner: Inliner) -> None:
        self._inline: Callable[[str], str] = _premailer if inliner == "premailer" else _css_inline
        self._roots: dict[str, Element] = {}

    def page(self, html: str) -> tuple[str, dict[str, Element]]:
        """A whole page with its styles, and the element around each comment in it."""
        root = self._root("".join(match[0] for match in _STYLE_SHEET.finditer(html)))
        dressed, around = self._dress(html, root)
        rest = iter([root.sheet.rest])
        return _STYLE_SHEET.sub(lambda _: next(rest, ""), dressed), around

    def piece(self, html: str, around: Element) -> str:
        """A piece of a page with the styles that it has inside the element `around`.

        Raises:
            PieceError: its styles may depend on what stands beside it, or it closes what it did not open.
        """
        if not around.sheet.simple:
            raise PieceError("the style sheet has selectors that look beyond an element and those around it")
        return self._dress(html, around)[0]

    def _root(self, source: str) -> Element:
        if source not in self._roots:
            if len(self._roots) >= _SHEETS:
                self._roots.clear()
            self._roots[source] = Element(Sheet(source, _is_simple(source)))
        return self._roots[source]

    def _dress(self, html: str, around: Element) -> tuple[str, dict[str, Element]]:
        parts = MARKUP.split(html)
        elements, comments = _walk(parts[1::2], around)
        if not (elements or around.parent):
            raise ValueError("the page has no elements")
        if any(element.style is None for element in elements.values()):
            self._ask(parts, elements, around)
        for place, element in elements.items():
            if element.style:
                parts[2 * place + 1] = _with_style(parts[2 * place + 1], element.style)
        return "".join(parts), comments

    def _ask(self, parts: Sequence[str], elements: Mapping[int, Element], around: Element) -> None:
        """Show the inliner the page, every element with a number, and note what comes back."""
        page = list(parts)
        for place, element in elements.items():
            tag, end = page[2 * place + 1], 1 + len(element.name)
            page[2 * place + 1] = f'{tag[:end]} data-element="{place}"{tag[end:]}'
        if around.parent:
            page.insert(0, f"<!DOCTYPE html><head>{around.sheet.source}</head>{around.opening()}")
        inlined = self._inline("".join(page))
        styles = {int(tag[1]): _STYLE.search(tag[0]) for tag in _NUMBERED.finditer(inlined)}
        for place, element in elements.items():
            if element.style is None:
                style = styles.get(place)
                element.style = style[0] if style else ""
        if not around.parent:
            around.sheet.rest = "".join(f"<style>{rest}</style>\n" for rest in _STYLE_SHEET.findall(inlined))


def _walk(tags: Iterable[str], around: Element) -> tuple[dict[int, Element], dict[str, Element]]:
    """The kinds of all elements by the place of their tags, and the element around every comment."""
    elements: dict[int, Element] = {}
    comments: dict[str, Element] = {}
    inside = around
    for place, tag in enumerate(tags):
        if element := inside.children.get(tag):
            elements[place] = element
        elif tag[1] == "/":
            inside = _closed(tag[2:-1].strip().lower(), inside, around)
            continue
        elif tag[1] == "!":
            comments[tag] = inside
            continue
        else:
            element = elements[place] = inside.child(tag)
        if element.name not in _VOID:
            inside = element
    if around.parent and inside is not around:
        raise PieceError(f"a piece opens <{inside.name}> and does not close it")
    return elements, comments


def _closed(name: str, inside: Element, around: Element) -> Element:
    """What is left open after `</name>`; elements that were never closed end with the one around them."""
    closing = inside
    while closing is not around and closing.parent:
        if closing.name == name:
            return closing.parent
        closing = closing.parent
    if around.parent:
        raise PieceError(f"a piece closes <{name}> and did not open it")
    return inside


def _name(tag: str) -> str:
    return re.split(r"[\s/>]", tag[1:], maxsplit=1)[0].lower()


def _with_style(tag: str, style: str) -> str:
    if " style=" not in tag and tag[-2] != "/":
        return f"{tag[:-1]}{style}>"
    tag = _STYLE.sub("", tag)
    end = len(tag) - (2 if tag.endswith("/>") else 1)
    return tag[:end].rstrip() + style + tag[end:]


def _is_simple(sheet: str) -> bool:
    rules = _AT_RULE_OR_COMMENT.sub("", _STYLE_SHEET.sub(r"\1", sheet))
    return all(_SIMPLE.fullmatch(selectors) for selectors in _SELECTORS.findall(rules))


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
    # 3 MB that the other inliner does not need
    import css_inline

    return css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
