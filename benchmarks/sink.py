"""Postfix's smtp-sink, which takes mail and throws it away, and smtp-source, which is as fast as it can be filled."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measured import BenchmarkError, program, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measured import Cost

_READY_S = 10.0


@dataclass(slots=True)
class Sink:
    """A server that accepts everything. The counter and the dump are whole when it has ended."""

    port: int
    #: messages whose final dot it has answered; 0 while it runs
    messages: int = 0
    #: all it took, one after the other, if it was asked to keep them
    dump: bytes = b""


@contextmanager
def sink(*, keep: bool = False) -> Iterator[Sink]:
    """A sink on a free port of 127.0.0.1.

    Args:
        keep: also keep what comes, which makes it slower.

    Raises:
        BenchmarkError: smtp-sink is missing or does not start.
    """
    with tempfile.TemporaryDirectory() as folder:
        dump, counter = Path(folder, "dump"), Path(folder, "counter")
        # as root smtp-sink insists on becoming somebody else, who has to be able to write there
        Path(folder).chmod(0o777 if keep else 0o700)
        options = [*(["-u", "postfix"] if os.geteuid() == 0 else []), *(["-D", str(dump)] if keep else [])]
        taking = Sink(free_port())
        command = [program("smtp-sink"), "-4", "-c", *options, f"127.0.0.1:{taking.port}", "100"]
        with counter.open("wb") as out:
            process = subprocess.Popen(command, stdout=out)
        try:
            wait_for(taking.port)
            yield taking
        finally:
            process.terminate()
            process.wait()
        counts = re.findall(r"mesg=(\d+)", counter.read_text())
        taking.messages = int(counts[-1]) if counts else 0
        taking.dump = dump.read_bytes() if dump.exists() else b""


def fill(port: int, messages: int, length: int) -> Cost:
    """What smtp-source takes to send `messages` messages of `length` bytes on one connection, rendering nothing."""
    return run(
        *("smtp-source", "-4", "-d", "-s", "1", "-m", str(messages), "-l", str(length)),
        *("-f", "digest@example.org", "-t", "reader@example.org", f"127.0.0.1:{port}"),
    )


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    """Return as soon as something listens on that port of 127.0.0.1.

    Raises:
        BenchmarkError: nothing does within ten seconds.
    """
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise BenchmarkError(f"nothing listens on port {port}")
