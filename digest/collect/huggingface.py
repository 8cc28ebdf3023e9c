"""Hugging Face daily papers: lists of /api/daily_papers go in, papers with votes, comments and stars come out.

Every pull reads the last days again, because votes are what matters here, and asks unconditionally: a "not modified"
would leave a day without a count, and a change "since yesterday" would be one since some earlier day. Saturdays and
Sundays are asked for too: their lists are usually empty, but now and then they are not, and asking costs two bytes.

The format is not documented as a whole (https://huggingface.co/docs/hub/api); recorded answers show that
- votes, stars, AI texts are fields of `paper`, comments and the thumbnail of the item around it;
- the outer `publishedAt` is shifted by the hours of New York and still marked as UTC: `paper.publishedAt` counts;
- authors may be hidden; optional fields are absent, null or empty;
- the order of a list is none: papers are ranked here by votes, as the page and the mail of the day show them.
"""

from __future__ import annotations

import json
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from digest.collect.items import UnusableError, nothing, read_items
from digest.collect.text import MAX_ABSTRACT, MAX_TITLE, count, link, moment, names, one_line, terms
from digest.identity import identify
from digest.model import Paper, Signals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from digest.collect.http import Response
    from digest.collect.items import Answer, Parsed
    from digest.collect.visit import Visit
    from digest.model import Source

BASE_URL = "https://huggingface.co"
#: items per request, the most that is allowed
_PAGE = 100
#: a day has had at most some 150 papers
_MAX_PAGES = 10
_MAX_AI_SUMMARY = 1_000


async def read(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    """One answer per page of each of the last `source.days` days, the newest day first, never ahead of UTC today."""
    today = visit.now.astimezone(UTC).date()
    for day in (today - timedelta(days=back) for back in range(source.days)):
        for page in range(_MAX_PAGES):
            answer = await visit.read(
                _url(source, day, page),
                _parser(source, page),
                part=f"{day:%Y-%m-%d}" + (f", page {page + 1}" if page else ""),
                accept="application/json",
                hint="if it refuses today's date, the clock of this machine is ahead",
                conditional=False,
            )
            yield answer
            if answer.failure or len(answer.papers) + len(answer.problems) < _PAGE:
                break


def _parser(source: Source, page: int) -> Callable[[Response], Parsed]:
    return lambda response: parse_daily_papers(response.body, source=source.name, before=page * _PAGE)


def _url(source: Source, day: date, page: int) -> str:
    parameters = {"date": day.isoformat(), "limit": _PAGE} | ({"p": page} if page else {})
    return f"{(source.base_url or BASE_URL).rstrip('/')}/api/daily_papers?{urlencode(parameters)}"


def parse_daily_papers(data: bytes, *, source: str, before: int = 0) -> Parsed:
    """Papers of one page of one day's list, in its order.

    `{"error": …}` and other answers that are no list give one problem and no papers.

    Args:
        data: what the server sent.
        source: name of the source.
        before: papers on earlier pages of the same day; positions count on from there.
    """
    try:
        items = json.loads(data)
    except (ValueError, RecursionError):
        return nothing("is not JSON")
    if isinstance(items, dict) and "error" in items:
        return nothing(f"says: {one_line(items['error'], 300) or 'error'}", "Hugging Face")
    if not isinstance(items, list):
        return nothing("is not a list of papers")
    ranked = sorted((item for item in items if _votes(item) is not None), key=_votes_first)
    positions = {id(item): place for place, item in enumerate(ranked, before + 1)}
    return read_items(items, lambda item: _paper(item, positions.get(id(item)), source), _where)


def _votes(item: Any) -> int | None:
    """Upvotes of an item, whatever it is."""
    paper = item.get("paper") if isinstance(item, dict) else None
    return count(paper.get("upvotes")) if isinstance(paper, dict) else None


def _votes_first(item: Any) -> int:
    return -(_votes(item) or 0)


def _where(number: int, item: Any) -> str:
    paper = item.get("paper") if isinstance(item, dict) else None
    return (one_line(paper.get("id")) if isinstance(paper, dict) else "") or f"item {number}"


def _paper(item: Any, position: int | None, source: str) -> Paper:
    paper = item.get("paper") if isinstance(item, dict) else None
    if not isinstance(paper, dict):
        raise UnusableError("has no paper")
    number = one_line(paper.get("id"))
    page = f"{BASE_URL}/papers/{number}"
    found = identify(number) or identify(page)
    title = one_line(paper.get("title"), MAX_TITLE) or one_line(item.get("title"), MAX_TITLE)
    if not number or not found:
        raise UnusableError("has no identifier")
    if not title:
        raise UnusableError("has no title")
    if paper.get("withdrawnAt"):
        raise UnusableError("was withdrawn")
    is_on_arxiv = found.key.startswith("arxiv:")
    return Paper(
        key=found.key,
        title=title,
        abstract=one_line(paper.get("summary"), MAX_ABSTRACT) or one_line(item.get("summary"), MAX_ABSTRACT),
        authors=_authors(paper.get("authors")),
        url=f"https://arxiv.org/abs/{found.key.removeprefix('arxiv:')}" if is_on_arxiv else page,
        version=found.version,
        published=moment(paper.get("publishedAt")),
        sources=(source,),
        organization=_organization(paper.get("organization")) or _organization(item.get("organization")),
        code_url=link(paper.get("githubRepo")),
        project_url=link(paper.get("projectPage")),
        discussion_url=link(page),
        thumbnail_url=link(item.get("thumbnail")),
        ai_summary=one_line(paper.get("ai_summary"), _MAX_AI_SUMMARY),
        ai_keywords=terms(_list(paper.get("ai_keywords"))),
        signals=Signals(
            upvotes=count(paper.get("upvotes")),
            comments=count(item.get("numComments")),
            stars=count(paper.get("githubStars")),
            position=position,
        ),
    )


def _authors(value: object) -> tuple[str, ...]:
    people = (person for person in _list(value) if isinstance(person, dict) and person.get("hidden") is not True)
    return names(person.get("name") for person in people)


def _organization(value: object) -> str:
    if not isinstance(value, dict):
        return ""
    return one_line(value.get("fullname")) or one_line(value.get("name"))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
