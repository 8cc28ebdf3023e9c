"""Telling systemd how the daemon is doing: in go an environment and assignments, out goes one datagram.

The protocol of sd_notify(3). Without `NOTIFY_SOCKET` in the environment nobody listens, and nothing is sent. A
message that cannot be sent is lost without harm: mail matters more than its supervisor.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def notify(env: Mapping[str, str], *assignments: str) -> bool:
    """Send `assignments` together, such as `READY=1`, `STATUS=2 sources`, `WATCHDOG=1`, `STOPPING=1`.

    Args:
        env: where `NOTIFY_SOCKET` is looked up: a path, or the name of an abstract socket after `@`.
        assignments: one line each; line ends inside become spaces.

    Returns:
        True if somebody was there to receive it.
    """
    address = env.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    lines = (" ".join(assignment.splitlines()) for assignment in assignments)
    message = "\n".join(lines).encode(errors="replace")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            datagrams.settimeout(0)  # a supervisor that does not listen must not stop the daemon
            datagrams.sendto(message, address)
    except OSError:
        return False
    return True


def reloading() -> tuple[str, str]:
    """What to say before the configuration is read again; `READY=1` must follow.

    systemd compares the number with the moment of its own request, so it is CLOCK_MONOTONIC now, in microseconds.
    """
    return "RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}"


def watchdog_interval(env: Mapping[str, str]) -> float | None:
    """Seconds between two `WATCHDOG=1`: half of what systemd tolerates, as sd_watchdog_enabled(3) advises.

    None if no watchdog waits for this process (`WATCHDOG_USEC`, `WATCHDOG_PID`).
    """
    microseconds = env.get("WATCHDOG_USEC", "")
    mine = env.get("WATCHDOG_PID") in {None, str(os.getpid())}
    if not mine or not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    return int(microseconds) / 2e6
