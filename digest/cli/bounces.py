"""`digest bounces`: what came back."""

from __future__ import annotations

from typing import Annotated

import typer

from digest.cli.console import print_json, say
from digest.cli.options import ConfigOption, JsonOption, QuietOption, examples, load_and_warn, open_settings_state
from digest.clock import utc_now


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(epilog=examples("digest bounces --dry-run", "digest bounces"))(bounces)


def bounces(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be; the mails stay unread.")] = False,
    allow_many: Annotated[
        bool, typer.Option("--allow-many", help="Pause however many there are, more than 5 % too.")
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Read returned mail, and pause readers whom no mail reaches.

    Also those who report mail as spam or unsubscribe by mail. What readers say of papers with the links in their mails
    is kept as `digest feedback` keeps it. Letters from people stay unread and are flagged, for somebody to read.
    `digest run` does all this once an hour.
    """
    from digest.pipeline.returns import read_returns

    settings = load_and_warn(config, quiet=quiet)
    with open_settings_state(settings) as state:
        report = read_returns(settings, state, clock=utc_now, dry_run=dry_run, allow_many=allow_many)
    if as_json:
        print_json(report)
        return
    verdicts = [verdict.sentence for verdict in report.verdicts if verdict.trouble or not quiet]
    read, *notes = report.notes
    for line in (*verdicts, *report.warnings) if quiet else (read, *verdicts, *report.warnings, *notes):
        say(line)
    if dry_run:
        say("This was a dry run: nobody was paused, nothing was written down, and the mails are as they were.")
