"""One sender at a time, and one daemon: locks that die with their process, so that a crash never leaves one behind.

A lock is a question, `is_mine()`, which who works for long asks again and again: the server may have been restarted
meanwhile. Then the lock is asked for once more, and somebody else may have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from digest.errors import StateError
from digest.state.database import DAEMON_LOCK, SENDER_LOCK, advisory_lock
from digest.state.failures import translated

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from digest.state.database import Database


def sender_lock(database: Database) -> AbstractContextManager[Callable[[], bool]]:
    """Says inside the block whether this is the only sender; if not, there is another one.

    SQLite: flock on `<file>.sending`. PostgreSQL: a session's advisory lock on a connection of its own. It goes when
    the server notices the end of that connection: some milliseconds after a process died, up to `tcp_keepalives_idle`
    and more after its machine did. Should the server itself close it, the lock is gone until the next question.
    """
    return _lock(database, ".sending", SENDER_LOCK)


def daemon_lock(database: Database) -> AbstractContextManager[Callable[[], bool]]:
    """The same among those who stay at work; `<file>.running`."""
    return _lock(database, ".running", DAEMON_LOCK)


@contextmanager
def _lock(database: Database, suffix: str, number: int) -> Iterator[Callable[[], bool]]:
    path = database.path
    lock = _advisory_lock(database, number) if path is None else _file_lock(path.with_name(path.name + suffix))
    with translated(database.place), lock as is_mine:
        yield is_mine


@contextmanager
def _file_lock(name: Path) -> Iterator[Callable[[], bool]]:
    # fallback_to_soft would leave a file behind after a crash that blocks every later run
    lock = FileLock(name, timeout=0, mode=0o600, fallback_to_soft=False)
    try:
        with suppress(Timeout):
            lock.acquire()
    except OSError as error:
        raise StateError(str(name), f"it cannot be locked: {error.strerror}", hint=f"look at: ls -l {name}") from error
    mine = lock.is_locked
    try:
        # known, and not asked again: FileLock would answer each thread for itself
        yield lambda: mine
    finally:
        lock.release()


@contextmanager
def _advisory_lock(database: Database, number: int) -> Iterator[Callable[[], bool]]:
    lock = _AdvisoryLock(database, number)
    try:
        lock.is_mine()
        yield lock.is_mine
    finally:
        lock.release()


class _AdvisoryLock:
    """A lock of one connection with PostgreSQL, or of the next one where that broke."""

    def __init__(self, database: Database, number: int) -> None:
        self._database = database
        self._number = number
        self._connection: Connection | None = None
        self._is_mine = False

    def is_mine(self) -> bool:
        """Raises StateError if the server cannot be asked."""
        with translated(self._database.place):
            if self._connection is None or not _is_alive(self._connection):
                self._connection = None
                # AUTOCOMMIT: no transaction stays open as long as the lock is held, which would keep vacuum from work
                connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                self._is_mine = bool(connection.scalar(select(func.pg_try_advisory_lock(advisory_lock(self._number)))))
                self._connection = connection
        return self._is_mine

    def release(self) -> None:
        if self._connection is None:
            return
        with suppress(DBAPIError):  # with a connection that broke, the lock went too
            if self._is_mine:
                self._connection.execute(select(func.pg_advisory_unlock(advisory_lock(self._number))))
        self._connection.close()


def _is_alive(connection: Connection) -> bool:
    """False, and closed, if the connection broke."""
    try:
        connection.scalar(select(1))
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        connection.close()
        return False
    return True
