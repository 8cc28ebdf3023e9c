"""What people read on the terminal: errors, verdicts, JSON and progress."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import typer

from digest.errors import ConfigError, ConfigProblem, DigestError, QueryError, TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from digest.model import RunReport, Verdict

EXIT_FAILED = 1
EXIT_USAGE = 2
#: EX_TEMPFAIL of sysexits.h
EXIT_DEFERRED = 75

_CALM = {"fresh", "sent", "planned"}


def report_error(error: DigestError) -> int:
    """Print an error to standard error and return the exit code it deserves."""
    typer.echo(f"digest: {error.message}", err=True)
    if isinstance(error, ConfigError):
        for problem in error.problems:
            typer.echo(_problem(problem), err=True)
    if error.hint:
        typer.echo(f"  → {error.hint}", err=True)
    return EXIT_USAGE if isinstance(error, ConfigError | QueryError | TemplateError) else EXIT_FAILED


def _problem(problem: ConfigProblem) -> str:
    """`config.toml:12: subscribers.0.timezone = Europe/Berln: there is no such zone` and the hint below."""
    place = problem.origin if problem.line is None else f"{problem.origin}:{problem.line}"
    key = problem.key if problem.value is None else f"{problem.key} = {problem.value}"
    text = ": ".join(part for part in (place, key, problem.message) if part)
    return f"  {text}\n    → {problem.hint}" if problem.hint else f"  {text}"


def print_json(value: object) -> None:
    """Write any of our values as JSON: dataclasses as objects, times in ISO 8601."""
    typer.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def plain(value: object) -> Any:
    """The JSON form of a value of ours."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


def print_report(report: RunReport) -> None:
    """Every verdict of a run in one line each, then its notes."""
    for verdict in report.verdicts:
        typer.echo(verdict_line(verdict))
    for note in report.notes:
        typer.echo(f"  {note}")


def verdict_line(verdict: Verdict) -> str:
    """`✓` something came or went out, `·` nothing to do, `!` somebody should look."""
    if verdict.trouble:
        return typer.style(f"! {verdict.sentence}", fg=typer.colors.YELLOW)
    if verdict.finding in _CALM:
        return typer.style("✓ ", fg=typer.colors.GREEN) + verdict.sentence
    return f"· {verdict.sentence}"


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """A progress bar on a terminal, silence in cron. Yields what to call after each step."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Left-aligned columns, two spaces apart, as wide as their longest cell."""
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
