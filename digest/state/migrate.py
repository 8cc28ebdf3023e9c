"""Creating and upgrading the tables; alembic is imported only when there is something to upgrade.

The version of a state is the number of its newest migration script, "0001" and up, in the table `schema_version`.
A new state gets all tables at once and the newest version. An older one is upgraded in one transaction, after a
SQLite file has been copied beside itself: a crash or a full disk half-way leaves the old state as it was.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert, inspect, select

from digest.errors import StateError
from digest.state.failures import translated
from digest.state.schema import metadata, schema_version

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from digest.state.database import Database

#: version of the tables in `schema`, and of the newest script in `migrations/versions`
NEWEST = "0010"

_SCRIPTS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What opening an older state did to it."""

    #: versions before and after
    before: str
    after: str
    #: copy of the file as it was; None for PostgreSQL, whose backups are its administrator's
    backup: Path | None


def prepare(database: Database, *, now: datetime, create: bool) -> Upgrade | None:
    """Bring the tables to the version of this program.

    Args:
        database: an open database, perhaps an empty one.
        now: names the backup.
        create: whether an empty database becomes a state; otherwise it is a StateError.

    Returns:
        what was upgraded, None if nothing was.

    Raises:
        StateError: it is newer than this program, another program's, empty, or it cannot be read or written.
    """
    with database.reading() as connection:
        version = _version(database, connection)
    if version == NEWEST:
        return None
    if version is None and not create:
        raise StateError(database.place, "there is no state yet", hint="run `digest pull` first, or look at state.url")
    # a connection of its own: scripts that rebuild a SQLite table need its foreign keys off, which is possible only
    # outside transactions (https://www.sqlite.org/lang_altertable.html#otheralter)
    with translated(database.place), database.engine.connect() as connection:
        if database.path is not None:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.detach()
        database.lock_for_writing(connection)
        upgrade = _bring_up_to_date(database, connection, now=now)
        connection.commit()
    return upgrade


def _bring_up_to_date(database: Database, connection: Connection, *, now: datetime) -> Upgrade | None:
    """Under the writer's lock; asks for the version again, because another process may have been here meanwhile."""
    version = _version(database, connection)
    if version == NEWEST:
        return None
    if version is None:
        metadata.create_all(connection, checkfirst=False)
        schema_version.create(connection, checkfirst=False)
        connection.execute(insert(schema_version).values(version_num=NEWEST))
        return None
    backup = None if database.path is None else _copy(database.path, f"{version}-{now:%Y%m%dT%H%M%SZ}")
    _run_scripts(connection)
    return Upgrade(version, NEWEST, backup)


def _version(database: Database, connection: Connection) -> str | None:
    """None: an empty database. Raises StateError for one that is not ours or from the future."""
    tables = inspect(connection).get_table_names()
    if schema_version.name not in tables:
        if tables and database.path is not None:
            raise StateError(
                database.place, "it is a database of another program", hint="name another file in state.url"
            )
        return None
    version = str(connection.scalar(select(schema_version.c.version_num)))
    if version > NEWEST:
        reason = f"it has version {version}, this program knows versions up to {NEWEST}"
        raise StateError(database.place, reason, hint="upgrade paper-digest: pip install --upgrade paper-digest")
    return version


def _copy(path: Path, suffix: str) -> Path:
    """A consistent copy beside `path`, durable on return; nothing is left behind if it cannot be made."""
    target = path.with_name(f"{path.name}.{suffix}.backup")
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        reason = f"no backup could be made before upgrading it: {error.strerror}"
        raise StateError(str(target), reason, hint="look at the free space and permissions of the folder") from error
    try:
        with closing(sqlite3.connect(path)) as original, closing(sqlite3.connect(target)) as copy:
            copy.execute("PRAGMA synchronous=FULL")
            original.backup(copy)
    except sqlite3.Error as error:
        with suppress(OSError):
            target.unlink()
        reason = f"no backup could be made before upgrading it: {error}"
        raise StateError(
            str(target), reason, hint="the state was not changed: free some space and run again"
        ) from error
    return target


def _run_scripts(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    # "%" has a meaning in alembic's configuration, and may be part of a path
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    command.upgrade(config, "head")
