"""The commands that do the work: pull, send, run."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import EXIT_DEFERRED, EXIT_FAILED, print_json, print_report, progress
from digest.cli.options import ConfigOption, JsonOption, load_settings, open_settings_state
from digest.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.config import Settings
    from digest.model import RunReport
    from digest.state.store import State


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog="Examples: digest pull · digest pull --source arxiv --json")(pull)
    app.command(epilog="Examples: digest send · digest send --pull (one line for cron) · digest send --now")(send)
    app.command(epilog="Example: digest run --config /etc/digest/config.toml")(run)


def pull(
    *,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only this source (may be repeated).")] = None,
    allow_flood: Annotated[
        bool, typer.Option("--allow-flood", help="Accept a batch that is far larger than any before.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Fetch new batches from the sources and remember them. Nothing is mailed."""
    settings = load_settings(config)
    with open_settings_state(settings) as state:
        report = _pull(settings, state, only=source or [], allow_flood=allow_flood)
    _show(report, as_json=as_json)
    if report.verdicts and all(verdict.finding == "failed" for verdict in report.verdicts):
        raise typer.Exit(EXIT_FAILED)


def _pull(settings: Settings, state: State, *, only: list[str], allow_flood: bool) -> RunReport:
    from digest.pipeline.pull import pull as pull_sources

    with progress("pulling", len(only) or len(settings.sources)) as step:
        return asyncio.run(
            pull_sources(
                settings, state, clock=utc_now, only=only, allow_flood=allow_flood, on_batch=lambda _batch: step()
            )
        )


def send(
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Today's digests whatever the hour and weekday; still one per local day.")
    ] = False,
    pull_first: Annotated[bool, typer.Option("--pull", help="Fetch new batches first.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Plan and send every digest that is due now, and what was missed today or deferred before.

    Run it from cron, as often as you like: nobody gets two digests for one local day.
    """
    from digest.pipeline.send import send as send_due
    from digest.pipeline.tell import tell_operator

    settings = load_settings(config)
    with open_settings_state(settings) as state:
        if pull_first:
            pulled = _pull(settings, state, only=[], allow_flood=False)
            _show(pulled, as_json=as_json)
        with _stopping() as stop, progress("sending") as step:
            report = asyncio.run(
                send_due(
                    settings, state, clock=utc_now, any_hour=now, stop=stop.is_set, on_verdict=lambda _verdict: step()
                )
            )
        asyncio.run(tell_operator(settings, state, clock=utc_now))
    _show(report, as_json=as_json)
    findings = {verdict.finding for verdict in report.verdicts}
    if findings & {"deferred", "in_doubt", "planned"}:
        raise typer.Exit(EXIT_DEFERRED)
    if findings & {"refused", "expired"}:
        raise typer.Exit(EXIT_FAILED)


@contextmanager
def _stopping() -> Iterator[Event]:
    """An event that SIGTERM and Ctrl-C set: the mail on the wire is finished, the next one not begun."""
    stop = Event()
    kept = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def run(*, config: ConfigOption = None) -> None:
    """Stay and do it all: pull on each source's own calendar, send at each subscriber's hour.

    SIGHUP reads the configuration again, SIGTERM finishes the mail on the wire and stops.
    """
    import os

    from digest.schedule import Daemon

    raise typer.Exit(asyncio.run(Daemon(lambda: load_settings(config), clock=utc_now, environ=os.environ).run()))


def _show(report: RunReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report)
    else:
        print_report(report)
