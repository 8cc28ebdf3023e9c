"""Several processes, and processes that die: the promise of the ledger."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from digest.model import Receipt
from digest.state.ledger import Settlement
from digest.state.store import State, daemon_lock, open_state
from tests.makers import NOW, TODAY, digest, pick, subscriber
from tests.state import children
from tests.state.shortcuts import claim_one

if TYPE_CHECKING:
    from tests.postgresql import Server

EMAILS = [f"reader{number:03}@example.org" for number in range(150)]


def plan(state: State) -> None:
    state.ledger.plan([(digest(pick(1), subscriber=subscriber(email)), f"<{email}>") for email in EMAILS], now=NOW)


def wait_for_lock(state: State) -> None:
    """A PostgreSQL server needs some milliseconds to notice that a client is dead."""
    for _ in range(500):
        with state.sender_lock() as is_mine:
            if is_mine():
                return
        time.sleep(0.01)
    pytest.fail("the lock of a dead process is still there")


_CLAIM_ALL = """
state = open_state(url, now=NOW)
print("ready", flush=True)
sys.stdin.readline()
for email, day in state.ledger.due(NOW):
    if claim_one(state, email, day, owner=str(os.getpid()), now=NOW):
        print(email)
"""


def test_two_processes_never_claim_the_same_mail(state: State, url: str) -> None:
    plan(state)
    processes = [children.start(_CLAIM_ALL, url) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    claimed = [email for process in processes for email in process.communicate(timeout=30)[0].split()]

    assert EMAILS == sorted(claimed)


_DIE_AFTER_CLAIM = """
state = open_state(url, now=NOW)
with state.sender_lock() as is_mine:
    assert is_mine()
    (email, day), *_ = state.ledger.due(NOW)
    claim_one(state, email, day, owner="victim", now=NOW)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_mail_of_a_killed_sender_is_in_doubt_and_the_same_mail_again(state: State, url: str) -> None:
    plan(state)

    status, _ = children.run(_DIE_AFTER_CLAIM, url)

    assert -signal.SIGKILL == status
    wait_for_lock(state)
    recovered = state.ledger.recover(now=NOW, in_doubt="resend")
    again = claim_one(state, EMAILS[0], TODAY, now=NOW)
    assert [(EMAILS[0], "in_doubt", "interrupted while it was being sent by victim")] == [
        (row.email, row.state, row.answer) for row in recovered
    ]
    assert digest(pick(1), subscriber=subscriber(EMAILS[0])) == again


def test_one_process_at_a_time_stays_at_work_beside_one_that_sends(state: State, url: str) -> None:
    with daemon_lock(url) as first, daemon_lock(url) as second, state.sender_lock() as sender:
        assert (True, False, True) == (first(), second(), sender())
    with daemon_lock(url) as again:
        assert again()


_DIE_IN_TRANSACTION = """
state = open_state(url, now=NOW)
with state.transaction():
    state.subscribers.tokens(["ada@example.org"])
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_transaction_that_died_never_was(state: State, url: str) -> None:
    children.run(_DIE_IN_TRANSACTION, url)

    rows = [row for row in state.export_rows() if row.get("table") == "token"]

    assert rows == []


_HOLD_LOCK = """
with open_state(url, now=NOW) as state, state.sender_lock() as is_mine:
    print(is_mine(), flush=True)
    sys.stdin.readline()
"""


def test_only_one_process_is_the_sender(state: State, url: str) -> None:
    other = children.start(_HOLD_LOCK, url)
    assert other.stdout is not None
    assert "True\n" == other.stdout.readline()

    with state.sender_lock() as meanwhile:
        assert not meanwhile()
    other.communicate("done\n", timeout=30)
    with state.sender_lock() as afterwards:
        assert afterwards()


def test_a_sender_is_alone_in_its_own_process_too(state: State) -> None:
    """The daemon may be asked to send while it sends."""
    with state.sender_lock() as first, state.sender_lock() as second:
        assert (True, False) == (first(), second())
    with state.sender_lock() as third:
        assert third()


def test_a_sender_is_alone_by_whatever_path_it_found_the_file(tmp_path: Path) -> None:
    """The file may be a symbolic link to another disk, and only one of two programs know it by that name."""
    link = tmp_path / "link.sqlite3"
    link.symlink_to(tmp_path / "state" / "real.sqlite3")
    (tmp_path / "state").mkdir()

    with (
        open_state(f"sqlite:///{link}", now=NOW) as through_link,
        open_state(f"sqlite:///{tmp_path}/state/real.sqlite3", now=NOW, create=False) as direct,
        through_link.sender_lock() as first,
        direct.sender_lock() as second,
    ):
        assert (True, False) == (first(), second())


def test_a_sender_that_fails_gives_the_lock_back(state: State) -> None:
    def fail() -> None:
        with state.sender_lock():
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    with state.sender_lock() as is_mine:
        assert is_mine()


def test_states_in_schemas_of_one_database_have_locks_of_their_own(postgresql_server: Server) -> None:
    one, other = postgresql_server.new_database(), postgresql_server.new_database()
    with open_state(one, now=NOW) as first, open_state(other, now=NOW) as second:
        with daemon_lock(one) as stays, daemon_lock(other) as stays_too:
            assert (True, True) == (stays(), stays_too())
        with first.sender_lock() as sends, second.sender_lock() as sends_too, first.transaction():
            assert (True, True) == (sends(), sends_too())
            second.subscribers.tokens([EMAILS[0]])


def test_a_lock_that_a_restarted_server_forgot_is_taken_again(postgresql_server: Server) -> None:
    url = postgresql_server.new_database()
    with open_state(url, now=NOW) as state, daemon_lock(url) as stays, state.sender_lock() as sends:
        postgresql_server.drop_connections()

        assert (True, True) == (stays(), sends())
        with daemon_lock(url) as other_stays, state.sender_lock() as other_sends:
            assert (False, False) == (other_stays(), other_sends())


def test_a_lock_that_a_restarted_server_gave_to_another_is_lost(postgresql_server: Server) -> None:
    url = postgresql_server.new_database()
    with open_state(url, now=NOW), daemon_lock(url) as first:
        postgresql_server.drop_connections()
        with daemon_lock(url) as second:
            assert (True, False) == (second(), first())


_OPEN_NEW = """
sys.stdin.readline()
with open_state(url, now=NOW) as state:
    print(state.counts()["papers"])
"""


def test_processes_that_create_the_same_state_at_once_all_get_it(url: str) -> None:
    processes = [children.start(_OPEN_NEW, url) for _ in range(3)]

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=30) for process in processes]

    assert ["0\n"] * 3 == [output for output, _ in outputs], outputs
    open_state(url, now=NOW, create=False).close()


def test_one_thread_sends_while_another_plans(state: State) -> None:
    """The sender begins with the first readers before the last ones are planned."""
    plan(state)
    late = [f"late{number:03}@example.org" for number in range(300)]

    def enter() -> None:
        for start in range(0, len(late), 10):
            digests = [digest(pick(2), subscriber=subscriber(email)) for email in late[start : start + 10]]
            with state.transaction():  # as a pull or a plan does that decides and writes as one
                state.ledger.plan([(one, f"<{one.subscriber.email}>") for one in digests], now=NOW)

    def send() -> None:
        for start in range(0, len(EMAILS), 5):
            mails = [(email, TODAY) for email in EMAILS[start : start + 5]]
            claims = state.ledger.claim_all(mails, owner="", now=NOW)
            receipt = Receipt("delivered", 250, "ok", NOW, "x:25")
            state.ledger.settle_all([Settlement(email, day, receipt, "sent") for email, day in claims])

    with ThreadPoolExecutor() as threads:
        for done in [threads.submit(enter), threads.submit(send)]:
            done.result(timeout=60)

    assert {"sent": len(EMAILS), "planned": len(late)}.items() <= state.counts().items()
