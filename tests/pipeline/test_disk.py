"""A disk that is full, breaks, may not be written, or is somebody else's for too long, while mail is sent.

No mail leaves without a durable claim, one sentence says what to do, and the next run puts everything right.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.installation import Installation
from tests.pipeline import children, tracing
from tests.pipeline.send_phase import CONNECTIONS, check_claims, duplicates, more_keys, planned_morning, undisturbed
from tests.pipeline.sink import sink
from tests.smtp_server import smtp_server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.slow

READERS = [f"reader{number}@example.org" for number in range(6)]
#: of SQLite's trouble
FULL = "no space left on the disk", "free some space and run the command again"
BROKEN = "reading or writing it failed", "look at the free space, the file size limit (ulimit -f) and the health"


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return planned_morning(tmp_path_factory.mktemp("morning"), READERS)


@pytest.fixture(scope="module")
def numbers(morning: Installation, tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Mapping[str, range]]:
    """By connections and name: the numbers of the calls in a send phase."""
    return {
        connections: undisturbed(morning, tmp_path_factory.mktemp("undisturbed"), connections)
        for connections in CONNECTIONS
    }


@pytest.fixture
def home(morning: Installation, tmp_path: Path) -> Installation:
    """A morning of its own for every test."""
    return children.copied(morning, tmp_path / "home")


def assert_says(home: Installation, errors: str, reason: str, hint: str) -> None:
    """One sentence about the state, and what to do."""
    assert "Traceback" not in errors
    told = errors.splitlines()
    assert 1 == sum(line.startswith(f"digest: state {home.folder}/state.sqlite3") for line in told), errors
    assert 1 == sum(line.startswith("  → ") for line in told), errors
    assert reason in errors
    assert hint in errors


@pytest.mark.parametrize("connections", CONNECTIONS)
# not from the very first write on: that may be the one that makes room for SQLite's -shm, and fails in other words; how
# many come before it depends on how busy the machine is
@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
@pytest.mark.parametrize(
    ("call", "error", "words"),
    [("pwrite64", "ENOSPC", FULL), ("pwrite64", "EIO", BROKEN), ("fdatasync", "EIO", BROKEN)],
)
def test_a_disk_that_takes_no_more(
    home: Installation,
    numbers: Mapping[int, Mapping[str, range]],
    tmp_path: Path,
    connections: int,
    share: float,
    call: str,
    error: str,
    words: tuple[str, str],
) -> None:
    """From some moment of the send phase on, until the run ends."""
    steps = numbers[connections][call]
    first = steps[int(share * len(steps))]
    with sink() as relay:
        relay.serve(home, more_keys(connections))
        before = tracing.traced(tmp_path / "log", call, inject=f"{call}:error={error}:when={first}+")

        code, output, errors = children.finish(children.start(home, "send", "--now", before=before))

        assert 1 == code, output + errors
        assert_says(home, errors, *(BROKEN if BROKEN[0] in errors else words))
        left = shutil.copytree(home.folder, tmp_path / "left")
        check_claims(left, relay.mails())

        code, output, errors = children.digest(home, "send", "--now")

        assert 0 == code, output + errors
        assert duplicates(home, relay.mails()) <= connections


def _without_privileges() -> tuple[str, ...]:
    """A command to run another one under, so that permissions hold for root, too."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is missing, and root may write everything")
    return ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")


@pytest.mark.parametrize(("name", "mode"), [("state.sqlite3", 0o400), ("", 0o500)])
def test_a_state_that_may_not_be_written(home: Installation, name: str, mode: int) -> None:
    place = home.folder / name
    with sink() as relay:
        relay.serve(home)
        before = place.stat().st_mode
        place.chmod(mode)

        code, output, errors = children.finish(children.start(home, "send", "--now", before=_without_privileges()))

        place.chmod(before)
        assert 1 == code, output + errors
        assert_says(home, errors, f"{place} cannot be written", f"look at: ls -ld {place}")
        assert [] == relay.mails()

        code, output, errors = children.digest(home, "send", "--now")

        assert 0 == code, output + errors
        assert 0 == duplicates(home, relay.mails())


#: SQLite sleeps while it waits for a lock, and adds up how long it meant to: without sleep, ten seconds pass at once
_NO_SLEEP = "clock_nanosleep:retval=0"
_LOCKED = "another program keeps it locked", "wait for the other digest command or backup program to finish"


def test_a_state_that_another_program_keeps_locked(home: Installation, tmp_path: Path) -> None:
    with sink() as relay:
        relay.serve(home)
        before = tracing.traced(tmp_path / "log", "clock_nanosleep", inject=_NO_SLEEP)
        with closing(sqlite3.connect(home.folder / "state.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            code, output, errors = children.finish(children.start(home, "send", "--now", before=before))

        assert 1 == code, output + errors
        assert_says(home, errors, *_LOCKED)
        assert [] == relay.mails()

        code, output, errors = children.digest(home, "send", "--now")

        assert 0 == code, output + errors
        assert 0 == duplicates(home, relay.mails())


@pytest.mark.parametrize("connections", CONNECTIONS)
def test_a_state_that_another_program_locks_while_mail_is_sent(
    home: Installation, tmp_path: Path, connections: int
) -> None:
    """The relay has taken a mail, and that cannot be written down."""
    state = home.folder / "state.sqlite3"
    before = tracing.traced(tmp_path / "log", "clock_nanosleep", inject=_NO_SLEEP)
    with (
        smtp_server() as relay,
        closing(sqlite3.connect(state, isolation_level=None, check_same_thread=False)) as other,
    ):

        def lock(_recipient: str) -> None:
            if not other.in_transaction:
                other.execute("BEGIN IMMEDIATE")

        home.use_relay(relay, more_keys(connections))
        home.write()
        relay.on["dot"] = lock
        code, output, errors = children.finish(children.start(home, "send", "--now", before=before))
        del relay.on["dot"]
        other.rollback()

        assert 1 == code, output + errors
        assert_says(home, errors, *_LOCKED)
        assert 1 <= len(relay.accepted) <= connections
        left = shutil.copytree(home.folder, tmp_path / "left")
        check_claims(left, relay.accepted)

        code, output, errors = children.digest(home, "send", "--now")

        assert 0 == code, output + errors
        assert 1 <= duplicates(home, relay.accepted) <= connections
