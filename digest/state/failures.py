"""What a database driver raises → StateError: a plain reason, and what to do next.

Only trouble that an operator can do something about is translated. A broken constraint or a wrong statement is a
mistake of ours and passes through as it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from digest.errors import StateError
from digest.state.codec import BodyError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: reason, hint
Words = tuple[str, str]

_FULL: Words = (
    "no space left on the disk",
    "nothing was lost: what was recorded before stays; free some space and run the command again",
)
_READ_ONLY: Words = ("it cannot be written", "give the user that runs digest write access to it and to its folder")
_BUSY: Words = (
    "another program keeps it locked",
    "wait for the other digest command or backup program to finish, then run the command again",
)
_DAMAGED_HINT = "it was left untouched: restore a backup in its place, or move it away to begin with an empty state"

#: by primary result code, https://www.sqlite.org/rescode.html
_SQLITE: Mapping[int, Words] = {
    sqlite3.SQLITE_NOTADB: ("it is not a state file", _DAMAGED_HINT),
    sqlite3.SQLITE_CORRUPT: ("it is damaged", _DAMAGED_HINT),
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "look at its path, its permissions and those of its folder"),
    sqlite3.SQLITE_IOERR: (
        "reading or writing it failed",
        "look at the free space, the file size limit (ulimit -f) and the health of the disk, then run again",
    ),
}

#: by SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL: Mapping[str, Words] = {
    "53100": _FULL,
    "25006": (
        "the server takes no changes: it is a standby, or default_transaction_read_only is on",
        "connect to the primary, with ?target_session_attrs=read-write at the end of state.url if it may change",
    ),
    "42501": ("the database user may not do this", "grant it CREATE and USAGE on the schema, and its tables"),
    "55P03": _BUSY,
    "53300": ("the server has no connection left", "raise max_connections or run fewer digest processes"),
    "42P07": (
        "a table of another program has a name that digest needs",
        "give digest a database, or a user with a schema, of its own",
    ),
}

#: what a driver raises for trouble outside the program; everything else is a mistake of ours
_OUTSIDE = (OperationalError, InternalError, InterfaceError)


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Errors of the driver, and bodies that cannot be read, leave this block as StateError about `place`."""
    try:
        yield
    except BodyError as error:
        reason = f"a stored value cannot be read: {error}"
        raise StateError(place, reason, hint="restore a backup; a newer digest may have written it") from error
    except DBAPIError as error:
        words = _words(error)
        if words is None:
            raise
        reason, hint = words
        raise StateError(place, reason, hint=hint) from error


def _words(error: DBAPIError) -> Words | None:
    """Reason and hint; None if nobody but a programmer can help."""
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        # extended result codes keep the primary one in their low byte
        known = _SQLITE.get((getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF)
    else:
        known = _POSTGRESQL.get(getattr(cause, "sqlstate", None) or "")
    # without a statement it was connecting that failed: a mistyped option in state.url is a ProgrammingError
    if known is not None or not (isinstance(error, _OUTSIDE) or error.statement is None):
        return known
    reason = " ".join(str(cause).split()) or type(cause).__name__
    if isinstance(cause, sqlite3.Error):
        return reason, "run the command again; if it stays, restore a backup"
    return reason, "look at state.url, and whether the PostgreSQL server runs and lets this user in"
