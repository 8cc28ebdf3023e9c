"""`digest similar`: the papers most like one paper, from the archive or from any list."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.ask import find_subscriber
from digest.cli.console import UsageError, many, print_json, say, table
from digest.cli.options import ConfigOption, JsonOption, examples, load_settings, open_settings_state
from digest.cli.preview import read_file, shown
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digest.config import Settings
    from digest.model import Paper, StoredPaper, Subscriber
    from digest.state.store import State

#: before everything that anybody remembers
_EVER = datetime(1, 1, 1, tzinfo=UTC)
#: an identifier that shares less with the one typed was hardly meant
_CLOSE = 0.8


class Sort(Enum):
    """What the list is in the order of."""

    similarity = "similarity"
    recent = "recent"
    trending = "trending"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(
        epilog=examples(
            "digest similar 2401.01234",
            "digest similar arxiv:2401.01234 --sort trending -n 20 --json",
            "digest similar --paper draft.json --corpus accepted.jsonl",
        )
    )(similar)


def similar(
    key: Annotated[
        str, typer.Argument(help="arXiv id, DOI, address or id in the list, in any spelling.", metavar="KEY")
    ] = "",
    *,
    sort: Annotated[Sort, typer.Option(help="Order of the papers shown.")] = Sort.similarity,
    number: Annotated[int, typer.Option("-n", min=1, help="Show the N most similar.", metavar="N")] = 10,
    paper: Annotated[
        Path | None,
        typer.Option("--paper", help="Instead of KEY: a file with a JSON object: title, abstract, …", metavar="FILE"),
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(help="Search this list, one JSON object per line, not the archive.", metavar="FILE"),
    ] = None,
    email: Annotated[
        str, typer.Option("--for", help="Search what this reader was sent, and the newest papers.", metavar="EMAIL")
    ] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List the papers most like one paper.

    Searches all papers that are known here, or another list; that needs no configuration.
    """
    from digest.collect.jsonl import paper_id
    from digest.curate.similar import SimilarIndex
    from digest.curate.trend import trends
    from digest.pipeline.readers import subscribers
    from digest.pipeline.semantic import open_semantics

    if bool(key) == (paper is not None):
        raise UsageError("one paper has to be named", hint="digest similar 2401.01234, or --paper FILE.json")
    if corpus and email:
        raise UsageError("no reader was sent a list", hint="leave out --for, or --corpus")
    with ExitStack() as opened:
        if corpus is None:
            loaded = load_settings(config)
            settings: Settings | None = loaded
            state = opened.enter_context(open_settings_state(loaded))
            archive = _archive(state)
        else:
            # a list needs no configuration, but one may name word vectors
            settings = load_settings(config) if config else None
            state, archive = None, _listed(corpus)
        semantics = open_semantics(settings) if settings else None
        asked = _read_paper(paper) if paper else _find(key, [one.paper for one in archive])
        if state and settings and email:
            archive = _sent(state, find_subscriber(subscribers(settings, state), email), archive)
        others = sorted((one for one in archive if not _same(one.paper, asked)), key=lambda one: one.paper.key)
        found = SimilarIndex([asked, *(one.paper for one in others)], semantics).like(0, number)
        rows = [(others[place - 1], similarity) for place, similarity in found]
        history = state.papers.signals((one.paper.key for one, _ in rows), _EVER.date()) if state else {}
    now = utc_now()
    # age cools a paper: one without a date is as young as the others, so that its votes tell
    young = [replace(one, first_seen_at=now) if one.first_seen_at == _EVER else one for one, _ in rows]
    heat = trends(young, history, now=now)
    if sort is Sort.recent:
        rows.sort(key=lambda row: -_since(row[0]).timestamp())
    elif sort is Sort.trending:
        rows.sort(key=lambda row: -heat[row[0].paper.key].score)
    told = [
        {
            "id": paper_id(one.paper) if corpus else one.paper.key,
            "similarity": round(similarity, 6),
            "since": _since(one).date() if _since(one) > _EVER else None,
            "upvotes": heat[one.paper.key].upvotes,
            "title": one.paper.title,
            "url": one.paper.url,
        }
        for one, similarity in rows
    ]
    if as_json:
        print_json(told)
    else:
        _print(asked, told, of=len(others))


def _print(asked: Paper, told: Sequence[Mapping[str, object]], *, of: int) -> None:
    if not told:
        say(f"None of {many(of, 'paper')} is like “{shown(asked.title, 70)}”.")
        return
    say(f"Like “{shown(asked.title, 70)}”, of {many(of, 'paper')}:")
    rows = [
        (
            f"{row['similarity']:.2f}",
            str(row["id"]),
            str(row["since"] or ""),
            _votes(row["upvotes"]),
            shown(str(row["title"]), 80),
        )
        for row in told
    ]
    say(table([("LIKE", "PAPER", "SINCE", "VOTES", "TITLE"), *rows]))


def _votes(upvotes: object) -> str:
    return "" if upvotes is None else f"▲ {upvotes}"


def _archive(state: State) -> Sequence[StoredPaper]:
    """All papers known.

    Raises:
        DigestError: there are none.
    """
    stored = state.papers.since(_EVER)
    if not stored:
        raise DigestError("no papers are known", hint="fetch some with: digest pull")
    return stored


def _sent(state: State, reader: Subscriber, archive: Sequence[StoredPaper]) -> Sequence[StoredPaper]:
    """Of the archive what was delivered to a reader, and the newest edition."""
    delivered = state.ledger.seen([reader.email], since=_EVER.date())[reader.email]
    newest = max((one.edition for one in archive if one.edition), default=None)
    return [one for one in archive if one.paper.key in delivered or (one.edition and one.edition == newest)]


def _listed(file: Path) -> Sequence[StoredPaper]:
    """The papers of a list; those without a date are older than all others."""
    from digest.collect.jsonl import parse_jsonl
    from digest.model import StoredPaper

    papers, problems = parse_jsonl(read_file(file), source=file.name)
    for problem in problems:
        say(f"digest: {file}: {problem.where}: {problem.message}", err=True)
    if not papers:
        raise DigestError(f"{file}: there are no papers", hint="name a file with one JSON object per line")
    return [StoredPaper(one, one.published or _EVER, None) for one in papers]


def _read_paper(file: Path) -> Paper:
    from digest.collect.jsonl import parse_jsonl

    # an object on many lines is one on one line to a list
    data = read_file(file)
    try:
        data = json.dumps(json.loads(data)).encode()
    except (ValueError, RecursionError) as error:
        raise DigestError(f"{file}: is not JSON: {error}", hint='write {"title": "…", "abstract": "…"}') from error
    papers, problems = parse_jsonl(data, source=file.name)
    if not papers:
        raise DigestError(f"{file}: {problems[0].message}", hint='write {"title": "…", "abstract": "…"}')
    return papers[0]


def _find(key: str, papers: Sequence[Paper]) -> Paper:
    """The paper with this identifier.

    Raises:
        DigestError: there is none; the hint names close ones.
    """
    from difflib import get_close_matches

    from digest.collect.jsonl import paper_id
    from digest.identity import identify

    named = {name: one for one in papers for name in (*one.aliases, paper_id(one), one.key)}
    identifier = identify(key)
    wanted = identifier.key if identifier else key.strip()
    if found := named.get(wanted) or named.get(key.strip()):
        return found
    close = [named[name] for name in get_close_matches(wanted, named, n=3, cutoff=_CLOSE)]
    meant = "; ".join(dict.fromkeys(f"{one.key} “{shown(one.title, 50)}”" for one in close))
    hint = f"did you mean {meant}?" if meant else "describe it in a file: --paper FILE.json"
    raise DigestError(f"none of {many(len(papers), 'paper')} is {wanted}", hint=hint)


def _same(one: Paper, other: Paper) -> bool:
    return not _names(one).isdisjoint(_names(other))


def _names(paper: Paper) -> set[str]:
    return {paper.key, *paper.aliases}


def _since(stored: StoredPaper) -> datetime:
    return stored.paper.published or stored.first_seen_at
