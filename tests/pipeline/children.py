"""The same installation used by other processes: commands, and Python that may die."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = Path(__file__).parents[2]

#: what every child begins with; `home` is the parent's, and reads from the parent's server
_PREAMBLE = """
import sys
from datetime import timedelta
from pathlib import Path
from tests.http_server import HttpServer
from tests.installation import *
from tests.makers import NOW

server = HttpServer()
server.url = sys.argv[2]
home = Installation(Path(sys.argv[1]), server)
"""


def run(code: str, home: Installation) -> tuple[int, str]:
    """Exit status (negative: a signal) and standard output; what went wrong is shown by the test's failure."""
    command = [sys.executable, "-c", _PREAMBLE + code, str(home.folder), home.server.url]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        output, errors = process.communicate(timeout=60)
    print(errors)
    return process.returncode, output


def copied(home: Installation, folder: Path) -> Installation:
    """The same installation once more, in a folder that is made for it: what happens there leaves `home` alone."""
    shutil.copytree(home.folder, folder)
    twin = Installation(folder, home.server, *home.readers)
    twin.sections, twin.sources = dict(home.sections), home.sources
    twin.write()
    return twin


def start(
    home: Installation, *arguments: str, before: tuple[str, ...] = (), env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A `digest` command with the configuration as `home` wrote it last.

    Args:
        home: whose.
        arguments: of the command.
        before: a command to run it under.
        env: more of the environment.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")} | dict(env or {})
    return subprocess.Popen(
        [*before, sys.executable, "-m", "digest", *arguments, "--config", str(home.path)],
        cwd=_ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def digest(home: Installation, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a `digest` command."""
    return finish(start(home, *arguments))


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a command: its exit code (negative: a signal), standard output and standard error."""
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors
