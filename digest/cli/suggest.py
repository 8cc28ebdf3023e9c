"""`digest keywords suggest`: keywords from what a reader brought and said."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import many, print_json, say, table
from digest.cli.keywords import app
from digest.cli.options import ConfigOption, ForOption, JsonOption, examples, load_settings, open_settings_state
from digest.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.config import Settings
    from digest.model import Subscriber
    from digest.pipeline.profiles import Suggestion


def register(_parent: typer.Typer) -> None:
    """Add this file's command, beside those of `keywords`."""
    app.command(
        epilog=examples(
            "digest keywords suggest --for ada@example.org",
            "digest keywords suggest --for ada@example.org --days 30 --json",
        )
    )(suggest)


def suggest(
    *,
    email: ForOption,
    days: Annotated[int, typer.Option(min=1, max=365, help="How many past days to look at.", metavar="N")] = 14,
    number: Annotated[int, typer.Option("-n", min=1, max=100, help="Most keywords to propose.", metavar="N")] = 10,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Propose keywords from interests and feedback.

    Phrases that a reader's own papers have and others have not, each with what it would match.
    """
    from digest.pipeline.profiles import suggestions
    from digest.pipeline.readers import reader_named

    settings, now = load_settings(config), utc_now()
    with open_settings_state(settings) as state:
        reader = reader_named(settings, state, email)
        found = suggestions(state, reader, now=now, days=days, most=number)
    if as_json:
        print_json(found)
    elif found:
        print_suggestions(found, days, reader, settings)
    else:
        say(f"Nothing is known of what {reader.email} likes, or nothing that their papers have and others have not.")
        say(f"Bring a list of papers: digest interests import FILE --for {reader.email}")


def print_suggestions(found: Sequence[Suggestion], days: int, reader: Subscriber, settings: Settings) -> None:
    """Proposed keywords as a table, how to try one, and all of them as they are pasted; nothing if there are none."""
    if not found:
        return
    rows = [(one.entry, str(one.papers), f"{one.hits_per_day:.1f}", f"{one.share:.1%}") for one in found]
    say(f"Keywords that would find such papers, as of the last {many(days, 'day')}:")
    say(table([("  KEYWORD", "OF YOURS", "HITS A DAY", "SHARE"), *((f"  {row[0]}", *row[1:]) for row in rows)]))
    say(f"Try one: digest keywords test {shlex.quote(found[0].entry)} --for {reader.email}")
    say("Take those that fit:")
    say(f"  {_pasted([one.entry for one in found], reader, settings)}")


def _pasted(entries: Sequence[str], reader: Subscriber, settings: Settings) -> str:
    """Keywords as they are written where those of the reader are."""
    if reader.email in {one.email for one in settings.subscribers}:
        quoted = ", ".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
        return f"{quoted},   (into their keywords)" if reader.keywords else f"keywords = [{quoted}]"
    options = " ".join(f"-k {shlex.quote(entry)}" for entry in (*reader.keywords, *entries))
    return f"digest subscribers add {shlex.quote(reader.email)} {options}   (and the options they have)"
