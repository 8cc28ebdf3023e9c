"""A child under strace: its system calls are counted, one of them ends it or fails, and the disk forgets the rest.

A command is traced with `before=traced(log, …)`; `calls` reads the log.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: what a sender does to the world: words to the relay, answers from it, writes, and what makes them durable.
#: sendmsg is how asyncio sends several pieces at once since Python 3.12
CALLS = ("sendto", "sendmsg", "recvfrom", "pwrite64", "fdatasync")

_LINE = re.compile(r"(?P<thread>\d+) +(?P<back><\.\.\. )?(?P<name>\w+)(?: resumed>|\()(?P<rest>.*)")
_WRITE = re.compile(r"\d+<(?P<file>[^>]*)>, .*, (?P<length>\d+), (?P<offset>\d+)(?:\)| <unfinished)")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call, or the second half of one in whose midst another thread had its turn."""

    #: of the thread
    thread: int
    name: str
    #: arguments and result as strace writes them
    rest: str
    #: the second half
    resumed: bool


def traced(log: Path, *names: str, inject: str = "", only: Path | None = None) -> tuple[str, ...]:
    """A command to put before another one; skips the test where nothing can be traced.

    Args:
        log: the calls are written here.
        names: of the calls; all others go unseen.
        inject: what happens at which of them, `sendto:signal=SIGKILL:when=7`: the seventh of a thread.
        only: calls about this file alone.
    """
    if not _can_trace():
        pytest.skip("strace is missing or may not trace here")
    options = ["-f", "-qq", "-y", "-s", "0", "-o", str(log), "-e", f"trace={','.join(names)}"]
    options += ["-e", f"inject={inject}"] if inject else []
    options += ["-P", str(only)] if only else []
    return ("strace", *options)


@cache
def _can_trace() -> bool:
    program = shutil.which("strace")
    return program is not None and subprocess.run([program, "-o", "/dev/null", "true"], check=False).returncode == 0


def calls(log: Path) -> Iterator[Call]:
    """The calls in order."""
    for line in log.read_text(errors="replace").splitlines():
        if found := _LINE.match(line):
            yield Call(int(found["thread"]), found["name"], found["rest"], resumed=bool(found["back"]))


def numbers_after_connecting(log: Path, port: int) -> dict[str, range]:
    """The numbers of the calls from the first connection to `port` on, by name, as `when=` takes them.

    Those of the thread that makes most of them, counted from 1 since its beginning. The log must hold `connect`, too.
    """
    counts: Counter[tuple[str, int]] = Counter()
    before: Counter[tuple[str, int]] = Counter()
    for call in calls(log):
        if call.name == "connect" and f"htons({port})" in call.rest and not before:
            before = counts.copy()
        if not call.resumed:
            counts[call.name, call.thread] += 1
    assert before, "the run has never connected"
    found: dict[str, range] = {}
    for (name, thread), count in counts.items():
        numbers = range(before[name, thread] + 1, count + 1)
        if name in CALLS and len(numbers) > len(found.get(name, ())):
            found[name] = numbers
    return found


def cut_the_power(log: Path, files: Sequence[Path]) -> int:
    """Overwrite with zeros what was written to `files` since each was last made durable; returns how many writes.

    A killed process loses nothing that it has written, for the kernel has it; a machine that goes dark does.
    """
    waiting: dict[str, list[tuple[int, int]]] = {str(file): [] for file in files}
    syncing: dict[int, str] = {}
    for call in calls(log):
        if call.name == "pwrite64" and (write := _WRITE.match(call.rest)) and write["file"] in waiting:
            waiting[write["file"]].append((int(write["offset"]), int(write["length"])))
        if call.name == "fdatasync" and not call.resumed:
            syncing[call.thread] = call.rest.partition("<")[2].partition(">")[0]
        if call.name == "fdatasync" and call.rest.endswith("= 0"):
            waiting[syncing[call.thread]] = []
    for file, writes in waiting.items():
        _forget(Path(file), writes)
    return sum(map(len, waiting.values()))


def _forget(path: Path, writes: Sequence[tuple[int, int]]) -> None:
    if not writes or not path.exists():
        return
    size = path.stat().st_size
    with path.open("r+b") as file:
        for offset, length in writes:
            file.seek(offset)
            file.write(bytes(max(0, min(length, size - offset))))
