"""`digest run` as a process, under a supervisor that hears what it tells systemd.

with running(place) as daemon:
    daemon.hear("READY=1")
    daemon.stop()
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commands import DIGEST, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass
class Running:
    """A daemon at work."""

    process: subprocess.Popen[bytes]
    #: where its messages arrive (sd_notify)
    messages: socket.socket
    log_file: Path
    #: every message so far
    heard: list[str] = field(default_factory=list)

    def hear(self, beginning: str, seconds: float = 30.0) -> str:
        """Wait for the next message that begins so."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.messages.settimeout(max(0.01, end - time.monotonic()))
            try:
                message = self.messages.recv(4096).decode()
            except TimeoutError:
                break
            self.heard.append(message)
            if message.startswith(beginning):
                return message
        pytest.fail(f"the daemon never said {beginning}, but {self.heard}; its log:\n{self.log}")

    def hear_rounds(self, count: int = 1) -> None:
        """Wait until so many more rounds are done."""
        for _ in range(count):
            self.hear("STATUS=")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Ask it to stop; returns how many seconds that took."""
        started = time.monotonic()
        self.send(number)
        assert 0 == self.process.wait(timeout=30), self.log
        return time.monotonic() - started

    @property
    def log(self) -> str:
        return self.log_file.read_text()


@contextmanager
def running(
    place: Place,
    *,
    program: Sequence[str] = DIGEST,
    clock: str = "",
    clock_file: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """`digest run` in the folder of `place`; it is killed if it still runs at the end.

    Args:
        place: with a configuration.
        program: what is given `run`.
        clock: a turned clock, as faketime(1) takes it; the test is skipped where that is missing.
        clock_file: holds how far the clock is turned, like `-1d`, and may be written while the daemon runs; the
            monotonic clock goes on as it does on a machine whose clock is set.
        env: more of the environment.
    """
    log_file = place.folder / "log"
    # pytest's own folders may be longer than the 107 bytes of a socket's name
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages:
        messages.bind(f"{folder}/notify")
        more = {"NOTIFY_SOCKET": f"{folder}/notify", "TZ": "UTC", "PYTHONUNBUFFERED": "1"} | dict(env or {})
        more |= turned(clock) if clock else {}
        more |= turned_by(clock_file) if clock_file else {}
        with log_file.open("ab") as log:
            process = subprocess.Popen(
                [*program, "run"], cwd=place.folder, env=place.environment(more), stdout=log, stderr=log
            )
        try:
            yield Running(process, messages, log_file)
        finally:
            process.kill()
            process.wait()


def turned(clock: str) -> dict[str, str]:
    """What faketime(1) puts into the environment. Run by itself, it would stand between us and the daemon's signals."""
    program = shutil.which("faketime")
    if program is None:
        pytest.skip("faketime (Debian package faketime) is not installed")
    done = subprocess.run([program, "-f", clock, "env"], capture_output=True, text=True, check=True)
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {name: value for name, _, value in pairs if name in {"LD_PRELOAD", "FAKETIME"}}


def turned_by(file: Path) -> dict[str, str]:
    """The same for a clock that a file turns."""
    preload = turned("+0d")["LD_PRELOAD"]
    return {
        "LD_PRELOAD": preload,
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
