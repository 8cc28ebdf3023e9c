"""The commands that show and change nothing: preview, rank."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.ask import find_subscriber
from digest.cli.console import print_json
from digest.cli.options import ConfigOption, load_settings, open_settings_state
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.curate.rank import Scored
    from digest.model import Digest, Mail, Paper, Subscriber
    from digest.state.store import State


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog="Examples: digest preview --open · digest preview ada@example.org --out previews")(preview)
    app.command(
        epilog="Example: digest rank accepted.jsonl -k 'mixture of experts' -k 'title:lora^2' -k '-medical' -n 20"
    )(rank)


def preview(
    email: Annotated[str, typer.Argument(help="Whose digest; without it, the first subscriber's.")] = "",
    *,
    out: Annotated[Path, typer.Option(help="Folder for the files.", file_okay=False)] = Path("out"),
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write the digest that a subscriber would get now as .html, .txt and .eml. Nothing is sent or marked."""
    from digest.compose.message import compose
    from digest.pipeline.letterhead import letterhead, open_renderer
    from digest.pipeline.plan import preview as choose

    settings = load_settings(config)
    with open_settings_state(settings) as state:
        digest = choose(settings, state, _reader(settings, state, email), now=utc_now())
    print_digest(digest)
    if not digest.picks:
        typer.echo("Nothing to write: an empty digest is never mailed. Fetch papers first with: digest pull")
        return
    html = write_preview(compose(digest, letterhead(settings), open_renderer(settings)), out)
    typer.echo(f"Written: {html}, .txt and .eml beside it")
    if open_:
        typer.launch(html.absolute().as_uri())


def _reader(settings: Settings, state: State, email: str) -> Subscriber:
    from digest.pipeline.readers import subscribers

    readers = subscribers(settings, state)
    if email:
        return find_subscriber(readers, email)
    if not readers:
        raise DigestError("there are no subscribers", hint="add one: digest subscribers add you@example.org -k 'lora'")
    return readers[0]


def write_preview(mail: Mail, folder: Path) -> Path:
    """Write a mail's two bodies and its bytes; returns the HTML file.

    Raises:
        DigestError: the folder cannot be written.
    """
    stem = folder / "".join(c if c.isalnum() or c in "@._+-" else "_" for c in mail.recipient)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, data in ((".txt", mail.text.encode()), (".eml", mail.data), (".html", mail.html.encode())):
            stem.with_name(stem.name + suffix).write_bytes(data)
    except OSError as error:
        raise DigestError(f"{error.filename}: {error.strerror}", hint="name another folder with --out") from error
    return stem.with_name(stem.name + ".html")


def print_digest(digest: Digest) -> None:
    """What is in a digest and why, a few lines per part."""
    reader = digest.subscriber
    typer.echo(
        f"{reader.name or reader.email} <{reader.email}>: {len(digest.picks)} of {digest.considered} new papers, "
        f"{digest.matched} matched, {digest.seen_before} seen before"
    )
    for part, heading in (("for_you", "For you"), ("trending", "Trending")):
        if picks := [pick for pick in digest.picks if pick.part == part]:
            typer.echo(f"  {heading}")
        for pick in picks:
            typer.echo(f"    {pick.score:.2f}  {shown(pick.paper)}\n          {pick.why}")
    for missed in digest.missed:
        typer.echo(f"    just missed: {_printable(missed.title)[:70]} ({missed.why})")


def shown(paper: Paper) -> str:
    """A title, short enough for a line of the terminal."""
    return _printable(paper.title)[:90]


def _printable(text: str) -> str:
    """A title as a terminal may show it: no controls, no escape sequences."""
    from digest.compose.text import one_line, plain

    return one_line(plain(text))


def rank(
    file: Annotated[Path, typer.Argument(help="Papers, one JSON object a line: id, title, abstract, …")],
    *,
    keyword: Annotated[
        list[str] | None, typer.Option("-k", "--keyword", help="Keyword entry, as in the configuration (repeatable).")
    ] = None,
    number: Annotated[int | None, typer.Option("-n", min=1, help="Show the best N only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list, best first.")] = False,
) -> None:
    """Rank any list of papers by keywords and print id, score and why."""
    from digest.collect.jsonl import paper_id, parse_jsonl
    from digest.curate.query import parse
    from digest.curate.rank import Ranking
    from digest.curate.reasons import why
    from digest.model import Trend

    if not keyword:
        raise DigestError("there is nothing to rank by", hint="give at least one keyword: -k 'mixture of experts'")
    queries = [parse(entry) for entry in keyword]
    papers, problems = parse_jsonl(_read(file), source=file.name)
    for problem in problems:
        typer.echo(f"digest: {file}: {problem.where}: {problem.message}", err=True)
    ranked = Ranking(papers).rank(queries, related=True)[:number]
    rows = [_row(paper_id(scored.paper), scored, why(scored.matches, Trend())) for scored in ranked]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            typer.echo(f"{row['score']:.3f}  {row['id']}  {_printable(str(row['title']))[:80]}\n       {row['why']}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise DigestError(f"{file}: {error.strerror}", hint="name a file with one JSON object per line") from error


def _row(identifier: str, scored: Scored, reasons: str) -> dict[str, object]:
    return {
        "id": identifier,
        "score": round(scored.score, 6),
        "why": reasons,
        "title": scored.paper.title,
        "keywords": [match.keyword for match in scored.matches],
    }
