"""Fixtures that tests of several rooms use."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.http_server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Iterator

# how long an example takes says how busy the machine is, not whether the property holds
settings.register_profile("digest", deadline=None)
settings.load_profile("digest")

# jobs in the background of a shell ignore Ctrl-C (POSIX, 2.11), and so would every process that a test starts
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def http_server() -> Iterator[HttpServer]:
    """A real HTTP server on a free port of the loopback; see `tests.http_server`."""
    with HttpServer() as server:
        yield server
