"""The commands that show and change nothing: preview, rank."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.ask import find_subscriber
from digest.cli.console import UsageError, many, print_json, say
from digest.cli.options import ConfigOption, examples, load_settings, open_settings_state
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.curate.rank import Scored
    from digest.model import Digest, Mail, Subscriber
    from digest.state.store import State


#: why a paper is listed that matches no entry as a whole
_RELATED = "no keyword as a whole, but like the papers that match"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog=examples("digest preview --open", "digest preview ada@example.org --out previews"))(preview)
    app.command(
        epilog=examples(
            "digest rank accepted.jsonl -k 'mixture of experts' -n 20",
            "digest rank accepted.jsonl -k 'title:lora^2' -k '-medical' --json",
        )
    )(rank)


def preview(
    email: Annotated[
        str, typer.Argument(help="Whose digest; without it, the first subscriber's.", metavar="EMAIL")
    ] = "",
    *,
    out: Annotated[Path, typer.Option(help="Folder for the files.", metavar="FOLDER")] = Path("out"),
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write a subscriber's digest as HTML, text and mail file.

    It is the one that they would get now, whatever the hour. Nothing is sent, and nothing counts as seen.
    """
    from digest.compose.message import compose
    from digest.pipeline.letterhead import letterhead, open_renderer
    from digest.pipeline.plan import preview as choose

    settings = load_settings(config)
    with open_settings_state(settings) as state:
        digest = choose(settings, state, _reader(settings, state, email), now=utc_now())
        head = letterhead(settings, state)
    print_digest(digest)
    if not digest.picks:
        if not digest.considered:
            say("Fetch papers with: digest pull")
        return
    html = write_preview(compose(digest, head, open_renderer(settings)), out)
    say(f"Written: {html}, .txt and .eml beside it")
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
    """What is in a digest and why, a few lines per part; of an empty one, why it is empty."""
    if not digest.picks:
        from digest.account import nothing

        say(nothing(digest).sentence)
        return
    reader = digest.subscriber
    before = f", {digest.seen_before:,} in an earlier mail" if digest.seen_before else ""
    who = f"{reader.name} <{reader.email}>" if reader.name else reader.email
    papers = f"{len(digest.picks)} of {many(digest.considered, 'new paper')}"
    say(f"{who}: {papers}, {digest.matched:,} matched{before}")
    for part, heading in (("for_you", "For you"), ("trending", "Trending")):
        if picks := [pick for pick in digest.picks if pick.part == part]:
            say(f"  {heading}")
        for pick in picks:
            say(f"    {pick.score:.2f}  {shown(pick.paper.title)}\n          {pick.why}")
    for followup in digest.followups:
        say(f"    news: {shown(followup.title, 70)} ({shown(followup.news)})")
    for missed in digest.missed:
        say(f"    just missed: {shown(missed.title, 70)} ({missed.why})")


def shown(title: str, length: int = 90) -> str:
    """A title as mails show it, short enough for a line of the terminal."""
    from digest.compose.text import one_line, plain

    text = one_line(plain(title))
    return text if len(text) <= length else text[: length - 1] + "…"


def rank(
    file: Annotated[
        Path, typer.Argument(help="Papers, one JSON object per line: id, title, abstract, …", metavar="FILE")
    ],
    *,
    keyword: Annotated[
        list[str] | None,
        typer.Option("-k", "--keyword", help="Keyword, as in the configuration; may be repeated.", metavar="ENTRY"),
    ] = None,
    number: Annotated[int | None, typer.Option("-n", min=1, help="Show the best N only.", metavar="N")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list, best first.")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", help="File whose [semantic] model helps.", metavar="FILE")
    ] = None,
) -> None:
    """Rank any list of papers by keywords.

    Prints id, score and why, best first. Needs no configuration and no state.
    """
    from digest.collect.jsonl import paper_id, parse_jsonl
    from digest.curate.query import parse
    from digest.curate.rank import Ranking
    from digest.curate.reasons import why
    from digest.model import Trend
    from digest.pipeline.semantic import open_semantics

    if not keyword:
        raise UsageError("there is nothing to rank by", hint="give at least one keyword: -k 'mixture of experts'")
    queries = [parse(entry) for entry in keyword]
    papers, problems = parse_jsonl(read_file(file), source=file.name)
    for problem in problems:
        say(f"digest: {file}: {problem.where}: {problem.message}", err=True)
    semantics = None if config is None else open_semantics(load_settings(config))
    ranked = Ranking(papers, semantics).rank(queries, related=True)[:number]
    rows = [_row(paper_id(scored.paper), scored, why(scored.matches, Trend()) or _RELATED) for scored in ranked]
    if as_json:
        print_json(rows)
    else:
        for row in rows:
            say(f"{row['score']:.3f}  {row['id']}  {shown(str(row['title']), 80)}\n       {row['why']}")


def read_file(file: Path) -> bytes:
    """What is in a file that was named on the command line.

    Raises:
        DigestError: it cannot be read.
    """
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
