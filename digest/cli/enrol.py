"""`digest subscribers import`: a whole list of readers at once."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import EXIT_FAILED, many, progress, say
from digest.cli.options import ConfigOption, examples, load_settings, open_settings_state
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from digest.pipeline.enrol import Enrolled

#: readers who are named one by one: of those that are changed, and of those without mail
_TOLD = 20


def register(group: typer.Typer) -> None:
    """Add this file's command to those about subscribers."""
    group.command(
        "import",
        epilog=examples(
            "digest subscribers import lab.csv --dry-run",
            "digest subscribers import lab.jsonl",
            "digest subscribers import - < lab.csv",
        )
        + "\n\n\b\nA list:\n  email,name,keywords,time,timezone\n"
        '  ada@example.org,Ada,"mixture of experts; -medical",07:30,Europe/Berlin\n\n'
        '\b\n  {"email": "ada@example.org", "keywords": ["mixture of experts"]}',
    )(import_)


def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV or JSON lines; - reads standard input.", metavar="FILE", allow_dash=True)
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be, and change nothing.")] = False,
    config: ConfigOption = None,
) -> None:
    """Add or change all subscribers of a list.

    CSV has a first row that names the columns, as the keys of [[subscribers]] are called, and semicolons between the
    keywords of a cell; JSON lines have one object with such keys for each reader. Each is taken as `digest subscribers
    add` takes one: what is not there, or empty, stays as it is. Nobody is woken who unsubscribed or is paused. A line
    with a mistake costs itself only, is named, and makes the exit code 1. Who should be asked first is not for this
    list: see `digest subscribers invite`.
    """
    from digest.config.roster import read_roster
    from digest.pipeline.enrol import enrol

    settings, now = load_settings(config), utc_now()
    data = _read(file)
    try:
        entries = read_roster(data)
    except DigestError as error:
        raise DigestError(f"{file}: {error.message}", hint=error.hint) from error
    counts: Counter[str] = Counter()
    changed: list[Enrolled] = []
    silent: list[Enrolled] = []
    with open_settings_state(settings) as state, progress("importing") as step:
        for one in enrol(settings, state, entries, now=now, dry_run=dry_run):
            counts[one.done] += 1
            step()
            if one.done == "not taken":
                say(f"digest: {file}, line {one.line}: {one.reason}", err=True)
                continue
            if one.changes:
                changed.append(one)
            if one.reason:
                silent.append(one)
    _tell(counts, changed, silent, file, dry_run=dry_run)
    if counts["not taken"]:
        raise typer.Exit(EXIT_FAILED)


def _tell(counts: Counter[str], changed: list[Enrolled], silent: list[Enrolled], file: Path, *, dry_run: bool) -> None:
    for one in changed[:_TOLD]:
        say(f"  {one.email}: {'; '.join(one.changes)}")
    if len(changed) > _TOLD:
        say(f"  {len(changed) - _TOLD:,} more are changed")
    for one in silent[:_TOLD]:
        say(f"  {one.email} gets no digest now: {one.reason}")
    if len(silent) > _TOLD:
        say(f"  {len(silent) - _TOLD:,} more get no digest now; see: digest subscribers list")
    taken = ", ".join(f"{counts[done]:,} {done}" for done in ("new", "changed", "as before"))
    left = f"; {many(counts['not taken'], 'line')} not taken" if counts["not taken"] else ""
    say(f"{file}: {taken}{left}.{' Nothing was changed: a dry run.' if dry_run else ''}")


def _read(file: Path) -> bytes:
    from digest.config.roster import MAX_BYTES

    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise DigestError(f"{file}: {error.strerror}", hint="name a list of readers, CSV or JSON lines") from error
    if len(data) > MAX_BYTES:
        raise DigestError(f"{file}: is larger than {MAX_BYTES >> 20} MB", hint="bring it in parts")
    return data
