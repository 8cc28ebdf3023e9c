"""Your own list: one JSON object per line, from a file or an address, goes in, papers come out.

    {"id": "2401.01234", "title": "…", "abstract": "…", "authors": ["…"], "published": "2026-09-15", "upvotes": 3}

Needed: `title`. Known: `id`, `abstract`, `authors` (list or text), `url`, `date` or `published`, `categories` (list or
text), `doi`, `venue`, `upvotes`, `comments`, `stars`, `code`, `project`. Other fields are ignored.

`id` is any spelling of an arXiv id, DOI or OpenReview id, or a name of your own. Whatever it is, `paper_id` gives it
back as typed: a paper has `list:<source>/<id>` among its key and aliases. Without `id` the `url` stands for the paper,
unless lines with other titles have it too: the page of a conference names none of its papers.
"""

from __future__ import annotations

import asyncio
import io
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digest.collect.authors import split_byline
from digest.collect.items import Answer, UnusableError, failure_of, read_items
from digest.collect.text import MAX_ABSTRACT, MAX_TITLE, count, link, moment, names, one_line, terms
from digest.identity import Identifier, best_key, identify, own_key, version_of
from digest.model import Paper, Signals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from digest.collect.items import Parsed
    from digest.collect.visit import Visit
    from digest.model import Source

_MAX_ID = 2_000


async def read(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    """The one answer of the file or the address; an empty list is a quiet day."""
    hint = "write one JSON object per line, each with a title"
    if source.path:
        yield await asyncio.to_thread(_read_file, source, hint)
    else:
        yield await visit.read(
            source.url,
            lambda response: parse_jsonl(response.body, source=source.name),
            hint=hint,
            is_incomplete=lambda _body: False,
        )


def _read_file(source: Source, hint: str) -> Answer:
    try:
        data = Path(source.path).read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Answer("", failure=f"{source.path}: {reason}", hint="check `path` of this source, and who may read it")
    parsed = parse_jsonl(data, source=source.name)
    if failure := failure_of(parsed):
        return Answer("", *parsed, f"{source.path}: {failure}", hint)
    return Answer("", *parsed)


def parse_jsonl(data: bytes, *, source: str) -> Parsed:
    """Papers of a list, in its order; a line that is none gives a problem naming its number, from 1.

    Args:
        data: UTF-8, with or without byte order mark; lines end with LF or CRLF, blank ones do not count.
        source: name of the source; part of the names of its papers.
    """
    shared = _shared(_lines(data))
    return read_items(
        _lines(data), lambda line: _paper(_object(line[1]), source, shared), lambda _number, line: f"line {line[0]}"
    )


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Those that are not blank with their numbers, one by one: a list of 15 MiB may have eight million."""
    lines = enumerate(io.BytesIO(data.removeprefix(b"\xef\xbb\xbf")), 1)
    return ((number, line.rstrip(b"\r\n")) for number, line in lines if line.strip())


def _shared(lines: Iterable[tuple[int, bytes]]) -> set[str]:
    """Keys of the addresses under which lines have different titles; a line that is there twice shares nothing."""
    titles: dict[str, str] = {}
    shared = set()
    for _, line in lines:
        with suppress(UnusableError):  # told when it is read for good
            item = _object(line)
            title = one_line(item.get("title"), MAX_TITLE).casefold()
            for address in _identifiers(item) if title and not _own_name(item) else ():
                if address.key.startswith("url:") and titles.setdefault(address.key, title) != title:
                    shared.add(address.key)
    return shared


def paper_id(paper: Paper) -> str:
    """The `id` of a paper as typed in its list; its title or key if the list gave none.

    An id of more than some 900 bytes comes back as its SHA-256 (see `own_key`).

    >>> papers, _ = parse_jsonl(b'{"id": "arXiv:2401.01234v2", "title": "T"}', source="mine")
    >>> papers[0].key, paper_id(papers[0])
    ('arxiv:2401.01234', 'arXiv:2401.01234v2')
    """
    for source in paper.sources:
        own = own_key(source, "")
        for key in (paper.key, *paper.aliases):
            if key.startswith(own):
                return key.removeprefix(own)
    return paper.key


def _object(line: bytes) -> dict[str, Any]:
    try:
        item = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise UnusableError("is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise UnusableError(f"is not JSON: {error.msg} at column {error.colno}") from error
    except (ValueError, RecursionError) as error:
        raise UnusableError("is not JSON") from error
    if not isinstance(item, dict):
        raise UnusableError("is not a JSON object")
    return item


def _paper(item: dict[str, Any], source: str, shared: set[str]) -> Paper:
    title = one_line(item.get("title"), MAX_TITLE)
    if not title:
        raise UnusableError("has no title")
    found = _identifiers(item)
    own = _own_name(item)
    keys = [key for key in (one.key for one in found) if key not in shared and not (own and key.startswith("url:"))]
    keys += [own_key(source, own or title)] if own or not keys else []
    key = best_key(keys)
    return Paper(
        key=key,
        title=title,
        abstract=one_line(item.get("abstract"), MAX_ABSTRACT),
        authors=_authors(item.get("authors")),
        url=link(item.get("url")) or (f"https://arxiv.org/abs/{key[6:]}" if key.startswith("arxiv:") else ""),
        aliases=tuple(sorted(set(keys) - {key})),
        version=version_of(key, found),
        published=moment(item.get("published")) or moment(item.get("date")),
        categories=terms(_several(item.get("categories"))),
        sources=(source,),
        journal_ref=one_line(item.get("venue")),
        code_url=link(item.get("code")),
        project_url=link(item.get("project")),
        signals=Signals(
            upvotes=count(item.get("upvotes")), comments=count(item.get("comments")), stars=count(item.get("stars"))
        ),
    )


def _own_name(item: dict[str, Any]) -> str:
    """The `id` as typed; a number counts as its digits."""
    value = item.get("id")
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return one_line(str(value) if is_number else value, _MAX_ID)


def _identifiers(item: dict[str, Any]) -> list[Identifier]:
    found = (identify(one_line(item.get(field), _MAX_ID)) for field in ("id", "doi", "url"))
    return [identifier for identifier in found if identifier]


def _authors(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return names(split_byline(one_line(value, MAX_ABSTRACT)))
    people = value if isinstance(value, list) else []
    return names(person.get("name") if isinstance(person, dict) else person for person in people)


def _several(value: object) -> list[Any]:
    """A list, or the words of a text."""
    if isinstance(value, str):
        return value.replace(",", " ").split()
    return value if isinstance(value, list) else []
