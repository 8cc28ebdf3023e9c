"""arXiv's daily announcements: the Atom feeds of rss.arxiv.org go in, papers come out.

One request per category, never an archive as a whole: a feed holds 2,000 items, and in a union that is longer the new
papers are the ones cut off. Atom, not RSS: its texts are declared as plain, so that no parser takes `a<b` for a tag.

The label `new` is relative to the category asked for, so the same paper is "new" in one feed and "cross" in another:
`unite` keeps the best. A feed without items is what arXiv sends on weekends and holidays.
Format: https://info.arxiv.org/help/rss_specifications.html
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote

from digest.collect.authors import split_commas
from digest.collect.items import UnusableError, nothing, read_items
from digest.collect.syndication import date_of, read_document, terms_of
from digest.collect.text import MAX_ABSTRACT, MAX_TITLE, link, names, one_line, terms
from digest.identity import identify
from digest.model import Announce, Paper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from digest.collect.items import Answer, Parsed
    from digest.collect.visit import Visit
    from digest.model import Source

BASE_URL = "https://rss.arxiv.org"
_HEAD = re.compile(r"^arXiv:\S+\s+Announce Type:\s*\S+\s*(?:Abstract:\s*)?")
_LABELS: Mapping[str, Announce] = {label: label for label in get_args(Announce)}


async def read(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    """One answer per category, in the order of the configuration."""
    for category in source.categories:
        yield await visit.read(
            f"{(source.base_url or BASE_URL).rstrip('/')}/atom/{quote(category)}",
            partial(parse_arxiv, source=source.name),
            part=category,
            accept="application/atom+xml",
            hint=f"is {category} a category or archive of arXiv? See https://arxiv.org/category_taxonomy",
        )


def parse_arxiv(data: bytes, *, source: str) -> Parsed:
    """Papers of one Atom feed of rss.arxiv.org, all announce types.

    Error feeds ("Feed error for query …"), web pages and other answers that are no feed give one problem and no papers.

    Args:
        data: what the server sent.
        source: name of the source.
    """
    document = read_document(data)
    if one_line(document.channel.get("title")).startswith("Feed error"):
        return nothing(f"says: {one_line(document.channel.get('subtitle'), 300) or 'feed error'}", "arXiv")
    papers, problems = read_items(document.entries, partial(_paper, source=source), _where)
    return papers, document.problems + problems


def _where(number: int, entry: Mapping[str, Any]) -> str:
    return one_line(entry.get("id")) or one_line(entry.get("title")) or f"item {number}"


def _paper(entry: Mapping[str, Any], *, source: str) -> Paper:
    found = identify(one_line(entry.get("id"))) or identify(one_line(entry.get("link")))
    if not found or not found.key.startswith("arxiv:"):
        raise UnusableError("has no arXiv identifier")
    title = one_line(entry.get("title"), MAX_TITLE)
    if not title:
        raise UnusableError("has no title")
    announce = _LABELS.get(one_line(entry.get("arxiv_announce_type")))
    if not announce:
        raise UnusableError(f"has an unknown announce type: {one_line(entry.get('arxiv_announce_type')) or 'none'}")
    number = found.key.removeprefix("arxiv:")
    return Paper(
        key=found.key,
        title=title,
        abstract=without_announcement(one_line(entry.get("summary"), MAX_ABSTRACT)),
        authors=authors_of(entry),
        url=f"https://arxiv.org/abs/{number}",
        aliases=dois_of(entry),
        version=found.version,
        # the date of a replacement is the day of the announcement, not of the work's first appearance
        published=date_of(entry, "published") if announce in {"new", "cross"} else None,
        categories=terms(terms_of(entry)),
        announce=announce,
        sources=(source,),
        journal_ref=one_line(entry.get("arxiv_journal_reference")),
        licence=link(entry.get("rights")),
        pdf_url=f"https://arxiv.org/pdf/{number}",
    )


def without_announcement(abstract: str) -> str:
    """The abstract without the head that arXiv's feeds put before it (`arXiv:…v1 Announce Type: new Abstract: `)."""
    return _HEAD.sub("", abstract, count=1)


def authors_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """All `dc:creator` or `author` elements; each may hold several names."""
    people = [person.get("name") or "" for person in entry.get("authors", ())]
    return names(name for person in people for name in split_commas(person))


def dois_of(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of the DOIs that arXiv knows; there may be several, separated by blanks."""
    found = (identify(text) for text in one_line(entry.get("arxiv_doi")).split())
    return tuple(sorted({doi.key for doi in found if doi and doi.key.startswith("doi:")}))
