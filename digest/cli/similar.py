"""`digest similar`: the papers most like one paper, from the archive or from any list."""

from __future__ import annotations

import json
from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import UsageError, many, print_json, say, table
from digest.cli.options import ConfigOption, JsonOption, examples, load_settings, open_settings_state
from digest.cli.preview import read_file, shown
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digest.config import Settings
    from digest.model import Paper, StoredPaper
    from digest.pipeline.similar import Like
    from digest.state.store import State

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
    from digest.pipeline.readers import reader_named
    from digest.pipeline.semantic import open_semantics
    from digest.pipeline.similar import most_like, others, sent_to

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
            archive = sent_to(state, reader_named(settings, state, email), archive)
        compared = others(asked, archive)
        found = most_like(asked, compared, state, number=number, semantics=semantics, now=utc_now())
    if sort is Sort.recent:
        found.sort(key=lambda like: -like.since.timestamp())
    elif sort is Sort.trending:
        found.sort(key=lambda like: -like.trend.score)
    told = [_told(like, own_id=corpus is not None) for like in found]
    if as_json:
        print_json(told)
    else:
        _print(asked, told, of=len(compared))


def _told(like: Like, *, own_id: bool) -> dict[str, object]:
    """What is printed of a paper; `own_id`: it goes by its id in its list."""
    from digest.collect.jsonl import paper_id
    from digest.pipeline.records import EVER

    return {
        "id": paper_id(like.paper) if own_id else like.paper.key,
        "similarity": round(like.similarity, 6),
        "since": like.since.date() if like.since > EVER else None,
        "upvotes": like.trend.upvotes,
        "title": like.paper.title,
        "url": like.paper.url,
    }


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
    from digest.pipeline.records import EVER

    stored = state.papers.since(EVER)
    if not stored:
        raise DigestError("no papers are known", hint="fetch some with: digest pull")
    return stored


def _listed(file: Path) -> Sequence[StoredPaper]:
    """The papers of a list; those without a date are older than all others."""
    from digest.collect.jsonl import parse_jsonl
    from digest.model import StoredPaper
    from digest.pipeline.records import EVER

    papers, problems = parse_jsonl(read_file(file), source=file.name)
    for problem in problems:
        say(f"digest: {file}: {problem.where}: {problem.message}", err=True)
    if not papers:
        raise DigestError(f"{file}: there are no papers", hint="name a file with one JSON object per line")
    return [StoredPaper(one, one.published or EVER, None) for one in papers]


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
