"""What people read on the terminal: errors, verdicts, tables, JSON and progress.

Nothing else prints. Titles, replies of servers and names of sources come from outside: here they lose what a terminal
would obey instead of show.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Literal

import typer

from digest.errors import BusyError, ConfigError, ConfigProblem, DigestError, QueryError, TemplateError
from digest.model import SendReport

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from digest.model import RunReport, Verdict

EXIT_FAILED = 1
EXIT_USAGE = 2
#: EX_TEMPFAIL of sysexits.h
EXIT_DEFERRED = 75

#: ✓ something came or went out, or is in order · · nothing to do · ! somebody should look · ✗ wrong, where ! is advice
Mark = Literal["✓", "·", "!", "✗"]

_CALM = {"fresh", "sent", "planned"}
_COLOURS = {"✓": typer.colors.GREEN, "!": typer.colors.YELLOW, "✗": typer.colors.RED}
#: C0 but tab and line feed, DEL, C1 (xterm takes U+009B for ESC [), direction marks, line separators, surrogates
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class UsageError(DigestError):
    """An argument or option whose value cannot be right; exit code 2."""


def clean(text: str) -> str:
    r"""The text with everything that steers a terminal written out: ESC becomes `\x1b`."""
    return _UNSHOWABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def say(text: str = "", *, bold: bool = False, err: bool = False) -> None:
    """Print lines for people, to standard output or standard error; there they are lost if it cannot be written."""
    with suppress(OSError) if err else nullcontext():
        typer.secho(clean(text), bold=bold or None, err=err)


def tick(mark: Mark, sentence: str) -> None:
    """Print one finding with its mark, which is coloured on a terminal."""
    typer.echo(f"{typer.style(mark, fg=_COLOURS.get(mark))} {clean(sentence)}")


def report_error(error: DigestError) -> int:
    """Print what is wrong and what to do about it to standard error; returns the exit code."""
    if isinstance(error, ConfigError):
        told = [(_problem(problem), problem.hint) for problem in error.problems]
    else:
        told = [(error.message, error.hint)]
    for message, hint in told:
        say(f"digest: {message}", err=True)
        if hint:
            say(f"  → {hint}", err=True)
    return exit_code(error)


def _problem(problem: ConfigProblem) -> str:
    """`config.toml:12: subscribers.0.timezone = Europe/Berln: there is no such zone`."""
    place = problem.origin if problem.line is None else f"{problem.origin}:{problem.line}"
    key = problem.key if problem.value is None else f"{problem.key} = {problem.value}"
    return ": ".join(part for part in (place, key, problem.message) if part)


def exit_code(error: DigestError) -> int:
    """2 for what has to be written differently, 75 for what may be tried again, 1 for everything else."""
    if isinstance(error, BusyError):
        return EXIT_DEFERRED
    return EXIT_USAGE if isinstance(error, ConfigError | QueryError | TemplateError | UsageError) else EXIT_FAILED


def print_json(value: object) -> None:
    """Write any of our values as one JSON document: dataclasses as objects, times in ISO 8601.

    In ASCII, so that no locale and no terminal has anything to misread.
    """
    typer.echo(json.dumps(plain(value), indent=2))


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


def print_report(report: RunReport, *, quiet: bool = False, told: Container[str] = ()) -> None:
    """The verdicts of a run in one line each, then its warnings and notes; last the tally, if there is one to count.

    Of mails that wait for the same reason only a few are named.

    Args:
        report: of a pull or a send.
        quiet: print only what somebody should see to: trouble, and mails that this run should have sent and did not.
        told: with `quiet`, sentences of trouble that were told before.
    """
    from digest.story import shortened

    is_told_whole = not isinstance(report, SendReport) or not (
        report.unfinished or "planned" in report.tally or _is_cut_off(report)
    )
    verdicts, more = shortened(
        v for v in report.verdicts if not quiet or (v.trouble and v.sentence not in told) or v.finding == "planned"
    )
    for verdict in verdicts:
        tick(_mark(verdict), verdict.sentence)
    for warning in (*more, *report.warnings):
        tick("!", warning)
    if quiet and is_told_whole:
        return
    for note in report.notes:
        say(f"  {note}")
    if isinstance(report, SendReport) and sum(report.tally.values()) > 1:
        say("  " + ", ".join(f"{count:,} {finding.replace('_', ' ')}" for finding, count in report.tally.items()))


def _is_cut_off(report: SendReport) -> bool:
    """Whether there is more trouble than the verdicts that the report lists."""
    listed = Counter(verdict.finding for verdict in report.verdicts)
    troubles = {verdict.finding for verdict in report.verdicts if verdict.trouble}
    return any(report.tally[finding] > listed[finding] for finding in troubles)


def _mark(verdict: Verdict) -> Mark:
    if verdict.trouble:
        return "!"
    return "✓" if verdict.finding in _CALM else "·"


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
    lines = [tuple(map(clean, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def many(count: int, noun: str) -> str:
    """`1 source`, `2 sources`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"
