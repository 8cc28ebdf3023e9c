"""Runs of pull and send in processes of their own, quick enough for thousands, each of which may die at any moment.

    with Nursery() as nursery:
        run = nursery.run(Job(config, "send", at=NOW, crash=Crash("commit", 3)))
        assert run.crashed

A nursery is one process that has everything imported and forks a child for each run: what the child leaves behind is
the state file and what the mail server has heard, as after a crash of the real command.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import selectors
import signal
import subprocess
import sys
import traceback
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, Literal, Self

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from digest.config import load
from digest.model import RunReport
from digest.pipeline.pull import pull
from digest.pipeline.send import send
from digest.state.store import open_state
from tests.makers import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

_ROOT = Path(__file__).parents[3]

_REHEARSAL = """
mail.from = "digest@example.org"
state.url = "sqlite:///state.sqlite3"
maildir.path = "outbox"
sources = [{ type = "jsonl", path = "list.jsonl" }]
subscribers = [{ email = "ada@example.org", keywords = ["mixture of experts"] }]
"""

#: before a statement, before a commit, after a commit, or in a turn of the event loop
Moment = Literal["statement", "commit", "committed", "turn"]


@dataclass(frozen=True, slots=True)
class Crash:
    """Where a run dies of SIGKILL; it lives if it never comes so far."""

    moment: Moment
    #: at the how many-th of these moments, from 1
    number: int


@dataclass(frozen=True, slots=True)
class Job:
    """One run. Its clock stands still."""

    config: Path
    command: Literal["pull", "send"]
    at: datetime
    crash: Crash | None = None
    #: `send --now`
    any_hour: bool = False
    #: send what was held back, too
    release_held: bool = False
    #: asked to stop after so many mails; None: never
    stop_after: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended."""

    #: None if it was killed
    report: RunReport | None

    @property
    def crashed(self) -> bool:
        return self.report is None

    @property
    def locked_out(self) -> bool:
        """Another process was sending."""
        return self.report is not None and bool(self.report.notes) and not self.report.verdicts


class Nursery:
    """One run at a time; two nurseries make two at a time."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.pipeline.machine.nursery"]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
        self._process = subprocess.Popen(command, cwd=_ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(self, job: Job) -> int:
        """Begin a run; returns the number of its process."""
        assert self._process.stdin is not None
        pickle.dump(job, self._process.stdin)
        self._process.stdin.flush()
        pid: int = self._answer()
        return pid

    def finish(self) -> Run:
        """Wait for the run that was started last."""
        status, output = self._answer()
        if status == signal.SIGKILL:
            return Run(None)
        outcome = pickle.loads(output) if output else f"ended with {status}"
        assert isinstance(outcome, RunReport), outcome
        return Run(outcome)

    def run(self, job: Job) -> Run:
        self.start(job)
        return self.finish()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return pickle.load(self._process.stdout)


# --- in the nursery's own process -------------------------------------------------------------------------------


def _serve(jobs: IO[bytes], answers: IO[bytes]) -> None:
    _rehearse()
    while True:
        try:
            job: Job = pickle.load(jobs)
        except EOFError:
            return
        outcome, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(tell, pickle.dumps(_outcome(job)))
            os._exit(0)
        os.close(tell)
        _say(answers, pid)
        with os.fdopen(outcome, "rb") as told:
            output = told.read()
        _say(answers, (os.waitpid(pid, 0)[1], output))


def _rehearse() -> None:
    """A whole day, so that no child has to import what is imported only when it is used (half a second each)."""
    with TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(_REHEARSAL)
        (config.parent / "list.jsonl").write_text('{"id": "2609.00001", "title": "Mixture of experts"}\n')
        _carry_out(Job(config, "pull", at=NOW))
        _carry_out(Job(config, "send", at=NOW, any_hour=True))
        assert list((config.parent / "outbox" / "new").iterdir())


def _say(answers: IO[bytes], what: object) -> None:
    pickle.dump(what, answers)
    answers.flush()


def _outcome(job: Job) -> RunReport | str:
    """The report; what was raised, in words."""
    try:
        return _carry_out(job)
    except Exception:  # noqa: BLE001 - told to the test, which fails by it
        return traceback.format_exc()


def _carry_out(job: Job) -> RunReport:
    selector = _arm(job.crash)
    told: list[object] = []
    settings = load(job.config, {})
    with open_state(settings.state_url, now=job.at) as state:
        options: Mapping[str, Any] = {}
        if job.command == "send":
            options = {
                "any_hour": job.any_hour,
                "release_held": job.release_held,
                "stop": lambda: job.stop_after is not None and len(told) >= job.stop_after,
                "on_verdict": told.append,
            }
        command: Callable[..., Any] = send if job.command == "send" else pull
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
            report: RunReport = runner.run(command(settings, state, clock=lambda: job.at, **options))
    return report


def _arm(crash: Crash | None) -> selectors.BaseSelector:
    """Set the trap; the selector is that of the event loop."""
    moments = count(1)

    def step(*_: object) -> None:
        if crash is not None and next(moments) == crash.number:
            os.kill(os.getpid(), signal.SIGKILL)

    class Turns(selectors.DefaultSelector):
        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            step()
            return super().select(timeout)

    match crash.moment if crash is not None else None:
        case "statement":
            event.listen(Engine, "before_cursor_execute", step)
        case "commit":
            event.listen(Engine, "commit", step)
        case "committed":
            event.listen(Pool, "checkin", step)
        case "turn":
            return Turns()
    return selectors.DefaultSelector()


if __name__ == "__main__":
    # what a run prints must not get between the answers
    own_output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(sys.stdin.buffer, own_output)
