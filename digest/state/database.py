"""Connections and transactions: what SQLite and PostgreSQL do differently is in this file and in `sending`.

What goes in is a URL; what comes out are connections on which the rest of the room runs the same statements. A
transaction is durable when its block ends (SQLite: WAL with synchronous=FULL) and undone when the block raises. A
crash inside a block leaves the state as it was before.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import URL, Connection, Engine, Text, bindparam, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from digest.errors import StateError
from digest.state.failures import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import ColumnElement, Select, Table
    from sqlalchemy.dialects.sqlite import Insert
    from sqlalchemy.sql.compiler import SQLCompiler

T = TypeVar("T")

#: values per IN list and rows per statement; far below the limits (SQLite 32,766 parameters, PostgreSQL 65,535)
CHUNK = 1000

#: seconds between two attempts to turn WAL on
_WAL_PAUSE_S = 0.01

#: parameters of libpq, unless state.url has others: seconds to wait for a server to take a connection, and milliseconds
#: to wait for one that says nothing any more, as after a fail-over; the system itself would wait a quarter of an hour
_PATIENCE = {"connect_timeout": "10", "tcp_user_timeout": "20000"}

#: what we rely on, whatever the server, the database or the role have as their own; see "SET" in PostgreSQL's manual
_SESSION = {
    # psycopg reads no other style, and no text in an encoding that is none
    "DateStyle": "ISO",
    "client_encoding": "UTF8",
    # Python knows no zone that is only spelt out, `<+03>-3`
    "TimeZone": "UTC",
    # numbers come back as they were written
    "extra_float_digits": "1",
    # who has waited for `transaction` sees what the others wrote meanwhile
    "default_transaction_isolation": "read committed",
    # who sends mail for an hour, or plans it, keeps locks without a word to the server
    "idle_session_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
#: only those that the server knows: `idle_session_timeout` came with PostgreSQL 14
_SET = "SELECT set_config(name, value, false) FROM pg_settings JOIN json_each_text(%s::json) ON name = key"

#: advisory locks of PostgreSQL are numbers per database; ours are `advisory_lock` of these ("digest" in ASCII, and one
#: each), for in each schema may be a state
WRITER_LOCK = 0x646967657374_01
SENDER_LOCK = 0x646967657374_02
DAEMON_LOCK = 0x646967657374_03


class Database:
    """One open database.

    Attributes:
        place: file path or address without password, for people.
        path: the SQLite file; None for PostgreSQL.
        engine: SQLAlchemy's; hides parameters, so that no address reaches an error message.
        insert: `insert(table)` with ON CONFLICT, as this database's dialect spells it.
    """

    def __init__(self, engine: Engine, *, place: str, path: Path | None, busy_timeout_s: float) -> None:
        self.engine = engine
        self.place = place
        self.path = path
        self.insert = _insert(engine.dialect.name)
        self._busy_timeout_s = busy_timeout_s
        self._writer = Lock()
        self._current: ContextVar[Connection | None] = ContextVar("transaction", default=None)

    def upsert(self, table: Table, columns: Iterable[str] | None = None) -> Insert:
        """A statement that adds a row, or replaces what the one with the same primary key has.

        Args:
            table: which.
            columns: those that are replaced; None: all but the primary key.
        """
        new = self.insert(table)
        if columns is None:
            columns = [column.name for column in table.c if not column.primary_key]
        return new.on_conflict_do_update(
            index_elements=list(table.primary_key), set_={name: new.excluded[name] for name in columns}
        )

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading; the one of the surrounding `transaction`, if there is one."""
        with translated(self.place):
            current = self._current.get()
            if current is not None:
                yield current
                return
            with self.engine.connect() as connection:
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that begins with its first INSERT, UPDATE or DELETE; part of a surrounding one."""
        with translated(self.place):
            current = self._current.get()
            if current is not None:
                yield current
                return
            with self._turn(), self.engine.begin() as connection:
                yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Threads of this process write to SQLite one after the other.

        It would let one in at a time anyhow, but who waits sleeps up to 0.1 s and then looks again: while one thread
        planned mail, another claimed and settled 300 mails in 0.75 s, and 1,700 taking turns. Who has waited
        as long as SQLite would goes on and hears SQLite's answer.
        """
        if self.path is None:
            yield
            return
        mine = self._writer.acquire(timeout=self._busy_timeout_s)
        try:
            yield
        finally:
            if mine:
                self._writer.release()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The only transaction of this kind in any process, so that what it reads stays true until it has written.

        Everything that the same thread (or asyncio task) does inside the block belongs to it.
        """
        with self.writing() as connection:
            if self._current.get() is not None:
                yield connection
                return
            self.lock_for_writing(connection)
            before = self._current.set(connection)
            try:
                yield connection
            finally:
                self._current.reset(before)

    @property
    def in_transaction(self) -> bool:
        """Whether a surrounding `transaction` has yet to become durable."""
        return self._current.get() is not None

    def lock_for_writing(self, connection: Connection) -> None:
        """Begin with the lock that everything inside `transaction` holds, until commit or rollback."""
        if self.path is not None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(select(func.pg_advisory_xact_lock(advisory_lock(WRITER_LOCK))))

    def close(self) -> None:
        """Close all connections; open blocks keep theirs until they end."""
        self.engine.dispose()


class _Elements(GenericFunction[str]):
    """The texts in a JSON list, as rows."""

    name = "json_each"
    inherit_cache = True


@compiles(_Elements, "postgresql")
def _on_postgresql(function: _Elements, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(function.clauses, **options)} AS JSON))"


def advisory_lock(number: int) -> ColumnElement[int]:
    """What the lock of this number is called in the schema in which our tables are."""
    return func.hashtextextended(func.current_schema(), number)


def elements(name: str) -> Select[tuple[str]]:
    """The texts in the JSON list that the parameter `name` is: for IN with many values.

    As parameters of their own they would cost eight times as much as the search for them.
    """
    return select(_Elements(bindparam(name, type_=Text())).table_valued("value").c.value)


def chunks(values: Iterable[T]) -> Iterator[tuple[T, ...]]:
    """The values in order, at most CHUNK at a time; none is asked for before its chunk is."""
    rest = iter(values)
    while chunk := tuple(islice(rest, CHUNK)):
        yield chunk


def connect(url: str, *, create: bool, busy_timeout_s: float) -> Database:
    """A database for `url`, `sqlite:///path` or `postgresql://user@host/name`. Creates an empty file at most.

    Waits up to `busy_timeout_s` seconds for other processes that write.

    Raises StateError for a URL that cannot be used, a file that is missing (unless `create`) or cannot be written,
    a missing driver. A PostgreSQL server is not asked yet.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, create=create, busy_timeout_s=busy_timeout_s)
    return _postgresql(parsed, busy_timeout_s=busy_timeout_s)


def _postgresql(url: URL, *, busy_timeout_s: float) -> Database:
    place = URL.create(
        "postgresql", username=url.username, host=url.host, port=url.port, database=url.database
    ).render_as_string()
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg", query=_PATIENCE | dict(url.query)),
            hide_parameters=True,
            # the daemon's connections rest for hours; a restarted server must not cost a run
            pool_pre_ping=True,
        )
    except ModuleNotFoundError as error:
        raise StateError(
            place, "the PostgreSQL driver is not installed", hint="pip install 'paper-digest[postgresql]'"
        ) from error

    # before SQLAlchemy asks the server for its version
    @event.listens_for(engine, "connect", insert=True)
    def _set_up(connection: Any, _record: object) -> None:
        ours = _SESSION | {"lock_timeout": str(round(busy_timeout_s * 1000))}
        connection.execute(_SET, [json.dumps(ours)])
        connection.commit()

    return Database(engine, place=place, path=None, busy_timeout_s=busy_timeout_s)


def _parse(url: str) -> URL:
    """Never quotes the URL: it may hold a password."""
    hint = "write sqlite:///path/to/state.sqlite3 or postgresql://user@host/database"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StateError("state.url", "it is not a database URL", hint=hint) from None
    if parsed.drivername not in ("sqlite", "postgresql", "postgresql+psycopg"):
        reason = f"{parsed.drivername} is not a kind of database that digest can use"
        raise StateError("state.url", reason, hint=hint)
    return parsed


def _sqlite(url: URL, *, create: bool, busy_timeout_s: float) -> Database:
    if not url.database or url.database == ":memory:":
        raise StateError("state.url", "it names no file", hint="write sqlite:///path/to/state.sqlite3")
    # where the links end: SQLite keeps its -wal there, and all who send must meet at one lock file
    path = Path(os.path.realpath(url.database))
    place = str(path)
    try:
        _prepare_file(path, create=create)
    except StateError:
        raise
    except OSError as error:
        reason = f"{error.filename} cannot be opened or created: {error.strerror}"
        raise StateError(place, reason, hint="look at state.url and at the folders on the way") from error
    engine = create_engine(
        url.set(drivername="sqlite", database=place, query={}),
        hide_parameters=True,
        # IMMEDIATE: the driver begins with the write lock before the first INSERT, UPDATE or DELETE, and waits
        # for it up to the timeout; a transaction that asks for it later could only fail
        connect_args={"timeout": busy_timeout_s, "isolation_level": "IMMEDIATE"},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _record: object) -> None:
        _turn_on_wal(connection, busy_timeout_s=busy_timeout_s)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    return Database(engine, place=place, path=path, busy_timeout_s=busy_timeout_s)


def _prepare_file(path: Path, *, create: bool) -> None:
    """Make sure that `path` is a file that we may write, for our eyes only: it holds addresses and tokens."""
    if path.is_dir():
        raise StateError(str(path), "it is a folder", hint="name a file inside it: sqlite:///…/state.sqlite3")
    if not path.exists():
        if not create:
            raise StateError(str(path), "there is no state yet", hint="run `digest pull` first, or look at state.url")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another process was quicker
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    # SQLite writes beside the file too (-wal, -shm, with the file's own mode), and opens what it may only read
    for place in (path, path.parent):
        if not os.access(place, os.W_OK):
            raise StateError(str(path), f"{place} cannot be written", hint=f"look at: ls -ld {place}")
    if path.stat().st_mode & 0o077:
        with suppress(PermissionError):  # somebody else's file, who lets us write it
            path.chmod(0o600)


def _turn_on_wal(connection: sqlite3.Connection, *, busy_timeout_s: float) -> None:
    """Nothing if it is on already, as it stays in the file once it is.

    When several processes open a new file at once, one of them turns it on and the others are told "locked" without
    having waited: here SQLite does not ask its busy handler. So we wait ourselves, as long as it would have.
    """
    connection.execute("PRAGMA busy_timeout=0")
    for _ in range(round(busy_timeout_s / _WAL_PAUSE_S)):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(_WAL_PAUSE_S)
        else:
            break
    connection.execute(f"PRAGMA busy_timeout={round(busy_timeout_s * 1000)}")
    # nothing after a success; otherwise the last attempt, whose error is told
    connection.execute("PRAGMA journal_mode=WAL")


def _insert(dialect: str) -> Callable[[Table], Insert]:
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert

        return insert
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    # the same methods, without a common base class
    return cast("Callable[[Table], Insert]", postgresql_insert)
