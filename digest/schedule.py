"""The daemon: pulls on each source's own calendar, sends at each subscriber's hour, and survives what fails.

APScheduler only rings the bell. What is due is decided anew at every ring from the configuration, the state and the
clock, so a bell that rings twice (daylight saving), late (a suspended laptop) or not at all (downtime) changes
nothing but the moment: the ledger allows one digest per subscriber and local day.

Bells: one per distinct (hour, time zone) of the subscribers, and one every few minutes that pulls what is due for a
look, sends what a late batch or a deferred mail left over, and tells the operator if a whole day brought nothing.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from digest import notify
from digest.collect import KINDS
from digest.curate.calendar import last_expected
from digest.errors import ConfigError, DigestError
from digest.pipeline.pull import pull
from digest.pipeline.readers import subscribers
from digest.pipeline.send import send
from digest.pipeline.tell import tell_operator
from digest.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from digest.config import Settings
    from digest.model import RunReport, Source, SourceMemory
    from digest.state.store import State

#: seconds between two rounds of pulling what is due for a look and sending what waits
_ROUND_S = 300
#: how long the mail on the wire may take to finish after SIGTERM; then its row stays `sending` and is in doubt
_GRACE_S = 9.0
#: a batch that is this late is looked for once an hour only
_LATE = timedelta(hours=3)
_HOURLY = timedelta(hours=1)
_log = structlog.get_logger("digest")


def sources_due(
    settings: Settings, memories: Mapping[str, SourceMemory], tried: Mapping[str, datetime], *, now: datetime
) -> list[Source]:
    """The sources that are due for a look.

    A source with arXiv's calendar is read from the moment a batch is due until it has brought something new, every
    `poll_minutes`, and hourly once it is late. Sources without an announcement hour are read through the day.

    Args:
        settings: sources and intervals.
        memories: what is remembered of the sources, by name.
        tried: when each source was last read, or failed to be; a source that is not in it is judged by its memory.
        now: aware.
    """
    return [source for source in settings.sources if _is_due(source, settings, memories, tried, now)]


def _is_due(
    source: Source,
    settings: Settings,
    memories: Mapping[str, SourceMemory],
    tried: Mapping[str, datetime],
    now: datetime,
) -> bool:
    memory = memories.get(source.name)
    last = tried.get(source.name) or (memory.last_pull_at if memory else None)
    if last is None:
        return True
    calendar = KINDS[source.type].announces
    if calendar != "arxiv":
        minutes = settings.daemon.huggingface_minutes if calendar else settings.daemon.feed_minutes
        return now - last >= timedelta(minutes=minutes)
    expected = last_expected(calendar, now)
    if expected is None or (memory and memory.last_fresh_at and memory.last_fresh_at >= expected):
        return False
    pause = timedelta(minutes=settings.daemon.poll_minutes) if now - expected < _LATE else _HOURLY
    return now - last >= pause


class Daemon:
    """`digest run`.

    Args:
        load_settings: reads the configuration; called at the start and at each SIGHUP. May raise ConfigError: fatal
            at the start, later the old configuration stays in force.
        clock: gives the present moment, aware.
        environ: for the service manager's notification socket.
    """

    def __init__(
        self, load_settings: Callable[[], Settings], *, clock: Callable[[], datetime], environ: Mapping[str, str]
    ) -> None:
        self._load_settings = load_settings
        self._settings = load_settings()
        self._clock = clock
        self._environ = environ
        self._scheduler: Any = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        )
        self._turn = asyncio.Lock()
        self._stop = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._tried: dict[str, datetime] = {}

    async def run(self) -> int:
        """Work until SIGTERM or SIGINT; returns the exit code.

        Raises:
            StateError: the state cannot be opened at the start.
        """
        with self._open_state():
            pass  # a state that cannot be opened is better found now than tomorrow at eight
        self._listen()
        self._set_bells()
        self._scheduler.start()
        notify.notify(self._environ, "READY=1", self._status())
        _log.info("running", subscribers=len(self._settings.subscribers), sources=len(self._settings.sources))
        await self._ring(self._round)
        await self._stop.wait()
        await self._finish()
        return 0

    # --- bells ------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _set_bells(self) -> None:
        self._scheduler.remove_all_jobs()
        add = self._scheduler.add_job
        add(self._ring, IntervalTrigger(seconds=_ROUND_S), args=[self._round], name="round")
        hours = {(reader.at, reader.timezone) for reader in self._readers()}
        for at, zone in sorted(hours, key=str):
            trigger = CronTrigger(hour=at.hour, minute=at.minute, timezone=zone)
            add(self._ring, trigger, args=[self._send], name=f"send at {at:%H:%M} {zone}")
        if seconds := notify.watchdog_interval(self._environ):
            add(self._still_alive, IntervalTrigger(seconds=seconds), name="watchdog")

    def _readers(self) -> Sequence[Any]:
        with self._open_state() as state:
            return subscribers(self._settings, state)

    async def _ring(self, work: Callable[[], Awaitable[None]]) -> None:
        """Begin a run in the background; runs take turns. A coroutine, or APScheduler would call it in a thread."""
        task = asyncio.get_running_loop().create_task(self._take_turn(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _still_alive(self) -> None:
        """Said from the event loop, because that it turns is what the watchdog wants to know."""
        notify.notify(self._environ, "WATCHDOG=1")

    async def _take_turn(self, work: Callable[[], Awaitable[None]]) -> None:
        async with self._turn:
            if self._stop.is_set():
                return
            try:
                await work()
            except DigestError as error:
                _log.error("run failed", reason=error.message, hint=error.hint)
            except Exception:  # noqa: BLE001 - a daemon that dies of one bad run mails nobody tomorrow
                _log.exception("run failed")

    # --- runs -------------------------------------------------------------------------------------------------

    async def _round(self) -> None:
        with self._open_state() as state:
            sources = sources_due(self._settings, state.papers.memories(), self._tried, now=self._clock())
            if sources:
                names = [source.name for source in sources]
                self._tried |= dict.fromkeys(names, self._clock())
                _tell(await pull(self._settings, state, clock=self._clock, only=names))
        await self._send()

    async def _send(self) -> None:
        with self._open_state() as state:
            _tell(await send(self._settings, state, clock=self._clock, stop=self._stop.is_set))
            await tell_operator(self._settings, state, clock=self._clock)
        notify.notify(self._environ, self._status())

    def _open_state(self) -> State:
        """Opened anew for each run: whatever happened to the database meanwhile, the next run starts afresh."""
        return open_state(self._settings.state_url, now=self._clock())

    # --- changes ----------------------------------------------------------------------------------------------

    def _reload(self) -> None:
        notify.notify(self._environ, *notify.reloading())
        try:
            self._settings = self._load_settings()
            self._set_bells()
            _log.info("configuration read again", subscribers=len(self._settings.subscribers))
        except ConfigError as error:
            for problem in error.problems:
                _log.error("configuration kept as it was", key=problem.key, line=problem.line, reason=problem.message)
        except DigestError as error:
            _log.error("configuration kept as it was", reason=error.message)
        notify.notify(self._environ, "READY=1", self._status())

    async def _finish(self) -> None:
        """Let the mail on the wire finish, begin nothing new, and be gone within ten seconds."""
        notify.notify(self._environ, "STOPPING=1")
        self._scheduler.shutdown(wait=False)
        running = set(self._running)
        if running:
            _log.info("finishing the mail on the wire")
            _, late = await asyncio.wait(running, timeout=_GRACE_S)
            for task in late:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*late, return_exceptions=True)
        _log.info("stopped")

    def _status(self) -> str:
        return f"STATUS={len(self._settings.sources)} sources; last round {self._clock():%Y-%m-%d %H:%M} UTC"


def _tell(report: RunReport) -> None:
    """A line per verdict that says something; what is merely not due is silent."""
    for verdict in report.verdicts:
        if verdict.finding not in {"not_due", "done"}:
            log = _log.warning if verdict.trouble else _log.info
            log(verdict.sentence, command=report.command, finding=verdict.finding)
    for note in report.notes:
        _log.info(note, command=report.command)
