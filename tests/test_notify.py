"""What systemd hears of the daemon, over a real socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from digest.notify import notify, reloading, watchdog_interval

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """What systemd writes into NOTIFY_SOCKET, and its end of the socket."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@digest-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0") if request.param == "abstract" else name)
        listener.settimeout(5)
        yield name, listener


def test_assignments_arrive_in_one_datagram_one_line_each(systemd: tuple[str, socket.socket]) -> None:
    name, listener = systemd

    assert notify({"NOTIFY_SOCKET": name}, "READY=1", "STATUS=✉ for\n12 readers")
    assert "READY=1\nSTATUS=✉ for 12 readers".encode() == listener.recv(1000)


def test_whatever_a_status_holds_it_is_sent(systemd: tuple[str, socket.socket]) -> None:
    """Lone surrogates stand for the odd bytes of a file name."""
    name, listener = systemd

    assert notify({"NOTIFY_SOCKET": name}, "STATUS=reading \udc80.toml")
    assert b"STATUS=reading ?.toml" == listener.recv(1000)


_WITHOUT_FILES = """
import resource
from digest.notify import notify
resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
print(notify({"NOTIFY_SOCKET": "/run/systemd/notify"}, "WATCHDOG=1"))
"""


def test_a_message_for_which_no_file_can_be_opened_is_lost_without_harm() -> None:
    done = subprocess.run([sys.executable, "-c", _WITHOUT_FILES], capture_output=True, text=True, check=False)

    assert (0, "False\n") == (done.returncode, done.stdout), done.stderr


def test_reloading_carries_the_present_moment() -> None:
    before = time.monotonic_ns() // 1000
    reload, moment = reloading()
    after = time.monotonic_ns() // 1000

    assert "RELOADING=1" == reload
    name, _, microseconds = moment.partition("=")
    assert "MONOTONIC_USEC" == name
    assert before <= int(microseconds) <= after


@pytest.mark.parametrize("env", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"NOTIFY_SOCKET": "/gone"}])
def test_without_a_listener_nothing_happens(env: dict[str, str]) -> None:
    assert not notify(env, "READY=1")


@pytest.mark.parametrize(
    ("env", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_asks(env: dict[str, str], seconds: float | None) -> None:
    assert seconds == watchdog_interval(env)
