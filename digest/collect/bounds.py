"""Bounds for feedparser, which gives a stranger all the time and memory that his feed asks for.

A deadline does not help: a thread that parses cannot be ended, and whoever waits for it waits on. There is no public
place to mend it, so its classes are changed when this file is imported. No feed of papers comes near these numbers.
"""

from __future__ import annotations

import re
from typing import Any

from feedparser.mixin import _FeedParserMixin
from feedparser.parsers.strict import _StrictFeedParser

#: feedparser looks for each element's namespace among all
_MAX_NAMESPACES = 200
#: and for each attribute's name among all of its element
_MAX_ATTRIBUTES = 200
#: and for each category among those of its item; nobody is told of so many
_MAX_CATEGORIES = 100
#: characters of the address from which links count, which `xml:base` within `xml:base` makes longer and longer
_MAX_BASE = 2_000
#: open elements, each of which keeps such an address; in a feed that is no XML those that nobody closes count
_MAX_DEPTH = 50_000
#: letters without end in which feedparser would look for a mail address; none is longer (RFC 5321 §4.5.3.1)
_ENDLESS = re.compile(r"([a-zA-Z0-9_.+-]{320})[a-zA-Z0-9_.+-]+")

_start_tag = _FeedParserMixin.unknown_starttag
_start_element = _StrictFeedParser.startElementNS
_track_namespace = _FeedParserMixin.track_namespace
_add_tag = _FeedParserMixin._add_tag  # noqa: SLF001 - see above
_find_address = _FeedParserMixin._sync_author_detail  # noqa: SLF001 - see above


class EndlessError(ValueError):
    """A feed that was made to keep its reader busy; the message says how, as what the feed does."""


def _bounded_start_tag(parser: Any, tag: Any, attributes: Any) -> None:
    _start_tag(parser, tag, attributes)
    if len(parser.baseuri) > _MAX_BASE:
        raise EndlessError(f"has an xml:base of more than {_MAX_BASE:,} characters")
    if len(parser.basestack) > _MAX_DEPTH:
        raise EndlessError(f"has more than {_MAX_DEPTH:,} elements within each other")


def _bounded_start_element(parser: Any, name: Any, qname: Any, attributes: Any) -> None:
    if len(attributes) > _MAX_ATTRIBUTES:
        raise EndlessError(f"has an element with more than {_MAX_ATTRIBUTES} attributes")
    _start_element(parser, name, qname, attributes)


def _bounded_track_namespace(parser: Any, prefix: Any, uri: Any) -> None:
    _track_namespace(parser, prefix, uri)
    if len(parser.namespaces_in_use) > _MAX_NAMESPACES:
        raise EndlessError(f"has more than {_MAX_NAMESPACES} XML namespaces")


def _bounded_add_tag(parser: Any, term: Any, scheme: Any, label: Any) -> None:
    if len(parser._get_context().get("tags", ())) < _MAX_CATEGORIES:  # noqa: SLF001 - see above
        _add_tag(parser, term, scheme, label)


def _bounded_find_address(parser: Any, key: str = "author") -> None:
    """In a name of 200,000 letters it would take minutes: it is one regular expression."""
    context = parser._get_context()  # noqa: SLF001 - see above
    if isinstance(name := context.get(key), str):
        context[key] = _ENDLESS.sub(r"\1", name)
    _find_address(parser, key)


_FeedParserMixin.unknown_starttag = _bounded_start_tag
_FeedParserMixin.track_namespace = _bounded_track_namespace
_FeedParserMixin._add_tag = _bounded_add_tag  # noqa: SLF001 - see above
_FeedParserMixin._sync_author_detail = _bounded_find_address  # noqa: SLF001 - see above
_StrictFeedParser.startElementNS = _bounded_start_element
