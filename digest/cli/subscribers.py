"""`digest subscribers`: who gets mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli import enrol
from digest.cli.choices import as_written, given, inherited, parsed
from digest.cli.console import EXIT_DEFERRED, UsageError, print_json, say, table
from digest.cli.options import (
    ConfigOption,
    JsonOption,
    examples,
    load_and_warn,
    load_settings,
    nothing_asked_for,
    open_settings_state,
    run_to_end,
)
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.model import Subscriber
    from digest.pipeline.consent import Asked
    from digest.state.store import State

app = typer.Typer(
    name="subscribers",
    help="List, add, import, invite, remove, pause, resume readers.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
EmailArgument = Annotated[str, typer.Argument(help="The subscriber's address.", metavar="EMAIL")]
WhoArgument = Annotated[
    str, typer.Argument(help="The subscriber's address, or the token of their unsubscribe link.", metavar="EMAIL")
]
KeywordOption = Annotated[
    list[str] | None, typer.Option("-k", "--keyword", help="Keyword; may be repeated.", metavar="ENTRY")
]
NameOption = Annotated[
    str | None, typer.Option(help="Their name, as it stands in the To of their mail.", metavar="NAME")
]
TimeOption = Annotated[str | None, typer.Option("--time", help="Local time.", metavar="HH:MM")]
DaysOption = Annotated[str | None, typer.Option(help="Local days: mon,tue,…", metavar="DAYS")]
FrequencyOption = Annotated[str | None, typer.Option(help="daily, weekdays or weekly.", metavar="HOW")]
#: not called --quiet: that makes other commands silent
QuietDaysOption = Annotated[
    str | None, typer.Option("--quiet-days", help="Days for which nothing is found: skip, or note.", metavar="HOW")
]
TimezoneOption = Annotated[str | None, typer.Option(help="IANA name, such as Europe/Berlin.", metavar="ZONE")]
MaxPapersOption = Annotated[int | None, typer.Option(help="Most papers in the For-you part.", metavar="N")]
TrendingOption = Annotated[int | None, typer.Option(help="Most papers in the Trending part.", metavar="N")]
LayoutOption = Annotated[str | None, typer.Option(help="full, or compact: a list without abstracts.", metavar="LAYOUT")]
ImagesOption = Annotated[str | None, typer.Option(help="Pictures: none, linked or embedded.", metavar="IMAGES")]
LanguageOption = Annotated[str | None, typer.Option(help="Of the mails, like de.", metavar="TAG")]
MinScoreOption = Annotated[
    float | None, typer.Option(help="Least relevance of a For-you paper, 0 to 1.", metavar="SCORE")
]
FollowupsOption = Annotated[bool | None, typer.Option("--followups/--no-followups", help="News of papers sent before.")]


def register(parent: typer.Typer) -> None:
    """Add this file's commands, and `import`."""
    enrol.register(app)
    parent.add_typer(app)


@app.command("list", epilog=examples("digest subscribers list", "digest subscribers list --json"))
def list_(*, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show every subscriber, and when their mail is due.

    Also where they are kept, and whether they are paused.
    """
    from digest.pipeline.readers import next_digest, pause_reason, subscribers

    settings, now = load_settings(config), utc_now()
    with open_settings_state(settings) as state:
        readers, pauses = subscribers(settings, state), state.subscribers.pauses()
    configured = {reader.email for reader in settings.subscribers}
    rows = [
        {
            **as_written(reader),
            "asked_at": reader.asked_at,
            "kept_in": "configuration" if reader.email in configured else "state",
            "paused": pause_reason(reader, pauses, now),
            "next_due": next_digest(reader, pauses, now),
        }
        for reader in readers
    ]
    if as_json:
        print_json(rows)
    elif rows:
        head = ("ADDRESS", "KEPT IN", "TIME", "DAYS", "KEYWORDS", "PAUSED")
        say(table([head, *(_row(reader, row) for reader, row in zip(readers, rows, strict=True))]))
    else:
        say("There are no subscribers yet. Add one: digest subscribers add you@example.org -k 'your keyword'")


def _row(reader: Subscriber, row: dict[str, object]) -> tuple[str, ...]:
    days = "daily" if len(reader.days) == 7 else ",".join(reader.days)
    if reader.frequency == "weekly":
        days = f"weekly, {days}"
    hour = f"{reader.at:%H:%M} {reader.timezone}"
    return (reader.email, str(row["kept_in"]), hour, days, str(len(reader.keywords)), str(row["paused"]) or "no")


@app.command(
    epilog=examples(
        "digest subscribers add ada@example.org -k 'mixture of experts' -k '-medical'",
        "digest subscribers add ada@example.org --time 07:30 --timezone Europe/Berlin",
        "digest subscribers add ada@example.org --max-papers 30 --layout compact",
        "digest subscribers add ada@example.org --frequency weekly --days mon",
        "digest subscribers add ada@example.org --inherit time --inherit max-papers",
    )
)
def add(
    email: EmailArgument,
    *,
    keyword: KeywordOption = None,
    name: NameOption = None,
    time_: TimeOption = None,
    days: DaysOption = None,
    frequency: FrequencyOption = None,
    quiet: QuietDaysOption = None,
    timezone: TimezoneOption = None,
    max_papers: MaxPapersOption = None,
    trending: TrendingOption = None,
    layout: LayoutOption = None,
    images: ImagesOption = None,
    language: LanguageOption = None,
    min_score: MinScoreOption = None,
    followups: FollowupsOption = None,
    inherit: Annotated[
        list[str] | None,
        typer.Option(
            "--inherit",
            help="As [digest] says again: time, days, max-papers, … or all; may be repeated.",
            metavar="KEY",
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Add a subscriber to the state, or change one kept there.

    What is not given stays as it is. What they never chose is as in the [digest] section of the configuration, today
    and after you change it there. Keywords that are given replace those of before. Of a reader who cannot be read, as
    one whose time zone is no more, nothing stays.
    """
    from digest.pipeline.enrol import changes
    from digest.pipeline.readers import pause_reason

    broken: dict[str, str] = {}
    settings, now = load_settings(config), utc_now()
    chosen = given(
        email=email,
        keywords=keyword,
        name=name,
        time=time_,
        days=days,
        frequency=frequency,
        quiet=quiet,
        timezone=timezone,
        max_papers=max_papers,
        trending=trending,
        layout=layout,
        images=images,
        language=language,
        min_score=min_score,
        followups=followups,
    )
    with open_settings_state(settings) as state, state.transaction():
        keys = inherited(inherit or (), chosen)
        # who gives back a choice wants the others kept
        known, reader = parsed(chosen, settings, state, inherit=keys, broken=None if keys else broken)
        if broken:
            reader = replace(reader, asked_at=state.subscribers.asked_at(reader.email))
        state.subscribers.put(reader, now=now)
        paused = pause_reason(reader, state.subscribers.pauses([reader.email]), now) if reader.asked_at is None else ""
    _warn(reader)
    for email, reason in broken.items():
        say(f"digest: {email} was there, but could not be read: {reason}", err=True)
        say("  → what you gave now is all that is left; add what is missing in the same way", err=True)
    if paused:
        say(f"{reader.email} gets no digest now: {paused}")
        say(f"To end that: digest subscribers resume {reader.email}. Then they get one {_when(reader)}.")
    else:
        say(f"{reader.email} gets a digest {_when(reader)}{'' if reader.asked_at is None else ', once they say yes'}.")
    if known is not None:
        changed = "; ".join(changes(known, reader))
        say(f"Changed: {changed}. All else is as before." if changed else "Nothing was changed.")
    say(f"See it now: digest preview --for {reader.email} --open")


@app.command(
    epilog=examples(
        "digest subscribers invite ada@example.org -k 'mixture of experts'",
        "digest subscribers invite ada@example.org --again",
    )
)
def invite(
    email: EmailArgument,
    *,
    keyword: KeywordOption = None,
    name: NameOption = None,
    time_: TimeOption = None,
    days: DaysOption = None,
    frequency: FrequencyOption = None,
    quiet: QuietDaysOption = None,
    timezone: TimezoneOption = None,
    max_papers: MaxPapersOption = None,
    trending: TrendingOption = None,
    layout: LayoutOption = None,
    images: ImagesOption = None,
    language: LanguageOption = None,
    min_score: MinScoreOption = None,
    followups: FollowupsOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also who was asked within a day, unsubscribed, or is paused until resumed.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Ask somebody by mail, at once, whether they want a digest.

    They get none before they say yes: by the link in that mail, read by `digest bounces` from the mailbox in [bounces],
    or to you, see `digest subscribers confirm`. Who says nothing within 14 days is forgotten. Who unsubscribed is asked
    only with --again: do so if they told you that they have changed their mind.
    """
    from digest.pipeline.consent import invite as ask

    settings = load_and_warn(config)
    chosen = given(
        email=email,
        keywords=keyword,
        name=name,
        time=time_,
        days=days,
        frequency=frequency,
        quiet=quiet,
        timezone=timezone,
        max_papers=max_papers,
        trending=trending,
        layout=layout,
        images=images,
        language=language,
        min_score=min_score,
        followups=followups,
    )
    with open_settings_state(settings) as state:
        asked = run_to_end(ask(settings, state, lambda: parsed(chosen, settings, state), clock=utc_now, again=again))
    if asked.pause is not None:
        since = f"{asked.pause.at:%Y-%m-%d}: {asked.pause.reason}"
        say(f"digest: {asked.reader.email} was asked although they get no mail since {since}", err=True)
    _warn(asked.reader)
    _tell_asked(asked)


def _warn(reader: Subscriber) -> None:
    from digest.pipeline.readers import asks_for_nothing

    if asks_for_nothing(reader):
        say(f"digest: {nothing_asked_for([reader.email])}", err=True)


def _tell_asked(asked: Asked) -> None:
    """Say what became of the mail; raises for what was not delivered, as `digest send` ends."""
    reader, receipt = asked.reader, asked.receipt
    said = f"{receipt.relay}: {receipt.code} {receipt.text}" if receipt.code else receipt.text
    if receipt.outcome == "refused":
        hint = "correct the address; nothing was kept or changed"
        raise DigestError(f"{reader.email} was not asked, the mail was refused: {said}", hint=hint)
    if receipt.outcome == "deferred":
        say(f"digest: {reader.email} was not asked, the mail was not taken: {said}", err=True)
        say("  → try again later; nothing was kept or changed", err=True)
        raise typer.Exit(EXIT_DEFERRED)
    if receipt.outcome == "in_doubt":
        say(f"digest: the mail to {reader.email} may or may not have arrived: {said}", err=True)
        say("  → ask them, or send another one with --again", err=True)
        raise typer.Exit(EXIT_DEFERRED)
    say(f"{reader.email} was asked by mail. Once they say yes, they get a digest {_when(reader)}.")
    say(f"If they told you: digest subscribers confirm {reader.email}")


@app.command(epilog=examples("digest subscribers confirm ada@example.org"))
def confirm(email: WhoArgument, *, config: ConfigOption = None) -> None:
    """Take down that somebody who was asked wants their digest.

    For who told you; answers by mail are read by `digest bounces`.
    """
    from digest.pipeline import consent
    from digest.pipeline.readers import pause_reason

    settings, now = load_settings(config), utc_now()
    with open_settings_state(settings) as state:
        reader = _found(settings, state, email)
        heard = consent.confirm(state, reader.email, asked=now, now=now)
        paused = pause_reason(replace(reader, asked_at=None), state.subscribers.pauses([reader.email]), now)
    if heard == "confirmed":
        say(f"{reader.email} gets a digest {_when(reader)}{f', but not yet: {paused}' if paused else ''}.")
    else:
        say(f"{reader.email} need not confirm{f', but gets no digest: {paused}' if paused else ''}.")


def _when(reader: Subscriber) -> str:
    from digest.due import weekly_at

    if reader.frequency == "weekly":
        return f"of the week on {weekly_at(reader)}"
    return f"at {reader.at:%H:%M} {reader.timezone} on {', '.join(reader.days)}"


@app.command(epilog=examples("digest subscribers remove ada@example.org"))
def remove(email: WhoArgument, *, config: ConfigOption = None) -> None:
    """Remove a subscriber from the state."""
    settings = load_settings(config)
    with open_settings_state(settings) as state:
        address = state.subscribers.by_token(email) or email
        if not state.subscribers.remove(address):  # also who cannot be read
            address = _found(settings, state, email).email
            if not state.subscribers.remove(address):
                reason = f"{address} is kept in the configuration"
                hint = f"delete the entry there; to stop the mail at once: digest subscribers pause {address}"
                raise DigestError(reason, hint=hint)
    say(f"{address} gets no more mail.")


@app.command(
    epilog=examples(
        "digest subscribers pause ada@example.org",
        "digest subscribers pause ada@example.org --until 2027-01-07 --reason holiday",
    )
)
def pause(
    email: WhoArgument,
    *,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day with mail again.", metavar="YYYY-MM-DD")
    ] = None,
    reason: Annotated[str, typer.Option(help="Shown by `digest why`.", metavar="TEXT")] = "by the operator",
    config: ConfigOption = None,
) -> None:
    """Send a subscriber no mail until a date, or until resumed."""
    settings, now = load_settings(config), utc_now()
    day: date | None = until.date() if until else None
    if day is not None and day <= now.date():
        raise UsageError(f"--until {day} is not in the future", hint="give the first day with mail again")
    with open_settings_state(settings) as state:
        reader = _found(settings, state, email)
        before = state.subscribers.pauses([reader.email]).get(reader.email)
        if day is not None and before is not None and before.until is None:
            since = f"{reader.email} gets no mail since {before.at:%Y-%m-%d}: {before.reason}"
            hint = f"with an end, this pause would end that too; if it should: digest subscribers resume {reader.email}"
            raise DigestError(since, hint=hint)
        state.subscribers.pause(reader.email, until=day, reason=reason, now=now)
    say(f"{reader.email} is paused {f'until {day}' if day else 'until resumed'}.")


@app.command(epilog=examples("digest subscribers resume ada@example.org"))
def resume(email: WhoArgument, *, config: ConfigOption = None) -> None:
    """End a pause.

    Refused mails are counted afresh from now on. Who was asked and has not answered stays without mail, and so does who
    has `paused_until` in the configuration.
    """
    from digest.pipeline.readers import pause_reason

    settings, now = load_settings(config), utc_now()
    with open_settings_state(settings) as state, state.transaction():
        reader = _found(settings, state, email)
        ended = state.subscribers.resume(reader.email, now=now)
    if still := pause_reason(reader, {}, now):
        say(f"{reader.email} gets no digest yet{', though their pause is ended' if ended else ''}: {still}")
        say(f"To end that: {_way_back(reader)}")
    else:
        say(f"{reader.email} gets mail again." if ended else f"{reader.email} was not paused.")


def _way_back(reader: Subscriber) -> str:
    """What ends the silence of who is not paused by a command."""
    if reader.asked_at is not None:
        return f"if they told you that they want it: digest subscribers confirm {reader.email}"
    return "take paused_until out of their entry in the configuration"


def _found(settings: Settings, state: State, name: str) -> Subscriber:
    """The subscriber with this address or unsubscribe token."""
    from digest.pipeline.readers import reader_named

    return reader_named(settings, state, state.subscribers.by_token(name) or name)
