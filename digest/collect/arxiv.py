"""arXiv's daily announcements: the Atom feeds of rss.arxiv.org go in, papers come out.

One request per category, never an archive as a whole: a feed holds 2,000 items, and in a union that is longer the new
papers are the ones cut off. Atom, not RSS: its texts are declared as plain, so that no parser takes `a<b` for a tag.

The label `new` is relative to the category asked for, so the same paper is "new" in one feed and "cross" in another:
`unite` keeps the best. A feed without items is what arXiv sends on weekends and holidays.

Now and then the feed of one category is that of the day before, under today's dates, and only its papers give it away:
what others list under it is newer than all it has. That is a failure of this category, so that it is asked for again.
Format: https://info.arxiv.org/help/rss_specifications.html
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote

from digest.collect.authors import split_commas
from digest.collect.items import Answer, UnusableError, nothing, read_items
from digest.collect.syndication import date_of, read_document, terms_of
from digest.collect.text import MAX_ABSTRACT, MAX_TITLE, link, names, one_line, terms
from digest.identity import identify
from digest.model import Announce, Paper, Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from digest.collect.items import Parsed
    from digest.collect.visit import Visit
    from digest.model import Source

BASE_URL = "https://rss.arxiv.org"
_HEAD = re.compile(r"^arXiv:\S+\s+Announce Type:\s*\S+\s*(?:Abstract:\s*)?")
#: of one feed, https://github.com/arXiv/arxiv-feed
_MAX_ENTRIES = 2_000
#: keys that sort by age: the numbers since April 2007
_NUMBERED = re.compile(r"arxiv:\d")
#: fewer papers than this prove nothing
_MIN_LACKING = 3
_LABELS: Mapping[str, Announce] = {label: label for label in get_args(Announce)}


async def read(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    """One answer per category, in the order of the configuration, and one more for each that is behind the others."""
    feeds: dict[str, tuple[Paper, ...]] = {}
    for category in source.categories:
        answer = await visit.read(
            f"{(source.base_url or BASE_URL).rstrip('/')}/atom/{quote(category)}",
            lambda response: parse_arxiv(response.body, source=source.name),
            part=category,
            accept="application/atom+xml",
            hint=f"is {category} a category or archive of arXiv? See https://arxiv.org/category_taxonomy",
        )
        feeds[category] = answer.papers
        yield answer
    for category, missing in behind(feeds).items():
        failure = f"its feed lacks {missing} papers that are listed under it and newer than all it has"
        yield Answer(category, failure=failure, hint="arXiv may still serve yesterday's feed; the next pull asks again")


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
    return papers, document.problems + _cut_off(len(document.entries)) + problems


def _cut_off(entries: int) -> tuple[Problem, ...]:
    if entries < _MAX_ENTRIES:
        return ()
    return (Problem("the feed", f"is cut off after {entries} items, new papers first; name its categories instead"),)


def behind(feeds: Mapping[str, Sequence[Paper]]) -> dict[str, int]:
    """Categories whose feed is older than the others', and how many new papers it lacks for certain.

    A new paper is in the feeds of all its categories on the same day, and numbers only grow. So a feed is behind if
    others hold new papers of its category that are newer than everything in it; a few may have been moved by hand.
    Empty feeds tell nothing: they are quiet, failed or not modified.

    Args:
        feeds: category or archive → papers of its feed.
    """
    lacking = {category: _newer_elsewhere(category, feeds) for category, papers in feeds.items() if papers}
    return {category: len(missing) for category, missing in lacking.items() if len(missing) >= _MIN_LACKING}


def _newer_elsewhere(category: str, feeds: Mapping[str, Sequence[Paper]]) -> set[str]:
    """Keys of the new papers in other feeds that are listed under `category` and newer than all in its own feed."""
    newest = max((paper.key for paper in feeds[category] if _NUMBERED.match(paper.key)), default="")
    return {
        paper.key
        for papers in feeds.values()
        for paper in papers
        if paper.announce == "new" and paper.key > newest and _NUMBERED.match(paper.key) and _is_in(paper, category)
    }


def _is_in(paper: Paper, category: str) -> bool:
    """Whether a paper is listed under a category, or under one of an archive; the server ignores case."""
    wanted = category.casefold()
    return any(f"{listed.casefold()}.".startswith(f"{wanted}.") for listed in paper.categories)


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
    found = (identify(text) for text in one_line(entry.get("arxiv_doi"), MAX_TITLE).split())
    return tuple(sorted({doi.key for doi in found if doi and doi.key.startswith("doi:")}))
