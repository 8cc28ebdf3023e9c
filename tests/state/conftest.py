"""One state for each kind of database: every test that takes `state` or `url` holds for both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.state.store import State, open_state
from tests.makers import NOW
from tests.postgresql import Server, postgresql_server

__all__ = ["postgresql_server"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where there is no state yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/digest.sqlite3"
    server: Server = request.getfixturevalue("postgresql_server")
    return server.new_database()


@pytest.fixture
def state(url: str) -> Iterator[State]:
    with open_state(url, now=NOW) as opened:
        yield opened
