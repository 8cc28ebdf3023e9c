"""Taking the state elsewhere: export, import, and the schema that editors read."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from digest.cli.console import progress
from digest.cli.options import ConfigOption, load_settings, open_settings_state
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Iterator


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("export", epilog="Examples: digest export backup.jsonl · digest export - | gzip > backup.gz")(export)
    app.command("import", epilog="Example: DIGEST_STATE__URL=postgresql://… digest import backup.jsonl")(import_)
    app.command(epilog="Example: digest schema > digest.schema.json")(schema)


def export(
    file: Annotated[Path, typer.Argument(help="JSON lines; - writes to the terminal.", allow_dash=True)],
    *,
    config: ConfigOption = None,
) -> None:
    """Write the whole state as JSON lines: a backup, or the way to another database."""
    settings = load_settings(config)
    with open_settings_state(settings) as state, progress("exporting") as step:
        count = _write(file, state.export_rows(), step)
    if str(file) != "-":
        typer.echo(f"{count:,} rows written to {file}.")


def _write(file: Path, rows: Iterator[dict[str, Any]], step: Any) -> int:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    count = 0
    with _writable(file) as out:
        for line in lines:
            out.write(line)
            step()
            count += 1
    return count


@contextmanager
def _writable(file: Path) -> Iterator[TextIO]:
    """Standard output for `-`, else a new file that only its owner may read: it holds everybody's addresses."""
    if str(file) == "-":
        yield sys.stdout
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise DigestError(f"{file}: {error.strerror}", hint="name a file that does not exist yet") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        yield out


def import_(
    file: Annotated[
        Path, typer.Argument(help="A file that `digest export` wrote; - reads standard input.", allow_dash=True)
    ],
    *,
    config: ConfigOption = None,
) -> None:
    """Fill an empty state from an export. A state that already holds something is left as it is."""
    settings = load_settings(config)
    with open_settings_state(settings) as state, progress("importing") as step:
        count = state.import_rows(_read(file, step))
    typer.echo(f"{count:,} rows imported.")


def _read(file: Path, step: Any) -> Iterator[dict[str, Any]]:
    try:
        lines = sys.stdin if str(file) == "-" else file.open(encoding="utf-8")
    except OSError as error:
        raise DigestError(f"{file}: {error.strerror}", hint="name a file that `digest export` wrote") from error
    with lines:
        for number, line in enumerate(lines, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                reason = f"{file}, line {number}: this is not JSON"
                raise DigestError(reason, hint="name a file that `digest export` wrote") from error
            step()


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors that complete and check TOML."""
    from digest.config import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
