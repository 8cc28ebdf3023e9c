"""The commands that do the work: pull, send, run."""

from __future__ import annotations

import signal
from contextlib import contextmanager, suppress
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import EXIT_DEFERRED, EXIT_FAILED, UsageError, print_json, print_report, progress, say
from digest.cli.options import (
    ConfigOption,
    JsonOption,
    QuietOption,
    examples,
    load_and_warn,
    open_settings_state,
    run_to_end,
)
from digest.clock import utc_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digest.config import Settings
    from digest.model import RunReport, SendReport
    from digest.state.store import State


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog=examples("digest pull", "digest pull --source arxiv --json"))(pull)
    app.command(epilog=examples("digest send", "digest send --pull --quiet", "digest send --now"))(send)
    app.command(epilog=examples("digest run", "digest run --config /etc/digest/config.toml"))(run)


def pull(
    *,
    source: Annotated[
        list[str] | None, typer.Option("--source", help="Only this source; may be repeated.", metavar="NAME")
    ] = None,
    allow_flood: Annotated[
        bool, typer.Option("--allow-flood", help="Accept a batch that is far larger than any before.")
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Fetch new batches from the sources. Nothing is mailed."""
    settings = load_and_warn(config, quiet=quiet)
    names = [one.name for one in settings.sources]
    if unknown := [name for name in source or [] if name not in names]:
        raise UsageError(f"--source {unknown[0]}: there is no such source", hint=f"the sources are: {', '.join(names)}")
    with open_settings_state(settings) as state:
        report = _pull(settings, state, only=source or [], allow_flood=allow_flood)
        told = _told_before(state, report, quiet=quiet)
    if as_json:
        print_json(report)
    else:
        print_report(report, quiet=quiet, told=told)
    if _all_failed(report):
        raise typer.Exit(EXIT_FAILED)


def _pull(settings: Settings, state: State, *, only: Sequence[str], allow_flood: bool) -> RunReport:
    from digest.pipeline.pull import pull as pull_sources

    with progress("pulling", len(only) or len(settings.sources)) as step:
        return run_to_end(
            pull_sources(
                settings, state, clock=utc_now, only=only, allow_flood=allow_flood, on_batch=lambda _batch: step()
            )
        )


def _told_before(state: State, report: RunReport, *, quiet: bool) -> frozenset[str]:
    from digest.pipeline.failing import told_today

    return told_today(state, report) if quiet else frozenset()


def _all_failed(report: RunReport) -> bool:
    return bool(report.verdicts) and all(verdict.finding == "failed" for verdict in report.verdicts)


def send(
    *,
    now: Annotated[bool, typer.Option("--now", help="Today's digests at any hour and day; still one a day.")] = False,
    pull_first: Annotated[bool, typer.Option("--pull", help="Fetch new batches first.")] = False,
    held: Annotated[bool, typer.Option("--held", help="Also what is held back because it may have arrived.")] = False,
    quiet: QuietOption = False,
    as_json: Annotated[
        bool, typer.Option("--json", help='Print one JSON document: {"pull": … or null, "send": …}.')
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Plan and send every digest that is due.

    Also what was missed earlier today, and what was deferred. Run it from cron, as often as you like: nobody gets two
    digests for one local day. One at a time: a second one leaves that to the first and ends with exit code 0, or with
    75 if it was asked for more, by --now or --held.
    """
    settings, pulled = load_and_warn(config, quiet=quiet), None
    with open_settings_state(settings) as state:
        if pull_first:
            pulled = _pull(settings, state, only=(), allow_flood=False)
            if not as_json:
                # whatever becomes of the words, the mails go out
                with suppress(OSError):
                    print_report(pulled, quiet=quiet, told=_told_before(state, pulled, quiet=quiet))
        sent = _send(settings, state, any_hour=now, release_held=held)
    if as_json:
        print_json({"pull": pulled, "send": sent})
    else:
        print_report(sent, quiet=quiet)
    raise typer.Exit(_code(pulled, sent))


def _send(settings: Settings, state: State, *, any_hour: bool, release_held: bool) -> SendReport:
    from digest.pipeline.send import send as send_due
    from digest.pipeline.tell import not_told, tell_operator

    with _stopping() as stop, progress("sending") as step:
        report = run_to_end(
            send_due(
                settings,
                state,
                clock=utc_now,
                any_hour=any_hour,
                release_held=release_held,
                stop=stop.is_set,
                on_verdict=lambda _verdict: step(),
            )
        )
    if untold := not_told(settings, run_to_end(tell_operator(settings, state, clock=utc_now))):
        say(f"digest: {untold}", err=True)
    return report


def _code(pulled: RunReport | None, sent: SendReport) -> int:
    """Deferred first: trying again is what helps."""
    findings = sent.tally.keys()
    if sent.unfinished or findings & {"deferred", "in_doubt", "planned"}:
        return EXIT_DEFERRED
    if findings & {"refused", "expired", "unreadable"} or (pulled and _all_failed(pulled)):
        return EXIT_FAILED
    return 0


@contextmanager
def _stopping() -> Iterator[Event]:
    """An event that SIGTERM and Ctrl-C set: mails on the wire are finished, no other one is begun.

    The second time they do what they always do, for those who cannot wait.
    """
    stop = Event()
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in kept.items():
            signal.signal(number, handler)

    def ask_to_stop(*_: object) -> None:
        stop.set()
        restore()

    for number in kept:
        signal.signal(number, ask_to_stop)
    try:
        yield stop
    finally:
        restore()


def run(*, config: ConfigOption = None) -> None:
    """Stay and do it all: pull and send when it is time.

    Pulls on each source's own calendar and sends at each subscriber's hour. SIGHUP reads the configuration file again
    that it began with. SIGTERM or Ctrl-C finishes the mail on the wire and stops, within ten seconds. One at a time: a
    second one says so and leaves, with exit code 75.
    """
    import os

    from digest.schedule import Daemon

    settings = load_and_warn(config)
    # the file that was found once: in its absence another one might be, which nobody meant
    daemon = Daemon(settings, lambda: load_and_warn(settings.path), clock=utc_now, environ=os.environ)
    raise typer.Exit(run_to_end(daemon.run()))
