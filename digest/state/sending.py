"""One sender at a time: a lock that dies with its process, so that a crash never leaves it behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from sqlalchemy import func, select

from digest.errors import StateError
from digest.state.database import SENDER_LOCK
from digest.state.failures import translated

if TYPE_CHECKING:
    from pathlib import Path

    from digest.state.database import Database


@contextmanager
def sender_lock(database: Database) -> Iterator[bool]:
    """True inside the block if this is the only sender; False, at once, if there is another one.

    SQLite: flock on `<file>.sending`. PostgreSQL: a session's advisory lock on a connection of its own. It goes when
    the server notices the end of that connection: some milliseconds after a process died, up to `tcp_keepalives_idle`
    and more after its machine did; should the server itself close it, the lock is gone while the block goes on.
    """
    lock = _file_lock(database.path) if database.path is not None else _advisory_lock(database)
    with translated(database.place), lock as mine:
        yield mine


@contextmanager
def _file_lock(path: Path) -> Iterator[bool]:
    name = path.with_name(path.name + ".sending")
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
def _advisory_lock(database: Database) -> Iterator[bool]:
    # AUTOCOMMIT: no transaction stays open as long as mail is sent, which would keep vacuum from its work
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = bool(connection.scalar(select(func.pg_try_advisory_lock(SENDER_LOCK))))
        try:
            yield mine
        finally:
            if mine:
                connection.execute(select(func.pg_advisory_unlock(SENDER_LOCK)))
