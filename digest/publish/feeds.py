"""Days of papers → Atom (RFC 4287), JSON Feed (https://www.jsonfeed.org/version/1.1/) and sitemap. Pure.

An entry is a day. Its id is a `tag:` URI (RFC 4151) of the operator's domain, and stays when the archive moves. Links
are absolute if the archive's address is known; else Atom's are relative to the feed, and a JSON Feed, where links must
not be, has none.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

_ATOM = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
#: what no XML 1.0 document may hold (§2.2)
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: most addresses in one sitemap file (https://www.sitemaps.org/protocol.html)
_MOST_ADDRESSES = 50_000


@dataclass(frozen=True, slots=True)
class Address:
    """By what an archive goes."""

    #: the operator's domain, in ASCII; part of the feeds' ids
    domain: str
    #: http(s) address of the folder with a slash at the end; empty: unknown
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A day in a feed."""

    day: date
    title: str
    updated: datetime
    #: HTML
    content: str
    #: its page, from the top; empty if it has none
    path: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """Days, the latest first."""

    title: str
    address: Address
    #: what tells this feed's ids from those of others
    name: str
    #: where the feed's files are, from the top, with a slash at the end; empty: at the top
    folder: str
    entries: Sequence[Entry]
    #: tag (RFC 5646) of the language in which it tells
    language: str

    @property
    def root(self) -> str:
        """From the feed to the top: an address, or a relative one."""
        return self.address.base_url or "../" * self.folder.count("/")

    def tag(self, day: date) -> str:
        """The id of a day's entry."""
        return f"tag:{self.address.domain},{day.isoformat()}:{self.name}"


def atom(feed: Feed) -> bytes:
    """The feed as Atom."""
    # RFC 4287 §2: titles and contents are in this language where they do not say otherwise
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": feed.language})
    _text(root, "title", feed.title)
    _text(root, "id", f"tag:{feed.address.domain},2026:{feed.name}")
    _text(root, "updated", _moment(max((entry.updated for entry in feed.entries), default=None)))
    author = ET.SubElement(root, "author")
    _text(author, "name", feed.address.domain)
    if feed.address.base_url:
        ET.SubElement(root, "link", {"rel": "self", "href": f"{feed.address.base_url}{feed.folder}feed.atom"})
    ET.SubElement(root, "link", {"rel": "alternate", "href": f"{feed.root}index.html"})
    for entry in feed.entries:
        item = ET.SubElement(root, "entry")
        _text(item, "title", entry.title)
        _text(item, "id", feed.tag(entry.day))
        _text(item, "updated", _moment(entry.updated))
        if entry.path:
            ET.SubElement(item, "link", {"rel": "alternate", "href": f"{feed.root}{entry.path}"})
        _text(item, "content", entry.content, type="html")
    return _document(root)


def json_feed(feed: Feed) -> bytes:
    """The feed as JSON Feed 1.1."""
    told: dict[str, object] = {"version": "https://jsonfeed.org/version/1.1", "title": feed.title}
    if feed.address.base_url:
        told |= {"home_page_url": feed.address.base_url, "feed_url": f"{feed.address.base_url}{feed.folder}feed.json"}
    items: list[dict[str, object]] = []
    for entry in feed.entries:
        link = {"url": f"{feed.address.base_url}{entry.path}"} if feed.address.base_url and entry.path else {}
        item = {"id": feed.tag(entry.day), **link, "title": entry.title, "content_html": entry.content}
        items.append({**item, "date_modified": _moment(entry.updated)})
    return (json.dumps({**told, "language": feed.language, "items": items}, indent=1) + "\n").encode("ascii")


def sitemaps(base_url: str, paths: Sequence[str]) -> Iterable[tuple[str, bytes]]:
    """Name and contents of the sitemap, and of its parts if it is long; paths are from the top."""
    parts = [paths[start : start + _MOST_ADDRESSES] for start in range(0, len(paths), _MOST_ADDRESSES)]
    if len(parts) < 2:
        yield "sitemap.xml", _addresses("urlset", "url", base_url, paths)
        return
    for number, part in enumerate(parts, 1):
        yield f"sitemap-{number}.xml", _addresses("urlset", "url", base_url, part)
    names = [f"sitemap-{number}.xml" for number in range(1, len(parts) + 1)]
    yield "sitemap.xml", _addresses("sitemapindex", "sitemap", base_url, names)


def _addresses(kind: str, each: str, base_url: str, paths: Iterable[str]) -> bytes:
    root = ET.Element(kind, {"xmlns": _SITEMAP})
    for path in paths:
        _text(ET.SubElement(root, each), "loc", f"{base_url}{path.removesuffix('index.html')}")
    return _document(root)


def _text(parent: ET.Element, name: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, name, attributes).text = _NO_XML.sub("", text)


def _document(root: ET.Element) -> bytes:
    ET.indent(root, " ")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _moment(moment: datetime | None) -> str:
    """RFC 3339; of no moment the beginning of time, for `updated` has to be there."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z" if moment else "1970-01-01T00:00:00Z"
