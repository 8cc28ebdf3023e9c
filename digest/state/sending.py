"""One sender at a time, and one daemon: locks that die with their process, so that a crash never leaves one behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from digest.errors import StateError
from digest.state.database import DAEMON_LOCK, SENDER_LOCK
from digest.state.failures import translated

if TYPE_CHECKING:
    from pathlib import Path

    from digest.state.database import Database


def sender_lock(database: Database) -> AbstractContextManager[bool]:
    """True inside the block if this is the only sender; False, at once, if there is another one.

    SQLite: flock on `<file>.sending`. PostgreSQL: a session's advisory lock on a connection of its own. It goes when
    the server notices the end of that connection: some milliseconds after a process died, up to `tcp_keepalives_idle`
    and more after its machine did; should the server itself close it, the lock is gone while the block goes on.
    """
    return _lock(database, ".sending", SENDER_LOCK)


def daemon_lock(database: Database) -> AbstractContextManager[bool]:
    """The same among those who stay at work; `<file>.running`."""
    return _lock(database, ".running", DAEMON_LOCK)


@contextmanager
def _lock(database: Database, suffix: str, number: int) -> Iterator[bool]:
    path = database.path
    lock = _advisory_lock(database, number) if path is None else _file_lock(path.with_name(path.name + suffix))
    with translated(database.place), lock as mine:
        yield mine


@contextmanager
def _file_lock(name: Path) -> Iterator[bool]:
    # fallback_to_soft would leave a file behind after a crash that blocks every later run
    lock = FileLock(name, timeout=0, mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise StateError(str(name), f"it cannot be locked: {error.strerror}", hint=f"look at: ls -l {name}") from error
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def _advisory_lock(database: Database, number: int) -> Iterator[bool]:
    # AUTOCOMMIT: no transaction stays open as long as the lock is held, which would keep vacuum from its work
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = bool(connection.scalar(select(func.pg_try_advisory_lock(number))))
        try:
            yield mine
        finally:
            if mine:
                with suppress(DBAPIError):  # with a connection that broke, the lock went too
                    connection.execute(select(func.pg_advisory_unlock(number)))
