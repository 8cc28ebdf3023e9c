"""A PostgreSQL server whose role or database has settings of its own: what we rely on is ours to set."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import psycopg
import pytest

from digest.errors import StateError
from digest.state.store import State, open_state
from tests.installation import ADA, Installation, item
from tests.makers import HOSTILE_TITLE, NOW, subscriber
from tests.state.shortcuts import readers_of
from tests.state.test_transfer import fill, on_paper

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.http_server import HttpServer
    from tests.postgresql import Server

BOB = "bob@example.org"


@pytest.fixture
def url_of(postgresql_server: Server) -> Callable[[str], str]:
    """The address of a new state, for a new role with a setting like `datestyle = 'German'`."""

    def make(setting: str) -> str:
        url = postgresql_server.new_database()
        role = f"role_{url.rpartition('%3D')[2]}"
        with psycopg.connect(postgresql_server.url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {role} LOGIN SUPERUSER".encode())
            connection.execute(f"ALTER ROLE {role} SET {setting}".encode())
        return url.replace("//digest@", f"//{role}@")

    return make


SETTINGS = [
    "datestyle = 'German'",
    "datestyle = 'SQL, DMY'",
    "datestyle = 'Postgres, MDY'",
    "timezone = 'Asia/Kolkata'",
    "timezone = '<nowhere>-3:21'",
    "standard_conforming_strings = off",
    "client_encoding = 'LATIN1'",
    "client_encoding = 'SQL_ASCII'",
    "extra_float_digits = -15",
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_settings_of_a_role_cost_nobody_their_mail(
    setting: str, url_of: Callable[[str], str], tmp_path: Path, http_server: HttpServer
) -> None:
    home = Installation(tmp_path, http_server, url=url_of(setting))
    home.publish(item(1, topic=f"Mixture of experts {HOSTILE_TITLE} \\ 東京"))
    home.pull()
    report = home.send()

    assert [(ADA, "sent")] == [(one.name, one.finding) for one in report.verdicts]
    assert {ADA: [[1]]} == home.mailed()


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_settings_of_a_role_change_nothing_of_what_is_kept(
    setting: str, url_of: Callable[[str], str], postgresql_server: Server
) -> None:
    with open_state(postgresql_server.new_database(), now=NOW) as usual:
        fill(usual)
        rows = on_paper(usual.export_rows())

    with open_state(url_of(setting), now=NOW) as state:
        state.import_rows(rows)

        assert rows == on_paper(state.export_rows())


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_who_waited_for_another_transaction_sees_what_it_wrote(level: str, url_of: Callable[[str], str]) -> None:
    """At these levels a transaction sees what was there when it began to wait."""
    url = url_of(f"default_transaction_isolation = '{level}'")
    seen: list[str] = []

    def look(state: State) -> None:
        with state.transaction():
            seen.extend(reader.email for reader in readers_of(state))

    with open_state(url, now=NOW) as first, open_state(url, now=NOW) as second:
        with first.transaction():
            waiting = Thread(target=look, args=(second,))
            waiting.start()
            _wait_for_the_lock(url)
            first.subscribers.put(subscriber(BOB), now=NOW)
        waiting.join()

    assert [BOB] == seen


@pytest.mark.parametrize("setting", ["idle_session_timeout", "idle_in_transaction_session_timeout"])
def test_who_sends_or_writes_for_long_is_not_shut_out(setting: str, url_of: Callable[[str], str]) -> None:
    """A sender whose connection is closed has lost the lock, and does not know."""
    url = url_of(f"{setting} = '400ms'")

    with open_state(url, now=NOW) as state, state.sender_lock() as is_mine, state.transaction():
        with psycopg.connect(url, autocommit=True) as another:
            another.execute("SELECT pg_sleep(1.2)")
        state.subscribers.put(subscriber(BOB), now=NOW)
        with open_state(url, now=NOW) as second, second.sender_lock() as others:
            assert (True, False) == (is_mine(), others())

    with open_state(url, now=NOW) as state:
        assert [BOB] == [reader.email for reader in readers_of(state)]


def test_a_server_that_takes_no_changes_is_called_so(url_of: Callable[[str], str]) -> None:
    """As after a fail-over, when the address leads to the standby."""
    url = url_of("default_transaction_read_only = on")

    with pytest.raises(StateError) as caught:
        open_state(url, now=NOW)

    assert "the server takes no changes: it is a standby" in caught.value.reason
    assert "target_session_attrs=read-write" in caught.value.hint


def _wait_for_the_lock(url: str) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(url, autocommit=True) as connection:
        while not (connection.execute(waiting).fetchone() or (0,))[0]:
            connection.execute("SELECT pg_sleep(0.01)")
