"""Can every text of a page be read on its ground, in the light and in the dark scheme?

WCAG 2.1, 1.4.3 wants a contrast of 4.5; the 3.0 that it grants to large text is not granted here, as mail programs set
sizes as they like. A scheme is put into `style` attributes by css-inline, as browsers would resolve it; then every
text is looked at. Text that is hidden is not; pictures as grounds and `opacity` are not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import css_inline

from digest.compose.lint.opened import tree
from digest.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from digest.compose.lint.opened import Opened

#: https://www.w3.org/TR/WCAG21/#contrast-minimum
CONTRAST = 4.5

#: red, green, blue from 0 to 255, and opacity from 0 to 1
Colour = tuple[float, float, float, float]

_BLACK, _WHITE = (0.0, 0.0, 0.0, 1.0), (255.0, 255.0, 255.0, 1.0)
#: what Chromium draws on and links with where a page declares the dark scheme, and no colours
_DARK_GROUND, _LINK, _DARK_LINK = (18.0, 18.0, 18.0, 1.0), (0.0, 0.0, 238.0, 1.0), (158.0, 158.0, 255.0, 1.0)
#: the names of CSS 1 and some that are common; others are reported as not understood
_NAMES = {
    "aqua": "#00ffff",
    "black": "#000000",
    "blue": "#0000ff",
    "cyan": "#00ffff",
    "darkgray": "#a9a9a9",
    "darkgrey": "#a9a9a9",
    "fuchsia": "#ff00ff",
    "gray": "#808080",
    "green": "#008000",
    "grey": "#808080",
    "lightgray": "#d3d3d3",
    "lightgrey": "#d3d3d3",
    "lime": "#00ff00",
    "magenta": "#ff00ff",
    "maroon": "#800000",
    "navy": "#000080",
    "olive": "#808000",
    "orange": "#ffa500",
    "purple": "#800080",
    "red": "#ff0000",
    "silver": "#c0c0c0",
    "teal": "#008080",
    "transparent": "#00000000",
    "white": "#ffffff",
    "whitesmoke": "#f5f5f5",
    "yellow": "#ffff00",
}
#: leave the colour as it is around the element
_INHERITED = frozenset(["inherit", "currentcolor", "unset", "revert", "initial", "none", ""])
#: rules for one scheme: which, and what is in them
_FOR_SCHEME = re.compile(
    r"@media[^{}]*prefers-color-scheme:\s*(light|dark)[^{}]*\{((?:[^{}]*\{[^{}]*\})*[^{}]*)\}", re.IGNORECASE
)
_FUNCTION = re.compile(r"rgba?\(\s*([^()]*?)\s*\)", re.IGNORECASE)
_COLOUR = re.compile(
    r"#[0-9a-f]+\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\([^()]*\)|\b[a-z]+\b", re.IGNORECASE
)
_HIDDEN = re.compile(r"display:none|visibility:hidden|mso-hide:all|font-size:0(?:px|pt|em)?(?:;|$)|opacity:0(?:;|$)")
_UNSEEN = frozenset(["head", "style", "script", "title", "template", "noscript"])
#: named at most, of one scheme
_MOST = 5


@dataclass(frozen=True, slots=True)
class _Place:
    """What an element inherits: its colour, and the opaque ground under it."""

    text: Colour
    ground: Colour
    hidden: bool = False


def contrast(mail: Opened) -> Iterator[Finding]:
    """What cannot be read, the worst first; each pair of colours once per scheme."""
    if mail.tree is None:
        return
    for scheme in ("light", "dark"):
        try:
            page = tree(_in_scheme(mail.page, scheme))
        except (css_inline.InlineError, ValueError) as error:
            yield Finding("contrast", "wrong", f"the {scheme} style sheet cannot be read: {error}", "mend its CSS")
            continue
        if page is not None:
            yield from _scheme(page, scheme)


def _in_scheme(page: str, scheme: str) -> str:
    """The page with everything that its style sheets say in a scheme written into `style` attributes."""
    shown = _FOR_SCHEME.sub(lambda rules: rules[2] if rules[1].lower() == scheme else "", page)
    return css_inline.CSSInliner(load_remote_stylesheets=False).inline(shown)


def _scheme(page: HtmlElement, scheme: str) -> Iterator[Finding]:
    declared = " ".join(page.xpath("//meta[@name='color-scheme']/@content")).lower()
    in_dark = scheme == "dark" and "dark" in declared
    start = _Place(_WHITE, _DARK_GROUND) if in_dark else _Place(_BLACK, _WHITE)
    unknown: dict[str, None] = {}
    pairs: dict[tuple[Colour, Colour], str] = {}
    for words, place in _texts(page, start, _DARK_LINK if in_dark else _LINK, unknown):
        pairs.setdefault((place.text, place.ground), words)
    weak = sorted((ratio(text, ground), text, ground, words) for (text, ground), words in pairs.items())
    cure = "choose colours farther apart: https://webaim.org/resources/contrastchecker/"
    for found, text, ground, words in [row for row in weak if row[0] < CONTRAST][:_MOST]:
        sentence = f"in the {scheme} scheme {_hex(text)} on {_hex(ground)} has {found:.1f}, not {CONTRAST}: {words!r}"
        yield Finding("contrast", "wrong", sentence, cure)
    for written in list(unknown)[:_MOST]:
        sentence = f"in the {scheme} scheme the colour {written[:60]} is not understood, here and by old mail programs"
        yield Finding("contrast", "advice", sentence, "write it as #rrggbb")


def _texts(page: HtmlElement, start: _Place, link: Colour, unknown: dict[str, None]) -> Iterator[tuple[str, _Place]]:
    """The beginning of every text that is shown, and where it stands; `unknown` takes colours nobody knows."""
    # by hand, as hostile pages may be nested deeper than Python calls
    waiting = [(page, start)]
    while waiting:
        element, around = waiting.pop()
        if not isinstance(element.tag, str) or element.tag in _UNSEEN:
            continue
        place = _place(element, around, link, unknown)
        if place.hidden:
            continue
        for text in (element.text, *(child.tail for child in element)):
            if words := " ".join((text or "").split()):
                yield words[:40], place
        waiting.extend((child, place) for child in reversed(element))


def _place(element: HtmlElement, around: _Place, link: Colour, unknown: dict[str, None]) -> _Place:
    style = _declarations(element.get("style", ""))
    if _HIDDEN.search(";".join(f"{name}:{value.replace(' ', '')}" for name, value in style.items())):
        return _Place(around.text, around.ground, hidden=True)
    ground = around.ground
    back = style.get("background-color") or style.get("background") or element.get("bgcolor") or ""
    if colour := _first_colour(back, unknown, loudly="background-color" in style):
        ground = _over(colour, around.ground)
    text = link if element.tag == "a" and element.get("href") else around.text
    written = style.get("color") or (element.get("color") if element.tag == "font" else "") or ""
    if colour := _first_colour(written, unknown, loudly=True):
        text = colour
    elif written.lower() == "inherit":
        text = around.text
    return _Place(_over(text, ground), ground)


def _declarations(style: str) -> dict[str, str]:
    """Properties and values in lower case, the last of a name as browsers have it, without `!important`."""
    found: dict[str, str] = {}
    important: set[str] = set()
    for declaration in style.lower().split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        plain, mark, _ = value.partition("!important")
        if mark or name not in important:
            found[name] = plain.strip()
        if mark:
            important.add(name)
    return found


def _first_colour(value: str, unknown: dict[str, None], *, loudly: bool) -> Colour | None:
    """The first colour in a value; None if it leaves the colour as it is, or if none is understood."""
    value = value.strip().lower()
    if value in _INHERITED:
        return None
    for written in _COLOUR.findall(re.sub(r"url\([^()]*\)", "", value)):
        if colour := _colour(written):
            return colour
    if loudly:
        unknown[value] = None
    return None


def _colour(written: str) -> Colour | None:
    written = _NAMES.get(written, written)
    if written.startswith("#"):
        digits = written[1:]
        if len(digits) in {3, 4}:
            digits = "".join(digit * 2 for digit in digits)
        if len(digits) not in {6, 8} or re.search(r"[^0-9a-f]", digits):
            return None
        red, green, blue, opacity = bytes.fromhex(digits.ljust(8, "f"))
        return float(red), float(green), float(blue), opacity / 255
    function = _FUNCTION.fullmatch(written)
    return _function(re.split(r"[\s,/]+", function[1])) if function else None


def _function(values: list[str]) -> Colour | None:
    try:
        channels = [float(v[:-1]) * 2.55 if v.endswith("%") else float(v) for v in values[:3]]
        opacity = 1.0 if len(values) < 4 else float(values[3].rstrip("%")) / (100 if "%" in values[3] else 1)
        red, green, blue = (min(max(value, 0.0), 255.0) for value in channels)
    except ValueError:
        return None
    return red, green, blue, min(max(opacity, 0.0), 1.0)


def _over(colour: Colour, ground: Colour) -> Colour:
    """The opaque colour that is seen where one lies over another."""
    share = colour[3]
    red, green, blue = (top * share + under * (1 - share) for top, under in zip(colour[:3], ground[:3], strict=True))
    return red, green, blue, 1.0


def ratio(one: Colour, other: Colour) -> float:
    """The contrast of two opaque colours, from 1 to 21: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio.

    >>> ratio((0.0, 0.0, 0.0, 1.0), (255.0, 255.0, 255.0, 1.0))
    21.0
    """
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return round((lighter + 0.05) / (darker + 0.05), 6)


def _luminance(colour: Colour) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance."""
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in colour[:3])
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(channel):02x}" for channel in colour[:3])
