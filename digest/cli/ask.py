"""The commands that answer questions: why, status."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import print_json, say, table
from digest.cli.options import (
    AlsoForOption,
    ConfigOption,
    JsonOption,
    examples,
    load_settings,
    one_reader,
    open_settings_state,
)
from digest.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from digest.model import SourceMemory, Subscriber, Verdict
    from digest.state.history import Backlog
    from digest.state.store import State
    from digest.story import Day


#: readers that are named one by one
_MOST_TOLD = 5


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog=examples("digest why", "digest why --for ada@example.org --days 14"))(why)
    app.command(epilog=examples("digest status", "digest status --json"))(status)


def why(
    email: Annotated[
        str, typer.Argument(help="One subscriber's story; without it, everybody's.", metavar="EMAIL")
    ] = "",
    *,
    for_: AlsoForOption = "",
    days: Annotated[int, typer.Option(min=1, max=90, metavar="N", help="How many days to tell, today included.")] = 3,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Tell what came, what was sent, and why the rest was not.

    Days are the subscriber's own, or those of UTC in everybody's story.
    """
    from digest import story
    from digest.pipeline.readers import pause_reason, reader_named

    email = one_reader(email, for_)
    settings = load_settings(config)
    now = utc_now()
    since = now - timedelta(days=days + 1)
    with open_settings_state(settings) as state:
        reader = reader_named(settings, state, email) if email else None
        told = story.tell(
            _verdicts(state, reader, since=since),
            now=now,
            days=days,
            reader=reader,
            paused=pause_reason(reader, state.subscribers.pauses([reader.email]), now) if reader else "",
            joined=state.subscribers.joined(reader.email) if reader and reader not in settings.subscribers else None,
            sends=state.runs.starts("send", since=since, until=now),
        )
    if as_json:
        print_json(told)
    else:
        say("\n\n".join(map(_day, told)))


def _verdicts(state: State, reader: Subscriber | None, *, since: datetime) -> Iterable[Verdict]:
    """What the story is told from: of the readers, only the one it is about."""
    if reader is None:
        return state.runs.verdicts(since=since)
    own = state.runs.verdicts(scope="subscriber", name=reader.email, since=since)
    return state.runs.verdicts(scope="source", since=since) + own


def _day(day: Day) -> str:
    return "\n".join([f"{day.day:%A %-d %B %Y}", *(f"  {line}" for line in day.lines)])


def status(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show what is known, what waits and what comes next."""
    from digest.due import weekly_at
    from digest.pipeline.backlog import backlog
    from digest.pipeline.failing import failing_sources
    from digest.pipeline.readers import next_digest, pause_reason, subscribers

    settings, now = load_settings(config), utc_now()
    with open_settings_state(settings) as state:
        memories, failing = state.papers.memories(), failing_sources(settings, state, now=now)
        readers, pauses = subscribers(settings, state), state.subscribers.pauses()
        paused = sum(not reader.asked_at and bool(pause_reason(reader, pauses, now)) for reader in readers)
        counts = {**state.counts(), "subscribers": len(readers), "paused": paused}
        place, waiting = state.place, backlog(state, now=now)
        sends = state.runs.span("send")
    due = {reader.email: next_digest(reader, pauses, now) for reader in readers}
    if as_json:
        sources = {source.name: memories.get(source.name) for source in settings.sources}
        told = {"config": str(settings.path), "state": place, "counts": counts, "sources": sources}
        last_send = sends and sends[1]
        print_json(told | {"failing": failing, "waiting": waiting, "last_send": last_send, "next_due": due})
        return
    say(f"configuration  {settings.path}\nstate          {place}")
    say(f"mail goes to   {settings.smtp.host if settings.smtp else settings.maildir_path}\n")
    rows = [_source_row(source.name, memories.get(source.name)) for source in settings.sources]
    say(table([("SOURCE", "LAST READ", "LAST NEWS", "FAILURES"), *rows]))
    for one in failing:
        say(f"  {one.told}")
    say("\n" + table([(name.replace("_", " "), f"{count:,}") for name, count in counts.items()]))
    if waiting:
        say("\nmail that waits")
        _say_waiting(waiting, last_send=sends[1] if sends else None)
    unconfirmed = [(f"  {reader.email}", pause_reason(reader, pauses, now)) for reader in readers if reader.asked_at]
    if unconfirmed:
        say("\nasked whether they want mail")
        _say_some(unconfirmed)
    upcoming = sorted((moment, email) for email, moment in due.items() if moment)
    if upcoming:
        say("\nnext digests")
        weekly = {reader.email: f"weekly, on {weekly_at(reader)}" for reader in readers if reader.frequency == "weekly"}
        _say_some([(f"  {at:%a %-d %b %H:%M} UTC", email, weekly.get(email, "")) for at, email in upcoming])


def _say_waiting(waiting: Sequence[Backlog], *, last_send: datetime | None) -> None:
    """Why, since when, and what ends it; where mail waits for many reasons, those of most mails."""
    for one in waiting[:_MOST_TOLD]:
        held = one.state == "held"
        later = f"; next attempt {_moment(one.next_attempt_at)}" if one.next_attempt_at else ""
        later = "; to send it: digest send --held" if held else later
        reason = one.reason or "not tried yet"
        say(f"  {one.mails:,} {'held back ' if held else ''}since {_moment(one.since)}: {reason}{later}")
    if more := sum(one.mails for one in waiting[_MOST_TOLD:]):
        say(f"  … and {more:,} more: digest why")
    say(f"  Last tried {_moment(last_send)}; the next send tries again. To see whether the relay answers: digest check")


def _say_some(rows: Sequence[tuple[str, ...]]) -> None:
    """The first readers of a list, and how to see all."""
    say(table(rows[:_MOST_TOLD]))
    if (more := len(rows) - _MOST_TOLD) > 0:
        say(f"  … and {more:,} more: digest subscribers list")


def _source_row(name: str, memory: SourceMemory | None) -> tuple[str, ...]:
    if memory is None:
        return (name, "never", "never", "0")
    return (name, _moment(memory.last_pull_at), _moment(memory.last_fresh_at), str(memory.failures))


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "never"
