"""The commands that show and change nothing: preview, rank."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from digest.cli.console import UsageError, many, print_json, say, table
from digest.cli.options import (
    AlsoForOption,
    ConfigOption,
    examples,
    load_settings,
    one_reader,
    open_settings_state,
)
from digest.clock import utc_now
from digest.errors import DigestError
from digest.model import Frequency

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digest.config import Settings
    from digest.curate.explain import Explanation
    from digest.curate.rank import Scored
    from digest.model import Digest, Mail, Subscriber
    from digest.state.store import State


#: numbers below this are zero as printed
_SHOWN_FROM = 0.0005
#: why a paper is listed that matches no entry as a whole
_RELATED = "no keyword as a whole, but like the papers that match"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(
        epilog=examples(
            "digest preview --open",
            "digest preview --for ada@example.org --out previews",
            "digest preview --for ada@example.org --explain",
            "digest preview --frequency weekly --open",
            "digest preview --note --open",
        )
    )(preview)
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
    for_: AlsoForOption = "",
    out: Annotated[Path, typer.Option(help="Folder for the files.", metavar="FOLDER")] = Path("out"),
    open_: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the numbers behind every paper instead, and what just missed.")
    ] = False,
    frequency: Annotated[
        str, typer.Option(help="As if they had chosen daily, weekdays or weekly.", metavar="HOW", show_default=False)
    ] = "",
    note: Annotated[
        bool, typer.Option("--note", help="The note of a quiet day, as if nothing had been found for them.")
    ] = False,
    missed: Annotated[
        int, typer.Option(min=0, max=1000, help="With --explain: most papers that just missed.", metavar="N")
    ] = 10,
    config: ConfigOption = None,
) -> None:
    """Write a subscriber's digest as HTML, text and mail file.

    It is the one that they would get now, whatever the hour. Nothing is sent, and nothing counts as seen. With
    --explain nothing is written: what each keyword says for each paper is printed, and what the next ones are short of.
    """
    from digest.compose.message import compose
    from digest.pipeline.letterhead import letterhead, open_renderer
    from digest.pipeline.plan import explained
    from digest.pipeline.plan import preview as choose
    from digest.pipeline.silence import doubts

    email = one_reader(email, for_)
    settings = load_settings(config)
    if explain:
        with open_settings_state(settings) as state:
            reader = _with_frequency(_reader(settings, state, email), frequency)
            rows = explained(settings, state, reader, now=utc_now(), missed_max=missed)
        print_explained(reader, rows)
        return
    with open_settings_state(settings) as state:
        now = utc_now()
        digest = choose(settings, state, _with_frequency(_reader(settings, state, email), frequency), now=now)
        head = letterhead(settings, state)
        has_note = note or (digest.subscriber.quiet == "note" and not doubts(settings, state, now=now))
    if note:
        digest = _as_if_nothing_were_found(digest)
    print_digest(digest, has_note=has_note)
    if not digest.picks and not has_note:
        if not digest.considered:
            say("Fetch papers with: digest pull")
        return
    html = write_preview(compose(digest, head, open_renderer(settings)), out)
    say(f"Written: {html}, .txt and .eml beside it")
    if open_:
        typer.launch(html.absolute().as_uri())


def _reader(settings: Settings, state: State, email: str) -> Subscriber:
    from digest.pipeline.readers import reader_named, shards

    if email:
        return reader_named(settings, state, email)
    first = next(shards(settings, state, 1), ())
    if not first:
        raise DigestError("there are no subscribers", hint="add one: digest subscribers add you@example.org -k 'lora'")
    return first[0]


def _with_frequency(reader: Subscriber, frequency: str) -> Subscriber:
    if not frequency:
        return reader
    for known in get_args(Frequency):
        if known == frequency:
            return replace(reader, frequency=known)
    raise UsageError(f"--frequency {frequency} is none", hint=f"write one of: {', '.join(get_args(Frequency))}")


def _as_if_nothing_were_found(digest: Digest) -> Digest:
    """The same without its papers; if keywords found any of them, as on a day on which they find nothing."""
    if any(pick.part == "for_you" for pick in digest.picks):
        digest = replace(digest, matched=0, seen_before=0, missed=())
    return replace(digest, picks=(), followups=())


def write_preview(mail: Mail, folder: Path) -> Path:
    """Write a mail's two bodies and its bytes; returns the HTML file.

    Raises:
        DigestError: the folder cannot be written.
    """
    stem = folder / "".join(c if c.isalnum() or c in "@._+-" else "_" for c in mail.recipient)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, data in ((".txt", mail.text.encode()), (".eml", mail.data), (".html", whole_page(mail))):
            stem.with_name(stem.name + suffix).write_bytes(data)
    except OSError as error:
        raise DigestError(f"{error.filename}: {error.strerror}", hint="name another folder with --out") from error
    return stem.with_name(stem.name + ".html")


def whole_page(mail: Mail) -> bytes:
    """The HTML with the pictures that travel beside it in the mail, so that browsers show them."""
    from email import message_from_bytes

    page = mail.html
    for part in message_from_bytes(mail.data).walk() if mail.pictures else ():
        if identity := part.get("Content-ID", "").strip("<>"):
            data = "".join(str(part.get_payload()).split())
            page = page.replace(f'"cid:{identity}"', f'"data:{part.get_content_type()};base64,{data}"')
    return page.encode()


def print_digest(digest: Digest, *, has_note: bool = False) -> None:
    """What is in a digest and why, a few lines per part; of an empty one, why it is empty, in a note or without."""
    if not digest.picks:
        from digest.account import nothing, planned

        say((planned if has_note else nothing)(digest).sentence)
        return
    reader = digest.subscriber
    before = f", {digest.seen_before:,} in an earlier mail" if digest.seen_before else ""
    who = f"{reader.name} <{reader.email}>" if reader.name else reader.email
    papers = f"{len(digest.picks)} of {many(digest.considered, 'new paper')}"
    say(f"{who}: {papers}, {digest.matched:,} matched{before}")
    for part, heading in (("for_you", "For you"), ("trending", "Trending")):
        listed = [(pick, score) for pick, score in zip(digest.picks, digest.scores, strict=True) if pick.part == part]
        if listed:
            say(f"  {heading}")
        for pick, score in listed:
            say(f"    {score:.2f}  {shown(pick.paper.title)}\n          {pick.why}")
    for followup in digest.followups:
        say(f"    news: {shown(followup.title, 70)} ({shown(followup.news)})")
    for missed in digest.missed:
        say(f"    just missed: {shown(missed.title, 70)} ({missed.why})")


_HEADINGS = {"for_you": "For you", "trending": "Trending", "missed": "Just missed"}


def print_explained(reader: Subscriber, rows: Sequence[Explanation]) -> None:
    """All numbers behind a digest, a small table per paper."""
    say(f"{reader.email}: {many(len(rows), 'paper')} explained, floor {reader.min_score:g}")
    if not rows:
        say("Nothing matches, and nothing trends. See: digest why " + reader.email)
    for part, heading in _HEADINGS.items():
        listed = [row for row in rows if row.part == part]
        if listed:
            say(f"\n{heading}", bold=True)
        for row in listed:
            say(f"{row.place:3}. {shown(row.title)}  [{row.key}]")
            lines = "\n".join(f"       {line}" for line in table(_numbers(row)).splitlines())
            say(lines + (f"\n       {_missed_by(row)}" if part == "missed" else ""))


def _numbers(row: Explanation) -> Iterator[tuple[str, str, str]]:
    from digest.curate.offer import TREND_SHARE

    for match in row.matches:
        words = ", ".join(dict.fromkeys(match.words[:3]))
        yield f"{match.score:+.3f}", match.keyword, f"{', '.join(match.fields)}: {words}"
    for entry, value in row.words:
        if value >= _SHOWN_FROM:
            yield f"{value:+.3f}", entry, "not as a whole: some of its words, or what they mean"
    if row.likeness >= _SHOWN_FROM:
        like = "; ".join(shown(title, 35) for title in row.like)
        yield f"{row.likeness:+.3f}", "likeness", f"like {like}" if like else "one of the best that match"
    if abs(row.profile) >= _SHOWN_FROM:
        yield f"{row.profile:+.3f}", "profile", "from interests and feedback"
    if row.part == "trending":
        yield f"{row.trend:.3f}", "trend", row.reason
        return
    yield f"{row.relevance:.3f}", "relevance", f"1 - e^(-sum/2), where the sum is {row.total:.3f}"
    yield (
        f"{row.interest:.3f}",
        "interest",
        f"{1 - TREND_SHARE:g} × relevance + {TREND_SHARE:g} × trend {row.trend:.3f}",
    )


def _missed_by(row: Explanation) -> str:
    return row.reason if row.short is None else f"{row.reason}; short by {row.short:.3f}"


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

    Prints id, score and why, best first. Needs no configuration and no state. That none matches is an answer like any
    other, with exit code 0; a list without papers is an error.
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
    if not papers:
        raise DigestError(f"{file}: there are no papers", hint="name a file with one JSON object per line")
    semantics = None if config is None else open_semantics(load_settings(config))
    ranked = Ranking(papers, semantics).rank(queries, related=True)[:number]
    rows = [_row(paper_id(scored.paper), scored, why(scored.matches, Trend()) or _RELATED) for scored in ranked]
    if as_json:
        print_json(rows)
    elif not rows:
        cause = "; these keywords only leave papers out" if all(query.excludes for query in queries) else ""
        say(f"None of {many(len(papers), 'paper')} matches{cause}.")
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
