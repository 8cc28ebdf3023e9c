"""Searches at arXiv: answers of export.arxiv.org/api/query go in, papers come out, the newest submissions first.

Results come in pages of 200; the index changes once a day. Under load the server answers 200 with an empty body, or
with a page without entries although it announces some: both are asked again. Errors come as one entry titled "Error".
Manual: https://info.arxiv.org/help/api/user-manual.html
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from digest.collect.arxiv import authors_of, dois_of
from digest.collect.items import UnusableError, nothing, read_items
from digest.collect.syndication import date_of, read_document, terms_of
from digest.collect.text import MAX_ABSTRACT, MAX_TITLE, link, one_line, terms
from digest.collect.visit import is_blank
from digest.identity import identify
from digest.model import Paper, Problem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from digest.collect.items import Answer, Parsed
    from digest.collect.visit import Visit
    from digest.model import Source

BASE_URL = "https://export.arxiv.org"
#: results per request; the manual allows 2,000 and asks for smaller slices
_PAGE = 200
#: arXiv's own subject codes; ACM and MSC classes look different
_CATEGORY = re.compile(r"[a-z-]+(?:\.[A-Za-z-]+)?")
_COUNTERS = {
    name: re.compile(rb"<opensearch:" + name.encode() + rb"\b[^<>]*>\s*(\d{1,9})\s*<")
    for name in ("totalResults", "startIndex")
}


async def read(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    """One answer per page, until `max_results` or the end."""
    for start in range(0, source.max_results, _PAGE):
        size = min(_PAGE, source.max_results - start)
        answer = await visit.read(
            _url(source, start, size),
            lambda response: parse_arxiv_api(response.body, source=source.name),
            part=f"results from {start + 1}" if start else "",
            accept="application/atom+xml",
            hint="try the query at https://export.arxiv.org/api/query?search_query=…",
            conditional=False,  # the feed's own date makes every answer a new one
            is_incomplete=is_incomplete,
        )
        yield answer
        if answer.failure or len(answer.papers) + len(answer.problems) < size:
            return


def _url(source: Source, start: int, size: int) -> str:
    parameters = {
        "search_query": source.query,
        "start": start,
        "max_results": size,
        "sortBy": "submittedDate",
        "sortOrder": "descending",
    }
    return f"{(source.base_url or BASE_URL).rstrip('/')}/api/query?{urlencode(parameters)}"


def is_incomplete(body: bytes) -> bool:
    """True of an empty answer, and of a page without entries though there are results from its start on."""
    total, start = (_counter(body, name) for name in _COUNTERS)
    return is_blank(body) or (b"<entry" not in body and total > start)


def _counter(body: bytes, name: str) -> int:
    match = _COUNTERS[name].search(body)
    return int(match[1]) if match else 0


def parse_arxiv_api(data: bytes, *, source: str) -> Parsed:
    """Papers of one page of results.

    An "Error" entry, a web page and other answers that are no feed give one problem and no papers. A page with fewer
    entries than it announces gives a problem beside its papers.

    Args:
        data: what the server sent.
        source: name of the source.
    """
    document = read_document(data)
    for entry in document.entries:
        if "/api/errors" in one_line(entry.get("id")):
            return nothing(f"says: {one_line(entry.get('summary'), 300) or 'Error'}", "arXiv")
    papers, problems = read_items(document.entries, partial(_paper, source=source), _where)
    return papers, document.problems + _shortage(document.channel, len(document.entries)) + problems


def _shortage(channel: Mapping[str, Any], entries: int) -> tuple[Problem, ...]:
    """Does the page hold as many entries as its own counters promise?"""
    counters = [one_line(channel.get(f"opensearch_{name}")) for name in ("totalresults", "startindex", "itemsperpage")]
    if not all(counter.isdecimal() for counter in counters):
        return ()
    total, start, size = (int(counter[:9]) for counter in counters)
    promised = max(0, min(size, total - start))
    if entries >= promised:
        return ()
    return (Problem("the answer", f"announces {promised} results on this page and has {entries}"),)


def _where(number: int, entry: Mapping[str, Any]) -> str:
    return one_line(entry.get("id")) or f"result {number}"


def _paper(entry: Mapping[str, Any], *, source: str) -> Paper:
    found = identify(one_line(entry.get("id")))
    if not found or not found.key.startswith("arxiv:"):
        raise UnusableError("has no arXiv identifier")
    title = one_line(entry.get("title"), MAX_TITLE)
    if not title:
        raise UnusableError("has no title")
    number = found.key.removeprefix("arxiv:")
    primary = entry.get("arxiv_primary_category") or {}
    subjects = [code for code in [primary.get("term") or "", *terms_of(entry)] if _CATEGORY.fullmatch(code)]
    return Paper(
        key=found.key,
        title=title,
        abstract=one_line(entry.get("summary"), MAX_ABSTRACT),
        authors=authors_of(entry),
        url=f"https://arxiv.org/abs/{number}",
        aliases=dois_of(entry),
        version=found.version,
        published=date_of(entry, "published"),
        categories=terms(subjects),
        sources=(source,),
        comment=one_line(entry.get("arxiv_comment"), 500),
        journal_ref=one_line(entry.get("arxiv_journal_ref")),
        licence=link(entry.get("rights")),
        pdf_url=f"https://arxiv.org/pdf/{number}",
    )
