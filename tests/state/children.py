"""Other processes: some promises are about what happens between them, or when one of them dies."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]

#: what every child begins with: `url` is its first argument
_PREAMBLE = """
import os, resource, signal, sys
from datetime import date, timedelta
from digest.errors import StateError
from digest.model import Receipt
from digest.state.store import open_state
from tests.makers import *
from tests.state.shortcuts import claim_one, settle_one
url = sys.argv[1]
"""


def start(code: str, url: str, *before: str) -> subprocess.Popen[str]:
    """Python running `code` on its own state; `before` is a command to run it under."""
    return subprocess.Popen(
        [*before, sys.executable, "-c", _PREAMBLE + code, url],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, url: str, *before: str) -> tuple[int, str]:
    """Exit status (negative: a signal) and standard output; what went wrong is shown by the test's failure."""
    with start(code, url, *before) as process:
        output, errors = process.communicate(timeout=60)
    print(errors)
    return process.returncode, output
