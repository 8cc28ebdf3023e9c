"""The daemon: pulls on each source's own calendar, sends at each subscriber's hour, and survives what fails.

APScheduler only rings the bell. Work is done by rounds, one after the other: pull the sources that are due for a look,
read returned mail once an hour, send what is due, write the archive. Everything is decided anew in every round from the
configuration, the state and the clock, so a bell that rings twice (daylight saving), late (a suspended laptop) or not
at all (downtime) changes nothing but the moment: the ledger allows one digest per subscriber and local day.

Bells: one per distinct (hour, time zone) of the subscribers. Without one, a round follows the last after a few minutes,
in which a source may be due for a look and a deferred mail for another attempt. That pause, like the watchdog's
messages, is measured by the event loop's clock, which nobody can set: APScheduler waits for moments of the wall clock,
which are a year away when that is set back by a year.

Stopping: the mail on the wire is finished and no other begun; a pull is given up, as nothing of it is stored before all
of it. Whatever is still busy after a grace period ends with the process, as a thread that plans and a relay that does
not answer cannot be hurried. That is no worse than a power cut, for which the ledger is made: a claimed mail without an
answer is in doubt, and the next run sees to it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from digest import notify
from digest.collect import KINDS
from digest.curate.calendar import last_expected
from digest.errors import BusyError, ConfigError, DigestError, StateError
from digest.pipeline.pull import pull
from digest.pipeline.readers import shards
from digest.pipeline.returns import ManyBounceError, read_returns
from digest.pipeline.send import send
from digest.pipeline.site import keep_archive
from digest.pipeline.tell import not_told, tell_operator
from digest.state.store import daemon_lock, open_state
from digest.story import shortened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from datetime import date, time

    from digest.config import Settings
    from digest.model import RunReport, Source, SourceMemory, Subscriber
    from digest.state.store import State

#: seconds from one round to the next without any other reason
_ROUND_S = 300
#: seconds that what is under way may take after SIGTERM; with the process's own end, ten
_GRACE_S = 9.0
#: seconds to wait for a locked state; the event loop waits too, and it must hear SIGTERM well within its grace
_BUSY_S = 4.0
#: a batch that is this late is looked for once an hour only
_LATE = timedelta(hours=3)
#: the longest time without planning: for readers added after their hour, and mails that another process left behind;
#: also how often returned mail is read
_HOURLY = timedelta(hours=1)
#: longest round of sending, so that sources are read and others planned for while a rate makes mails wait
_AT_MOST = timedelta(minutes=10)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_log = structlog.get_logger("digest")


def sources_due(
    settings: Settings, memories: Mapping[str, SourceMemory], tried: Mapping[str, datetime], *, now: datetime
) -> list[Source]:
    """The sources that are due for a look, in the order of the configuration.

    A source with arXiv's calendar is read from the moment a batch is due until it has brought something new in all its
    parts: every `poll_minutes`, hourly once the batch is three hours late, and once more at that time for what came
    late in one category. Sources without an announcement hour are read through the day, at their own interval.

    Args:
        settings: sources and intervals.
        memories: what is remembered of the sources, by name; one that was never read is due at once.
        tried: when each source was last tried by this process, whatever came of it, so that a failing source is asked
            as rarely as any other.
        now: aware.
    """
    return [
        source
        for source in settings.sources
        if _is_due(source, settings, memories.get(source.name), tried.get(source.name, _LONG_AGO), now)
    ]


def _is_due(source: Source, settings: Settings, memory: SourceMemory | None, tried: datetime, now: datetime) -> bool:
    since = min(_since(tried, now), _since(memory.last_pull_at if memory else None, now))
    announces, daemon = KINDS[source.type].announces, settings.daemon
    expected = last_expected(announces, now) if announces == "arxiv" else None
    if expected is None:
        return since >= timedelta(minutes=daemon.huggingface_minutes if announces else daemon.feed_minutes)
    late = expected + _LATE
    if _has_come(memory, expected, now):
        return now - since < late <= now
    return since >= (timedelta(minutes=daemon.poll_minutes) if now < late else _HOURLY)


def _has_come(memory: SourceMemory | None, expected: datetime, now: datetime) -> bool:
    """Whether the batch expected then was read, and no part of it failed."""
    return bool(memory and _since(memory.last_fresh_at, now) <= now - expected and not memory.failures)


def _since(moment: datetime | None, now: datetime) -> timedelta:
    """How long ago that was. What never was is long ago, and so is what a clock wrote down that was ahead."""
    return now - (moment if moment is not None and moment <= now else _LONG_AGO)


class Daemon:
    """`digest run`.

    Args:
        settings: in force from the start.
        load_settings: reads the configuration again, at each SIGHUP. May raise DigestError: the old one stays in force.
        clock: gives the present moment, aware.
        environ: for the service manager's notification socket.
    """

    def __init__(
        self,
        settings: Settings,
        load_settings: Callable[[], Settings],
        *,
        clock: Callable[[], datetime],
        environ: Mapping[str, str],
    ) -> None:
        self._settings = settings
        self._load_settings = load_settings
        self._clock = clock
        self._environ = environ
        self._scheduler: Any = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        )
        #: hour and time zone of every subscriber's bell
        self._hours: frozenset[tuple[time, str]] = frozenset()
        self._bell = asyncio.Event()
        self._watchdog: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        #: somebody's hour has come, or something changed: the next round plans
        self._planning_due = True
        self._planned_at = _LONG_AGO
        #: when the relay took nothing: it is left alone for a while
        self._relay_failed_at = _LONG_AGO
        self._is_pulling = False
        self._returns_read_at = _LONG_AGO
        self._tried: dict[str, datetime] = {}
        #: how often somebody's hour has come
        self._hours_rung = 0
        #: something was pulled or sent since the archive was written, and the day of that
        self._archive_due = True
        self._archived_on: date | None = None

    async def run(self) -> int:
        """Work until SIGTERM or SIGINT; returns the exit code, or ends the process after the grace period.

        Raises:
            BusyError: another daemon is at work on the same state, from the start or since the database was away.
            StateError: the state cannot be opened at the start.
        """
        with self._open_state() as state:
            if state.upgrade:
                _log.info("state upgraded", before=state.upgrade.before, after=state.upgrade.after)
        # of the state that it began with: whoever moves it under a running daemon knows of that one
        with daemon_lock(self._settings.state_url) as is_mine:
            check_alone = partial(_check_alone, is_mine, state.place)
            check_alone()
            return await self._run(check_alone)

    async def _run(self, check_alone: Callable[[], None]) -> int:
        self._listen()
        self._scheduler.start()
        self._notify("READY=1")
        _log.info("running", sources=len(self._settings.sources))
        work = asyncio.create_task(self._work(check_alone))
        # by itself it ends only when somebody else is at work
        work.add_done_callback(lambda _: self._stop.set())
        await self._stop.wait()
        await self._finish(work)
        return 0

    # --- bells ------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        if seconds := notify.watchdog_interval(self._environ):
            self._watchdog = asyncio.create_task(self._still_alive(seconds))

    def _set_bells(self, readers: Iterable[Subscriber]) -> None:
        """A bell for every hour at which somebody's digest becomes due, and none for hours that nobody wants now."""
        hours = frozenset((reader.at, reader.timezone) for reader in readers)
        for at, zone in self._hours - hours:
            self._scheduler.remove_job(f"{at} {zone}")
        for at, zone in hours - self._hours:
            trigger = CronTrigger(hour=at.hour, minute=at.minute, timezone=zone)
            self._scheduler.add_job(self._ring_hour, trigger, id=f"{at} {zone}")
        self._hours = hours

    async def _ring_hour(self) -> None:
        """A coroutine, because APScheduler would call a function in a thread."""
        self._planning_due = True
        self._hours_rung += 1
        self._bell.set()

    async def _still_alive(self, seconds: float) -> None:
        """Said from the event loop, because that it turns is what the watchdog wants to know."""
        while True:
            self._notify("WATCHDOG=1")
            await asyncio.sleep(seconds)

    # --- rounds -----------------------------------------------------------------------------------------------

    async def _work(self, check_alone: Callable[[], None]) -> None:
        """Until it is to stop; raises BusyError if another daemon took over."""
        while True:
            self._bell.clear()
            try:
                check_alone()
            except StateError as error:
                # then no step could be done either
                _log.error("run failed", reason=error.message, hint=error.hint)
            else:
                await self._round()
            if self._stop.is_set():
                return
            self._notify(f"STATUS=last round {self._clock():%Y-%m-%d %H:%M} UTC")
            await self._pause()

    async def _round(self) -> None:
        for step in (self._pull_due, self._read_returns, self._send_due, self._write_archive):
            if self._stop.is_set():
                return
            await _survive(step)

    async def _pause(self) -> None:
        """Until a bell rings, or the next round is due without one."""
        try:
            async with asyncio.timeout(_ROUND_S):
                await self._bell.wait()
        except TimeoutError:
            # a laptop that slept, or a clock that was set ahead, may have passed by somebody's hour
            if not self._stop.is_set():
                self._scheduler.wakeup()

    async def _pull_due(self) -> None:
        with self._open_state() as state:
            self._set_bells(reader for shard in shards(self._settings, state) for reader in shard)
            sources = sources_due(self._settings, state.papers.memories(), self._tried, now=self._clock())
            if not sources:
                return
            names = [source.name for source in sources]
            self._tried |= dict.fromkeys(names, self._clock())
            self._is_pulling = True
            try:
                report = await pull(self._settings, state, clock=self._clock, only=names)
            finally:
                self._is_pulling = False
        _tell(report)
        self._archive_due = True
        self._planning_due |= any(verdict.counts.get("new") for verdict in report.verdicts)

    async def _read_returns(self) -> None:
        """Before mail is sent: nobody who unsubscribed meanwhile gets another one."""
        now = self._clock()
        if self._settings.bounces is None or _since(self._returns_read_at, now) < _HOURLY:
            return
        self._returns_read_at = now
        with self._open_state() as state:
            try:
                # in a thread, since mail servers may take their time
                _tell(await asyncio.to_thread(read_returns, self._settings, state, clock=self._clock))
            except ManyBounceError as error:
                _tell(error.report)
                raise

    async def _send_due(self) -> None:
        """Plan and send if there may be something to plan or to send.

        A reader for whom nothing was found has no row in the ledger: planning in every round would look for them
        again and again.
        """
        with self._open_state() as state:
            now = self._clock()
            if not self._has_mail(state, now):
                return
            self._planning_due = False
            try:
                report = await send(self._settings, state, clock=self._clock, stop=self._stop.is_set, at_most=_AT_MOST)
            except BaseException:
                self._planning_due = True
                raise
            _tell(report)
            self._planned_at = now
            self._archive_due |= "sent" in report.tally
            self._planning_due |= report.unfinished
            if report.tally.keys() & {"deferred", "sent"} == {"deferred"}:
                self._relay_failed_at = now
            if not self._stop.is_set():
                receipt = await tell_operator(self._settings, state, clock=self._clock)
                if untold := not_told(self._settings, receipt):
                    _log.warning(untold)

    async def _write_archive(self) -> None:
        """After mail, which must not wait for it; also when a new day begins, for mails lead to its page."""
        now = self._clock()
        if self._settings.archive is None or not (self._archive_due or now.date() != self._archived_on):
            return
        self._archive_due, self._archived_on, rung = False, now.date(), self._hours_rung

        def is_interrupted() -> bool:
            return self._stop.is_set() or self._hours_rung > rung

        with self._open_state() as state:
            if state.papers.editions():
                # in a thread, since the first one may take minutes
                work = asyncio.to_thread(keep_archive, self._settings, state, clock=self._clock, stop=is_interrupted)
                _tell(await work)
        self._archive_due |= is_interrupted()

    def _has_mail(self, state: State, now: datetime) -> bool:
        if self._planning_due or _since(self._planned_at, now) >= _HOURLY:
            return True
        rest = timedelta(minutes=self._settings.delivery.retry_minutes)
        return _since(self._relay_failed_at, now) >= rest and any(state.ledger.due(now))

    def _open_state(self) -> State:
        """Opened anew for each step: whatever happened to the database meanwhile, the next step starts afresh."""
        return open_state(self._settings.state_url, now=self._clock(), busy_timeout_s=_BUSY_S)

    # --- changes ----------------------------------------------------------------------------------------------

    def _reload(self) -> None:
        notify.notify(self._environ, *notify.reloading())
        try:
            self._settings = self._load_settings()
        except ConfigError as error:
            for one in error.problems:
                _log.error(
                    "configuration kept as it was",
                    origin=one.origin,
                    line=one.line,
                    key=one.key,
                    reason=one.message,
                    hint=one.hint,
                )
        except DigestError as error:
            _log.error("configuration kept as it was", reason=error.message, hint=error.hint)
        else:
            _log.info("configuration read again", sources=len(self._settings.sources))
            self._planning_due = True
            self._bell.set()
        self._notify("READY=1")

    async def _finish(self, work: asyncio.Task[None]) -> None:
        """Let the mail on the wire finish, begin nothing new, and be gone within ten seconds; raises what ended it."""
        self._notify("STOPPING=1")
        self._scheduler.shutdown(wait=False)
        self._bell.set()
        if self._is_pulling:
            work.cancel()
        done, _ = await asyncio.wait({work}, timeout=_GRACE_S)
        if not done:
            _log.warning("stopped in the middle; what was on the wire is in doubt, and the next run sees to it")
            sys.stderr.flush()
            os._exit(0)  # the interpreter itself would wait for the thread that plans
        _log.info("stopped")
        if not work.cancelled():
            work.result()

    def _notify(self, assignment: str) -> None:
        notify.notify(self._environ, assignment)


def _check_alone(is_mine: Callable[[], bool], place: str) -> None:
    """Raises BusyError if another daemon has the lock, StateError if it cannot be asked for."""
    if not is_mine():
        hint = "it sees to everything that is due; to have this one instead, stop that one first"
        raise BusyError(f"another digest run is at work on this state ({place})", hint=hint)


async def _survive(step: Callable[[], Awaitable[None]]) -> None:
    """Do it; what goes wrong is logged, and the next round tries again."""
    try:
        await step()
    except DigestError as error:
        _log.error("run failed", reason=error.message, hint=error.hint)
    except Exception:  # noqa: BLE001 - a daemon that dies of one bad run mails nobody tomorrow
        _log.exception("run failed")


def _tell(report: RunReport) -> None:
    """A line per verdict that says something; what is merely not due is silent."""
    verdicts, more = shortened(v for v in report.verdicts if v.finding not in {"not_due", "done"})
    for verdict in verdicts:
        log = _log.warning if verdict.trouble else _log.info
        log(verdict.sentence, command=report.command, finding=verdict.finding)
    for warning in (*more, *report.warnings):
        _log.warning(warning, command=report.command)
    for note in report.notes:
        _log.info(note, command=report.command)
