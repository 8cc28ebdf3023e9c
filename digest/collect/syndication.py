"""RSS, RDF and Atom as such: bytes go in, entries as feedparser sees them come out. Never raises, fetches nothing.

feedparser's own sanitizer stays off: it takes `$a <b$` for a tag; markup is dealt with per field (see `text.plain`).
Its entries are dictionaries of whatever the feed held, so everything taken from them passes through `text`.
"""

from __future__ import annotations

import calendar
import io
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.sax import SAXException

import feedparser

from digest.collect.bounds import EndlessError
from digest.collect.text import moment, one_line
from digest.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(rb"&#(?:x([0-9a-f]{1,8})|([0-9]{1,9}));", re.IGNORECASE)
#: C0 controls that XML has
_WHITE_SPACE = frozenset({0x9, 0xA, 0xD})
_NO_DAY = re.compile(r"\s*\d{4}(?:\W?\d\d?)?\s*")
_ROOT_END = re.compile(rb"</(?:\w+:)?(?:feed|rss|rdf)\s*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Document:
    """A feed."""

    #: what the channel says about itself
    channel: Mapping[str, Any]
    #: in the order of the feed, without one that was cut off
    entries: tuple[Mapping[str, Any], ...]
    #: what is wrong with the feed as a whole
    problems: tuple[Problem, ...] = ()


def read_document(data: bytes) -> Document:
    """Parse a feed of any dialect.

    An answer that is no feed gives no entries and one problem, an empty feed neither. A feed that breaks off loses its
    last entry, half of which may be missing.
    """
    try:
        # a stream, because feedparser takes bytes for the name of a local file first
        found = feedparser.parse(
            io.BytesIO(_REFERENCE.sub(_permitted, data)), sanitize_html=False, resolve_relative_uris=False
        )
    except EndlessError as error:
        return Document({}, (), (Problem("the feed", f"{error}, and was not read"),))
    except Exception as error:  # noqa: BLE001 - feedparser meets bytes its author never saw; that costs this feed only
        return Document({}, (), (Problem("the feed", f"cannot be parsed ({type(error).__name__})"),))
    if not found.get("version"):
        return Document({}, (), (Problem("the answer", f"is not a feed{_glimpse(data)}"),))
    # plain dictionaries: feedparser's own answer for `updated` with `published`, and with a warning
    channel, entries = dict(found.feed), tuple(dict(entry) for entry in found.entries)
    broken = found.get("bozo_exception")
    if not isinstance(broken, SAXException):
        return Document(channel, entries)
    if not _ROOT_END.search(data[-1_000:]):
        return Document(channel, entries[:-1], (Problem("the feed", "breaks off; its last item was left out"),))
    return Document(channel, entries, (Problem("the feed", f"is not well-formed XML ({one_line(str(broken))})"),))


def _permitted(reference: re.Match[bytes]) -> bytes:
    """Nothing in place of a character that XML does not have (§2.2): surrogates crash feedparser, controls stop it."""
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    is_surrogate, is_control = 0xD800 <= code <= 0xDFFF, code < 0x20 and code not in _WHITE_SPACE
    return b"" if is_surrogate or is_control else reference[0]


def _glimpse(data: bytes) -> str:
    """What it is instead: a web page gives its title away."""
    head = data[:20_000].decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>([^<]{1,200})", head, re.IGNORECASE)
    if title:
        return f" but a web page titled “{one_line(title[1], 80)}”"
    return " but a web page" if re.search(r"<html|<body|<!doctype html", head, re.IGNORECASE) else ""


def date_of(entry: Mapping[str, Any], *fields: str) -> datetime | None:
    """The first of some date fields (`published`, `updated`) that names a day, in UTC.

    A bare year or month, of which feedparser makes a first of January, is nobody's day of publication.
    """
    for name in fields:
        found = _parsed_date(entry.get(name), entry.get(f"{name}_parsed"))
        if found:
            return found
    return None


def _parsed_date(text: object, parsed: object) -> datetime | None:
    if found := moment(text):
        return found
    if not isinstance(parsed, time.struct_time) or _NO_DAY.fullmatch(str(text)):
        return None
    try:
        return moment(datetime.fromtimestamp(calendar.timegm(parsed), UTC).isoformat())
    except (ValueError, OverflowError, OSError):
        return None


def terms_of(entry: Mapping[str, Any]) -> list[str]:
    """Terms of the categories, in the order of the entry."""
    return [tag.get("term") or "" for tag in entry.get("tags", ())]
