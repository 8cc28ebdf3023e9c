"""A real PostgreSQL server for tests: our own cluster in a temporary folder, reached by a socket in that folder.

Started once per test process and only if a test asks for it; skipped with the reason where PostgreSQL is missing.
Nothing in it survives a crash (fsync=off), which makes it quick.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

#: seconds for the server to answer for the first time
_START_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Server:
    """A running server."""

    #: where its socket is; no port is taken, so that none can be taken by another test
    folder: str
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def new_database(self) -> str:
        """URL of an empty schema of its own: as good as a database for a test, and made much quicker."""
        name = f"test{next(self._numbers)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self.url}&options=-csearch_path%3D{name}"

    def drop_connections(self) -> None:
        """Close all connections, and with them their locks, as a restart of the server does."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            others = "FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}".encode())

    @property
    def url(self) -> str:
        return f"postgresql://digest@/postgres?host={self.folder}"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (initdb and postgres, in PATH or /usr/lib/postgresql/*/bin)")
    with _cluster(programs) as server:
        yield server


def _programs() -> Path | None:
    """The folder of `initdb` and `postgres`, newest version first."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    if found := shutil.which("initdb"):
        installed.insert(0, Path(found).resolve().parent)
    return next((path for path in installed if (path / "initdb").exists() and (path / "postgres").exists()), None)


@contextmanager
def _cluster(programs: Path) -> Iterator[Server]:
    user = _user()
    with tempfile.TemporaryDirectory(prefix="digest-pg-", dir="/tmp") as folder:
        if user is not None:
            shutil.chown(folder, user)
        data = f"{folder}/data"
        _run_as(user, programs / "initdb", "-D", data, "-U", "digest", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        server = Server(folder)
        options = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "listen_addresses=")
        settings = [word for option in options for word in ("-c", option)]
        command = [str(programs / "postgres"), "-D", data, "-k", folder, *settings]
        with Path(folder, "log").open("wb") as log, subprocess.Popen(command, user=user, stderr=log) as process:
            try:
                _wait(server, process)
                yield server
            finally:
                process.send_signal(signal.SIGINT)  # "fast" shutdown: waits for no client
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()


def _user() -> str | None:
    """PostgreSQL refuses to run as root; None: as ourselves."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run_as(user: str | None, *command: str | Path) -> None:
    done = subprocess.run(command, user=user, capture_output=True, text=True, check=False, cwd="/tmp")
    assert done.returncode == 0, done.stderr


def _wait(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        try:
            psycopg.connect(server.url).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "the PostgreSQL server ended at once"
            assert time.monotonic() < deadline, "the PostgreSQL server does not answer"
            time.sleep(0.02)
        else:
            return
