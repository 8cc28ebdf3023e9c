"""An installation of its own for every test of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.installation import ADA, BOB, CAT, Installation, item, reader
from tests.postgresql import Server, postgresql_server
from tests.smtp_server import smtp_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.http_server import HttpServer
    from tests.smtp_server import SmtpServer

__all__ = ["postgresql_server"]


@pytest.fixture
def home(tmp_path: Path, http_server: HttpServer) -> Installation:
    """With one reader, Ada, whose digest is due from 06:00 UTC on."""
    return Installation(tmp_path, http_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_home(request: pytest.FixtureRequest, tmp_path: Path, http_server: HttpServer) -> Installation:
    """The same on each kind of database."""
    if request.param == "sqlite":
        return Installation(tmp_path, http_server)
    server: Server = request.getfixturevalue("postgresql_server")
    return Installation(tmp_path, http_server, url=server.new_database())


@pytest.fixture
def relay(home: Installation) -> Iterator[SmtpServer]:
    """A mail server, which `home` uses."""
    with smtp_server() as server:
        home.use_relay(server)
        yield server


@pytest.fixture
def pulled(home: Installation) -> Installation:
    """Three readers, and a paper for each of them."""
    home.readers = tuple(reader(email) for email in (ADA, BOB, CAT))
    home.publish(item(1))
    home.pull()
    return home
