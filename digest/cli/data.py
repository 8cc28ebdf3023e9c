"""Taking the state elsewhere: export, import, and the schema that editors read."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from digest.cli.console import many, print_json, progress, say
from digest.cli.options import ConfigOption, examples, load_settings, open_settings_state
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NO_EXPORT = "name a file that `digest export` wrote"


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("export", epilog=examples("digest export backup.jsonl", "digest export - | gzip > backup.jsonl.gz"))(
        export
    )
    app.command("import", epilog=examples("digest import backup.jsonl", "gunzip < backup.jsonl.gz | digest import -"))(
        import_
    )
    app.command(epilog=examples("digest schema > digest.schema.json"))(schema)


def export(
    file: Annotated[
        Path, typer.Argument(help="New file, JSON lines; - writes to the terminal.", metavar="FILE", allow_dash=True)
    ],
    *,
    config: ConfigOption = None,
) -> None:
    """Write the whole state as JSON lines.

    A backup, or the way to another database: fill that one with `digest import`.
    """
    settings = load_settings(config)
    with (
        open_settings_state(settings, create=False) as state,
        progress("exporting") as step,
        _writable(file) as out,
    ):
        count = 0
        for row in state.export_rows():
            out.write(json.dumps(row) + "\n")
            step()
            count += 1
    if str(file) != "-":
        say(f"{many(count, 'row')} written to {file}.")


@contextmanager
def _writable(file: Path) -> Iterator[TextIO]:
    """Standard output for `-`, else a new file that only its owner may read: it holds everybody's addresses.

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
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
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

    A state that already holds something is left as it is.
    """
    settings = load_settings(config)
    with open_settings_state(settings) as state, progress("importing") as step:
        count = state.import_rows(_read(file, step))
    say(f"{many(count, 'row')} imported.")


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
