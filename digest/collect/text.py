"""Strings, addresses, dates and numbers from strangers, made safe to keep: anything goes in, clean values come out.

Texts lose line breaks, control characters and what cannot be encoded, nothing else: TeX, bidirectional marks and
angle brackets stay as the source sent them. Whatever is not what it should be comes out empty or None.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import nh3

from digest.identity import is_address

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_TITLE = 1_000
MAX_ABSTRACT = 20_000
#: the largest collaborations (LHC) list some 3,000; a mail shows a handful
MAX_AUTHORS = 2_000
_MAX_NAME = 200
_MAX_LINK = 2_000
_MAX_TERMS = 50
#: markup that is not looked at any further; HTML of an abstract is a few times longer than its text
_MAX_HTML = 10 * MAX_ABSTRACT
#: elements within elements, of which browsers keep 512: the time to read them grows with the square of their depth
_MAX_DEPTH = 500
_MAX_COUNT = 10**9

#: C0 and C1 controls that are not white space, and lone surrogates
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")
#: what gives HTML away: a tag or a character reference; `a < b` and `AT&T` are neither
_MARKUP = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>|<!--|&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);", re.IGNORECASE)
#: tags between which words do not touch
_BREAK = re.compile(r"</?(?:p|br|div|li|ul|ol|dl|dt|dd|h[1-6]|td|th|tr|table|blockquote|section|hr)\b", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-z][^\s/>]*)", re.IGNORECASE)
#: those that hold nothing (HTML §13.1.2)
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
_DAY = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(.*)", re.ASCII | re.DOTALL)


def one_line(value: object, limit: int = _MAX_NAME) -> str:
    r"""A text on one line, at most `limit` characters; empty if `value` is no text.

    >>> one_line("Two\r\n  lines\x00 and a bell\x07")
    'Two lines and a bell'
    """
    if not isinstance(value, str):
        return ""
    # twice the limit leaves room for what collapses, and keeps a text of megabytes cheap
    return " ".join(_UNPRINTABLE.sub("", value[: 2 * limit + 1_000]).split())[:limit].rstrip()


def plain(value: object, limit: int) -> str:
    """The text of an HTML fragment on one line; text without markup stays as it is, `<` and `&` included.

    >>> plain("<p>On <i>E. coli</i></p><p>and 5 &lt; 6</p><script>x()</script>", 100)
    'On E. coli and 5 < 6'
    """
    if not isinstance(value, str):
        return ""
    if _MARKUP.search(value):
        spaced = _BREAK.sub(lambda tag: " " + tag[0], _shallow(_UNPRINTABLE.sub("", value[:_MAX_HTML])))
        value = html.unescape(nh3.clean(spaced, tags=set()))
    return one_line(value, limit)


def _shallow(markup: str) -> str:
    """As much of it as comes before it is nested too deep for anybody."""
    inside, depth = Counter[str](), 0
    for tag in _TAG.finditer(markup):
        name = tag[2].lower()
        if not tag[1] and name not in _VOID:
            inside[name] += 1
            depth += 1
        elif inside[name]:
            inside[name] -= 1
            depth -= 1
        if depth > _MAX_DEPTH:
            return markup[: tag.start()]
    return markup


def link(value: object) -> str:
    """An http(s) address; empty if `value` is anything else (`javascript:`, a relative path, two words)."""
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= _MAX_LINK and is_address(text) else ""


def names(values: Iterable[object]) -> tuple[str, ...]:
    """Display names, the empty ones left out."""
    return tuple(name for value in values if (name := one_line(value)))[:MAX_AUTHORS]


def terms(values: Iterable[object]) -> tuple[str, ...]:
    """Subject codes or topics, without repeats."""
    return tuple(dict.fromkeys(term for value in values if (term := one_line(value))))[:_MAX_TERMS]


def moment(value: object) -> datetime | None:
    """An ISO 8601 date or time in UTC, day and month padded or not; None without a day, or outside 1900–2199.

    A time without a zone is taken as UTC.

    >>> moment("2026-6-30")
    datetime.datetime(2026, 6, 30, 0, 0, tzinfo=datetime.timezone.utc)
    >>> moment("2026") is None
    True
    """
    parts = _DAY.match(value) if isinstance(value, str) else None
    if not parts:
        return None
    year, month, day, rest = parts.groups()
    try:
        found = datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}{rest.rstrip()}")
    except ValueError:
        return None
    if not 1900 <= found.year < 2200:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def count(value: object) -> int | None:
    """A number of votes, comments or stars; None if it is none, or absurd."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MAX_COUNT else None
