"""Any other feed: RSS 0.9 to 2.0, RDF or Atom of a journal, a preprint server or a blog goes in, papers come out.

Identifiers (arXiv, DOI, OpenReview) are taken from the fields meant for them, from the link and from the guid. For want
of one the link is the key. If it says nothing about the item, because several share it or it is the channel's own (some
journals link to their home page), the guid or the title under the name of this source is. HTML becomes plain text.

A relative link counts from `xml:base`, else from the address that gave the feed (RFC 3986 §5.1).
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from digest.collect.arxiv import without_announcement
from digest.collect.authors import split_byline
from digest.collect.items import UnusableError, read_items
from digest.collect.syndication import date_of, read_document, terms_of
from digest.collect.text import MAX_ABSTRACT, MAX_TITLE, link, names, one_line, plain, terms
from digest.identity import Identifier, best_key, identify, is_address, own_key, version_of
from digest.model import Paper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from digest.collect.items import Answer, Parsed
    from digest.collect.visit import Visit
    from digest.model import Source

_MAX_ID = 2_000
#: where feeds put an identifier, the field meant for it first
_ID_FIELDS = ("dc_identifier", "prism_doi", "citation_doi", "link", "id")


async def read(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    """The one answer of the feed."""
    yield await visit.read(
        source.url,
        lambda response: parse_feed(response.body, source=source.name, address=response.address),
        accept="application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.5",
        hint="open the address in a browser: is it still the feed, and not a page about it?",
    )


def parse_feed(data: bytes, *, source: str, address: str = "") -> Parsed:
    """Papers of a feed, in its order.

    Web pages and other answers that are no feed give one problem and no papers.

    Args:
        data: what the server sent.
        source: name of the source.
        address: what gave it, without a password; empty: relative links lead nowhere.
    """
    document = read_document(data)
    entries = [
        {**entry, "link": _absolute(entry.get("link"), address, guid=entry.get("id"))} for entry in document.entries
    ]
    addresses = Counter(identifier.key for entry in entries for identifier in _identifiers(entry)[1][:1])
    shared = {address for address, items in addresses.items() if items > 1}
    # also on a day on which only one item links to it: else the item would change its name with its company
    homes = (identify(one_line(_absolute(document.channel.get("link"), address), _MAX_ID)), identify(address))
    shared.update(home.key for home in homes if home)
    papers, problems = read_items(entries, partial(_paper, source=source, shared=shared), _where)
    return papers, document.problems + problems


def _absolute(link: object, address: str, *, guid: object = None) -> str:
    """A link as it is if it is an address or identifies a work, else as seen from `address`; no mere fragments.

    Without a link feedparser gives the guid for one. That is a relative link only if it is a path: `123` is none.
    """
    text = link.strip() if isinstance(link, str) else ""
    is_name = text.startswith("#") or (link == guid and not text.startswith("/"))
    if not text or not address or is_name or is_address(text) or identify(text):
        return text
    try:
        return urljoin(address, text)
    except ValueError:
        return ""


def _where(number: int, entry: Mapping[str, Any]) -> str:
    return plain(entry.get("title"), 200) or one_line(entry.get("id")) or f"item {number}"


def _paper(entry: Mapping[str, Any], *, source: str, shared: set[str]) -> Paper:
    title = plain(entry.get("title"), MAX_TITLE)
    if not title:
        raise UnusableError("has no title")
    works, addresses = _identifiers(entry)
    found = works or [address for address in addresses if address.key not in shared][:1]
    keys = [identifier.key for identifier in found] or [own_key(source, one_line(entry.get("id"), _MAX_ID) or title)]
    key = best_key(keys)
    return Paper(
        key=key,
        title=title,
        abstract=_abstract(entry),
        authors=_authors(entry),
        url=link(entry.get("link")) or link(entry.get("id")),
        aliases=tuple(sorted(set(keys) - {key})),
        # only arXiv says which version of its papers is the newest: a made-up one would win over all to come
        version=None if key.startswith("arxiv:") else version_of(key, found),
        published=date_of(entry, "published", "prism_publicationdate", "updated"),
        categories=terms([*terms_of(entry), entry.get("prism_section")]),
        sources=(source,),
        journal_ref=one_line(entry.get("prism_publicationname")),
        licence=link(entry.get("rights")),
    )


def _identifiers(entry: Mapping[str, Any]) -> tuple[list[Identifier], list[Identifier]]:
    """What identifies a work wherever it appears, and mere addresses."""
    found = [identifier for field in _ID_FIELDS if (identifier := identify(one_line(entry.get(field), _MAX_ID)))]
    addresses = [identifier for identifier in found if identifier.key.startswith("url:")]
    return [identifier for identifier in found if identifier not in addresses], addresses


def _abstract(entry: Mapping[str, Any]) -> str:
    """The summary; a blog that has none gives its whole post."""
    texts = [entry.get("summary"), *(part.get("value") for part in entry.get("content", ()))]
    return without_announcement(next((text for value in texts if (text := plain(value, MAX_ABSTRACT))), ""))


def _authors(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Names; a feed with one author element may have put everybody into it."""
    people = [plain(person.get("name"), 10_000) for person in entry.get("authors", ())]
    return names(name for person in people for name in (split_byline(person) if len(people) == 1 else [person]))
