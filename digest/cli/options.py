"""What several commands share: options, examples in help texts, opening settings and state, and log lines."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO, TypeVar, cast

import typer

from digest.cli.console import UsageError, clean, say
from digest.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Coroutine, MutableMapping, Sequence

    from digest.config import Settings
    from digest.state.store import State

T = TypeVar("T")

#: readers in one sentence
_MOST_NAMED = 5

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Else $DIGEST_CONFIG, ./config.toml, the user's folder.",
        metavar="FILE",
        show_default=False,
    ),
]
ForOption = Annotated[str, typer.Option("--for", help="The subscriber's address.", metavar="EMAIL")]
#: of commands that take the address as an argument as well
AlsoForOption = Annotated[str, typer.Option("--for", help="The same as EMAIL.", metavar="EMAIL", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")]
#: of commands that cron runs, which mails to its owner whatever they print
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what somebody should see to.")]


def examples(*lines: str) -> str:
    r"""The end of a command's help: each example on a line of its own, which `\b` keeps typer from joining."""
    return "\n".join(("\b", f"Example{'s' * (len(lines) > 1)}:", *(f"  {line}" for line in lines)))


def one_reader(argument: str, option: str) -> str:
    """The address that a command was given, as an argument or with `--for`; empty: neither.

    Raises:
        UsageError: it was given two.
    """
    if argument and option and argument.strip().casefold() != option.strip().casefold():
        raise UsageError(f"{argument} and --for {option} are two readers", hint="name one of them")
    return argument or option


def load_settings(config: Path | None, *, quiet: bool = False) -> Settings:
    """The settings of the file that applies.

    Args:
        config: as typed; None: look where it usually is.
        quiet: log only what somebody should see to.

    Raises:
        ConfigError: with every mistake found.
    """
    from digest import config as configuration

    log_to_stderr(quiet=quiet)
    if config is None or not config.is_absolute():  # else the folder we are in may even be gone
        config = configuration.find(config, os.environ, Path.cwd())
    return configuration.load(config, os.environ)


def load_and_warn(config: Path | None, *, quiet: bool = False) -> Settings:
    """The settings, for commands that act on the world; things that are no mistakes are said on standard error."""
    settings = load_settings(config, quiet=quiet)
    for warning in settings.warnings:
        say(f"digest: {warning}", err=True)
    return settings


def open_settings_state(settings: Settings, *, create: bool = True) -> State:
    """The state that the settings name, created on first use; to be used in a `with` statement."""
    from digest.state.store import open_state

    state = open_state(settings.state_url, now=utc_now(), create=create)
    if upgrade := state.upgrade:
        copy = f"; the file as it was: {upgrade.backup}" if upgrade.backup else ""
        say(f"digest: state {state.place} was upgraded from {upgrade.before} to {upgrade.after}{copy}", err=True)
    return state


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run`, imported when there is something to run: it is a quarter of what `digest --help` would load."""
    import asyncio

    return asyncio.run(work)


def log_to_stderr(*, quiet: bool = False) -> None:
    """Send log lines to standard error, as JSON where nobody watches, so that they never mix with what we print.

    Those that only inform, as of a request that is made again, are left out if `quiet`.
    """
    import logging

    import structlog

    watched = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _showable,
            structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Lossy(sys.stderr))),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
    )
    # APScheduler and aiosmtplib use the standard library's logging
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")


class _Lossy:
    """Writes to a stream; what cannot be written, as on a full disk, is lost: mail matters more than its log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _showable(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A log line whose texts no terminal obeys."""
    return {key: clean(value) if isinstance(value, str) else value for key, value in event.items()}


def nothing_asked_for(emails: Sequence[str]) -> str:
    """The warning of readers for whom nothing is ever found; at least one. A few are named."""
    named = ", ".join(emails[:_MOST_NAMED]) + f" and {len(emails) - _MOST_NAMED:,} more" * (len(emails) > _MOST_NAMED)
    return (
        f"{named}: no keyword asks for something (-lions only leaves papers out), so there is no For-you part; add one "
        "like mixture of experts"
    )
