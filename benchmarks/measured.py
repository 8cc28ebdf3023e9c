"""A command as a process of its own, and what it cost: seconds, processor time, peak memory. Also: on what machine."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
#: Postfix's tools are no commands for everybody
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin"
#: starts the command and waits for it. A process of its own and a small one: Linux counts the memory of the process
#: that started another one towards the peak of that one (`setmax_mm_hiwater_rss` in exec)
_WATCH = """
import json, os, sys, time
started = time.perf_counter()
process = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
status, usage = os.wait4(process, 0)[1:]
seconds = time.perf_counter() - started
with open(sys.argv[1], "w") as file:
    json.dump([seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024], file)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


class BenchmarkError(Exception):
    """What was to be measured did not do its work; the figures would be worth nothing."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took, from its start to its end."""

    #: by the clock on the wall
    seconds: float
    #: of all its threads, in user mode and in the kernel
    cpu_s: float
    #: most memory in use at once, MiB
    peak_mb: float
    #: what it wrote to standard output
    output: str = ""
    #: what it says about itself: stage → seconds; empty if it says nothing
    stages: Mapping[str, float] = field(default_factory=dict)


def run(*command: str | Path) -> Cost:
    """Run a command from the root of the checkout, without any configuration from the environment.

    Raises:
        BenchmarkError: it failed; with the end of what it said.
    """
    words = [str(word) for word in command]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
    # as after an installation, modules are not compiled again at each start
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        costs, output, errors = (Path(folder, name) for name in ("costs", "output", "errors"))
        with output.open("wb") as out, errors.open("wb") as err:
            watched = [sys.executable, "-I", "-S", "-c", _WATCH, str(costs), program(words[0]), *words[1:]]
            failed = subprocess.run(watched, stdout=out, stderr=err, cwd=ROOT, env=environment, check=False).returncode
        if failed:
            said = f"{output.read_text(errors='replace')[-1000:]}\n{errors.read_text(errors='replace')[-3000:]}"
            raise BenchmarkError(f"{' '.join(words)} failed:\n{said.strip()}")
        seconds, cpu_s, peak_mb = json.loads(costs.read_text())
        return Cost(seconds, cpu_s, peak_mb, output.read_text(encoding="utf-8"))


def program(name: str) -> str:
    """Path of a program.

    Raises:
        BenchmarkError: it is not installed.
    """
    found = shutil.which(name, path=_PATH)
    if found is None:
        hint = ": install Postfix (Debian package postfix)" if name.startswith(("smtp-", "post")) else ""
        raise BenchmarkError(f"{name} is not installed{hint}")
    return found


def machine() -> str:
    """Processor, cores, system, Python and Postfix in one line: figures of two machines do not compare."""
    postfix = run("postconf", "-d", "-h", "mail_version").output.strip()
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, Postfix {postfix}"
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def progress(text: str) -> None:
    """Say on standard error what is going on."""
    print(text, file=sys.stderr, flush=True)
