"""Records → the file formats of `digest export`: Markdown, JSON, CSV, BibTeX, RIS. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

from digest.compose.text import http_link
from digest.publish.bibliography import bibtex, ris

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from digest.publish.record import Record

#: everything that may mean something to Markdown (https://spec.commonmark.org/0.31.2/#backslash-escapes)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")
#: what may mean something at the beginning of a line
_MARKDOWN_START = re.compile(r"^(\d*)([-+=.)])")
#: a spreadsheet takes a cell that begins so for a formula (https://owasp.org/www-community/attacks/CSV_Injection)
_FORMULA = tuple("=+-@\t\r")


def markdown(records: Sequence[Record]) -> str:
    """A list with titles as links, authors, counts and abstracts."""
    return "\n".join(map(_markdown_item, records)) or "No papers.\n"


def _markdown_item(one: Record) -> str:
    title = _plain_markdown(one.title)
    counts = one.paper.signals
    # the address is in angle brackets, so that it may hold brackets (CommonMark 6.3)
    head = f"[{title}](<{one.link}>)" if one.link else title
    told = [
        _plain_markdown(", ".join(one.authors)),
        f"▲ {counts.upvotes:,}" if counts.upvotes else "",
        f"★ {counts.stars:,}" if counts.stars else "",
    ]
    lines = [f"- **{head}**  ", f"  {' · '.join(filter(None, told))}", "", f"  {_plain_markdown(one.abstract)}", ""]
    return "\n".join(line for number, line in enumerate(lines) if line.strip() or number in {2, 4})


def _plain_markdown(text: str) -> str:
    return _MARKDOWN_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", text))


def fields(one: Record) -> dict[str, object]:
    """What is known of a paper, by name; texts as readers see them, links http(s) only."""
    paper, counts = one.paper, one.paper.signals
    return {
        "key": paper.key,
        "title": one.title,
        "authors": list(one.authors),
        "abstract": one.abstract,
        "edition": one.edition.isoformat() if one.edition else None,
        "published": paper.published.isoformat() if paper.published else None,
        "categories": list(paper.categories),
        "sources": list(paper.sources),
        "arxiv": one.arxiv_id,
        "doi": one.doi,
        "url": one.link,
        "pdf": http_link(paper.pdf_url),
        "code": http_link(paper.code_url),
        "project": http_link(paper.project_url),
        "discussion": http_link(paper.discussion_url),
        "upvotes": counts.upvotes,
        "comments": counts.comments,
        "stars": counts.stars,
    }


def to_json(records: Sequence[Record]) -> str:
    """A JSON list, in ASCII."""
    return json.dumps([fields(one) for one in records], indent=2) + "\n"


def to_csv(records: Sequence[Record]) -> str:
    """A table with a head (RFC 4180), lists joined by `; `; no cell that a spreadsheet would compute."""
    out = io.StringIO()
    names = [*_COLUMNS]
    writer = csv.writer(out)
    writer.writerow(names)
    for one in records:
        values = fields(one)
        writer.writerow([_cell(values[name]) for name in names])
    return out.getvalue()


_COLUMNS = (
    *("key", "title", "authors", "edition", "published", "categories", "sources", "arxiv", "doi"),
    *("url", "pdf", "code", "project", "discussion", "upvotes", "comments", "stars", "abstract"),
)


def _cell(value: object) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


#: name on the command line → what writes it
FORMATS: Mapping[str, Callable[[Sequence[Record]], str]] = {
    "md": markdown,
    "json": to_json,
    "bib": bibtex,
    "ris": ris,
    "csv": to_csv,
}
