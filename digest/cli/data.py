"""Taking the state or papers elsewhere: export, import, and the schema that editors read."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from digest.cli.console import UsageError, many, print_json, progress, say
from digest.cli.options import ConfigOption, examples, load_settings, open_settings_state
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from digest.config import Settings

_NO_EXPORT = "name a file that `digest export` wrote"


class Form(Enum):
    """How papers are written."""

    md = "md"
    json = "json"
    bib = "bib"
    ris = "ris"
    csv = "csv"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(
        "export",
        epilog=examples(
            "digest export backup.jsonl",
            "digest export - | gzip > backup.jsonl.gz",
            "digest export --edition 2026-11-20 --format bib > papers.bib",
            "digest export --search 'title:lora -medical' --format csv lora.csv",
        ),
    )(export)
    app.command("import", epilog=examples("digest import backup.jsonl", "gunzip < backup.jsonl.gz | digest import -"))(
        import_
    )
    app.command(epilog=examples("digest schema > digest.schema.json"))(schema)


def export(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="New file; - writes to the terminal, and so do papers without FILE.", metavar="FILE", allow_dash=True
        ),
    ] = None,
    *,
    edition: Annotated[
        str, typer.Option(help="Papers of this UTC day, or of the latest one.", metavar="DATE|latest")
    ] = "",
    search: Annotated[
        str, typer.Option(help="Papers that this keyword entry finds, best first.", metavar="QUERY")
    ] = "",
    form: Annotated[
        Form | None,
        typer.Option("--format", help="Of papers; md if nothing is said. Alone: the latest edition."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write the whole state, or some papers.

    The state, as JSON lines, is a backup, or the way to another database: fill that one with `digest import`. An
    edition, or what a search finds, is written for people (md), programs (json, csv) or reference managers (bib, ris).
    """
    settings = load_settings(config)
    if form or edition or search:
        _export_papers(settings, file or Path("-"), edition, search, form or Form.md)
        return
    if file is None:
        raise UsageError("FILE is missing", hint="digest export backup.jsonl, or papers: digest export --format bib")
    with (
        open_settings_state(settings, create=False) as state,
        progress("exporting") as step,
        _writable(file, "ascii") as out,
    ):
        count = 0
        for row in state.export_rows():
            out.write(json.dumps(row) + "\n")
            if "table" in row:
                step()
                count += 1
    if str(file) != "-":
        say(f"{many(count, 'row')} written to {file}.")


def _export_papers(settings: Settings, file: Path, edition: str, search: str, form: Form) -> None:
    from digest.pipeline.records import edition_records, found_records
    from digest.publish.listing import FORMATS

    if edition and search:
        raise UsageError("--edition and --search exclude each other", hint="leave one of them away")
    with open_settings_state(settings, create=False) as state:
        if search:
            records = found_records(state, search)
        else:
            day = _edition(edition, state.papers.editions())
            records = edition_records(state, day) if day else []
    if not records:
        what = f"matches {search!r}" if search else "is known"
        raise DigestError(f"no paper {what}", hint="try another word" if search else "fetch some with: digest pull")
    # as they are: a reference manager does not expect a line end to be changed
    with _writable(file, "utf-8") as out:
        out.write(FORMATS[form.value](records))
    if str(file) != "-":
        say(f"{many(len(records), 'paper')} written to {file}.")


def _edition(typed: str, editions: Mapping[date, int]) -> date | None:
    """The day that was typed, or the latest; None if there are none.

    Raises:
        DigestError: there is no edition of that day.
        UsageError: it is no date.
    """
    latest = max(editions, default=None)
    if typed in {"", "latest"} or latest is None:
        return latest
    try:
        day = date.fromisoformat(typed)
    except ValueError as error:
        raise UsageError(f"--edition {typed}: this is no date", hint=f"write it as {latest}, or latest") from error
    if day not in editions:
        near = min(editions, key=lambda one: abs(one - day))
        raise DigestError(f"there is no edition of {day}", hint=f"the nearest one is of {near}")
    return day


@contextmanager
def _writable(file: Path, encoding: str) -> Iterator[TextIO]:
    """Standard output for `-`, else a new file that only its owner may read: a state holds everybody's addresses.

    Half an export is no export: what could not be written whole is removed.
    """
    if str(file) == "-":
        yield sys.stdout
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise DigestError(f"{file}: {error.strerror}", hint="name a file that does not exist yet") from error
    try:
        with os.fdopen(descriptor, "w", encoding=encoding, newline="") as out:
            yield out
    except BaseException as error:
        file.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, DigestError):
            raise DigestError(f"{file}: {error.strerror}", hint="name a file on a disk with more space") from error
        raise


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="A file that `digest export` wrote; - reads standard input.", metavar="FILE", allow_dash=True
        ),
    ],
    *,
    config: ConfigOption = None,
) -> None:
    """Fill an empty state from an export.

    A state that already holds something is left as it is, and of an export that was cut off nothing is imported.
    """
    settings = load_settings(config)
    with open_settings_state(settings) as state, progress("importing") as step:
        imported = state.import_rows(_read(file, step))
    say(f"{many(imported.rows, 'row')} imported.")
    if not imported.whole:
        say(f"digest: {file} does not say where it ends, as exports of earlier versions: it may be cut off", err=True)
        say("  → look whether everything is there: digest status", err=True)


def _read(file: Path, step: Callable[[], None]) -> Iterator[dict[str, Any]]:
    try:
        lines = sys.stdin.buffer if str(file) == "-" else file.open("rb")
    except OSError as error:
        raise DigestError(f"{file}: {error.strerror}", hint=_NO_EXPORT) from error
    with lines:
        for number, line in enumerate(lines, 1):
            yield _row(line, f"{file}, line {number}")
            step()


def _row(line: bytes, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        if line.startswith(b"{") and not line.endswith(b"\n"):
            hint = "nothing was imported; copy the file again, or export the state again"
            raise DigestError(f"{place}: the export breaks off in the middle of this line", hint=hint) from error
        raise DigestError(f"{place}: this is not JSON", hint=_NO_EXPORT) from error
    if not isinstance(row, dict):
        raise DigestError(f"{place}: this is not a JSON object", hint=_NO_EXPORT)
    return row


def schema() -> None:
    """Print the JSON Schema of the configuration.

    Editors that know it complete and check the TOML file.
    """
    from digest.config import json_schema

    print_json(json_schema())
