"""`digest interests`: papers that a reader knows and likes already, from their own lists."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import many, print_json, say, table
from digest.cli.options import ConfigOption, ForOption, JsonOption, examples, load_settings, open_settings_state
from digest.cli.preview import shown
from digest.cli.suggest import print_suggestions
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from digest.model import Paper, Problem
    from digest.state.interests import StoredInterest
    from digest.state.store import State

#: problems of a file that are told one by one
_TOLD = 20
#: past days whose papers tell how often a proposed keyword would match
_DAYS = 14
_FORMATS = "BibTeX, RIS, Zotero RDF, CSL-JSON, or one arXiv id, DOI, address or title per line"
#: what a format is called where its own name says too little
_SHOWN = {"plain": "read as one id, address or title per line"}
app = typer.Typer(
    name="interests",
    help="Bring papers that a reader likes: their own lists.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(parent: typer.Typer) -> None:
    """Add this file's commands."""
    parent.add_typer(app)


@app.command(
    "import",
    epilog=examples(
        "digest interests import library.bib --for ada@example.org",
        "digest interests import zotero.rdf --for ada@example.org --weight 0.5",
    ),
)
def import_(
    file: Annotated[Path, typer.Argument(help="The list; its format is told by what is in it.", metavar="FILE")],
    *,
    email: ForOption,
    weight: Annotated[
        float, typer.Option(min=0.01, max=100, help="How much each counts beside those of other files.", metavar="W")
    ] = 1.0,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Read a list of references, and propose keywords.

    It may be BibTeX, RIS, Zotero RDF, CSL-JSON, or one arXiv id, DOI, address or title per line. Papers like them then
    stand farther up among those that match. Read the same file again to renew it.
    """
    from digest.collect.references import parse_references
    from digest.curate.query import parse
    from digest.pipeline.profiles import suggestions
    from digest.pipeline.readers import reader_named

    settings, now = load_settings(config), utc_now()
    format_, (papers, problems) = parse_references(_read(file))
    if not papers:
        reason = f"{problems[0].where} {problems[0].message}" if problems else "no reference is in it"
        raise DigestError(f"{file}: {reason}", hint=f"give a list of references: {_FORMATS}")
    with open_settings_state(settings) as state:
        reader = reader_named(settings, state, email)
        source = _source(file)
        items = _items(state, reader.email, papers, source=source, weight=weight, now=now)
        with state.transaction():
            # by their names alone, files were remembered once
            for before in (source, file.name):
                state.interests.clear(reader.email, source=before)
            state.interests.put(items)
        proposed = suggestions(state, reader, now=now, days=_DAYS)
    if as_json:
        print_json({"format": format_, "papers": len(items), "problems": problems, "keywords": proposed})
        return
    _tell(problems, file)
    nameless = sum(item.title == item.paper for item in items)
    say(f"{reader.email}: {many(len(items), 'paper')} of {file.name} ({_SHOWN.get(format_, format_)}).")
    if nameless:
        say(f"  {nameless:,} of them only by their ids; they begin to count when a source brings them.")
    if not any(not parse(entry).excludes for entry in reader.keywords):
        say(
            f"{reader.email} has no keywords, so there is no For-you part yet: interests only order what keywords find."
        )
    print_suggestions(proposed, _DAYS, reader, settings)


def _read(file: Path) -> bytes:
    from digest.collect.references import MAX_BYTES

    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise DigestError(f"{file}: {error.strerror}", hint=f"name a file with references: {_FORMATS}") from error
    if len(data) > MAX_BYTES:
        raise DigestError(f"{file}: is larger than {MAX_BYTES >> 20} MB", hint="export a part of the library")
    return data


def _source(file: Path) -> str:
    """What a file is remembered by: two of the same name in two folders are two files."""
    return str(file.resolve() if file.is_file() else file.absolute())


def _items(
    state: State, email: str, papers: Iterable[Paper], *, source: str, weight: float, now: datetime
) -> list[StoredInterest]:
    """As they are kept; what is known here of a paper is taken from here where the list says less."""
    from digest.collect.references import SOURCE
    from digest.identity import own_key
    from digest.state.interests import StoredInterest

    papers = list(papers)
    known = state.papers.known(name for paper in papers for name in (paper.key, *paper.aliases))
    own = own_key(SOURCE, "")
    items: dict[str, StoredInterest] = {}
    for paper in papers:
        stored = next((known[name].paper for name in (paper.key, *paper.aliases) if name in known), None)
        key = stored.key if stored else paper.key
        title = stored.title if stored and paper.title == paper.key else paper.title
        abstract = paper.abstract or (stored.abstract if stored else "")
        names = None if key.startswith(own) else key
        items[key] = StoredInterest(email, key, title, abstract, names, weight, source, now)
    return list(items.values())


def _tell(problems: Sequence[Problem], file: Path) -> None:
    for problem in problems[:_TOLD]:
        say(f"digest: {file}: {problem.where}: {problem.message}", err=True)
    if len(problems) > _TOLD:
        say(f"digest: {file}: {len(problems) - _TOLD:,} more could not be read", err=True)


@app.command(
    "list",
    epilog=examples(
        "digest interests list --for ada@example.org", "digest interests list --for ada@example.org --json"
    ),
)
def list_(*, email: ForOption, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show what a reader brought along."""
    from digest.pipeline.readers import reader_named

    settings = load_settings(config)
    with open_settings_state(settings) as state:
        reader = reader_named(settings, state, email)
        items = state.interests.of([reader.email]).get(reader.email, ())
    if as_json:
        print_json(items)
    elif items:
        names = _names({one.source for one in items})
        rows = [(f"{one.at:%Y-%m-%d}", names[one.source], one.paper or "", shown(one.title, 70)) for one in items]
        say(table([("SINCE", "FROM", "PAPER", "TITLE"), *rows]))
    else:
        say(f"{reader.email} has brought nothing. Bring a list: digest interests import FILE --for {reader.email}")


@app.command(
    epilog=examples(
        "digest interests clear --for ada@example.org",
        "digest interests clear --for ada@example.org --file library.bib",
    )
)
def clear(
    *,
    email: ForOption,
    file: Annotated[
        str | None, typer.Option("--file", help="Only what came from this file.", metavar="FILE", show_default=False)
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Forget what a reader brought along."""
    from digest.pipeline.readers import reader_named

    settings = load_settings(config)
    with open_settings_state(settings) as state:
        reader = reader_named(settings, state, email)
        names = _names({one.source for one in state.interests.of([reader.email]).get(reader.email, ())})
        source = None if file is None else _named(file, names)
        if file is not None and source is None:
            hint = f"name one of {', '.join(sorted(names.values()))}" if names else "there is nothing to forget"
            raise DigestError(f"{reader.email} has brought nothing from {file}", hint=hint)
        gone = state.interests.clear(reader.email, source=source)
    say(f"{reader.email}: {many(gone, 'paper')} forgotten.")


def _names(sources: Collection[str]) -> dict[str, str]:
    """What each file is called: its name, or where it is if there are several of the name."""
    known = Counter(Path(source).name for source in sources)
    return {source: source if known[Path(source).name] > 1 else Path(source).name for source in sources}


def _named(file: str, names: Mapping[str, str]) -> str | None:
    """The one that is meant: by what it is called, or by its path; None if it is none of them."""
    path = _source(Path(file))
    return next((source for source, name in names.items() if name == file or source in {file, path}), None)
