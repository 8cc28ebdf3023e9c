"""Export and import: the whole state as JSON-able rows; also the way from SQLite to PostgreSQL and back.

    {"format": "paper-digest state", "version": of the tables, "has_end": true}
    {"table": name, column: value, …}        moments and dates as ISO 8601 texts; as many as there are
    {"end": how many these were}

What follows from other tables is left out, and made again by the next run. What breaks off before its end is not
imported; of exports without `has_end`, which earlier versions wrote, nobody can tell. The rows hold addresses and
unsubscribe tokens: they are as confidential as the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, exists, insert, select
from sqlalchemy.exc import OperationalError, StatementError

from digest.errors import StateError
from digest.state.codec import BodyError
from digest.state.database import chunks
from digest.state.migrate import NEWEST
from digest.state.schema import Moment, metadata, subscriber
from digest.state.subscribers import parsed

if TYPE_CHECKING:
    from sqlalchemy import Table

    from digest.state.database import Database

_FORMAT = "paper-digest state"
_HINT = "name a file written by `digest export`, of the same version of paper-digest"
_NOT_WHOLE = "nothing was imported; copy the file again, or export the state again"


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has written."""

    #: how many rows
    rows: int
    #: False: the export does not say where it ends, so it may have been cut off
    whole: bool


def export_rows(database: Database) -> Iterator[dict[str, Any]]:
    """Every row of every table, as they were at one moment; those that others refer to come first."""
    yield {"format": _FORMAT, "version": NEWEST, "has_end": True}
    count = 0
    with database.reading() as connection:
        # one snapshot for all tables, while others write on
        connection.exec_driver_sql(
            "BEGIN" if database.path is not None else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
        )
        for table in metadata.sorted_tables:
            if table.info.get("derived"):
                continue
            rows = connection.execution_options(yield_per=1000).execute(select(table).order_by(*table.primary_key))
            for row in rows.mappings():
                yield {"table": table.name, **{name: _to_json(value) for name, value in row.items()}}
                count += 1
    yield {"end": count}


def import_rows(database: Database, rows: Iterable[Mapping[str, Any]]) -> Imported:
    """Fill an empty state with exported rows, all or nothing.

    Raises:
        StateError: the state is not empty, or the rows are not a whole export of this version.
    """
    rest = iter(rows)
    head = next(rest, None)
    if not isinstance(head, Mapping) or (head.get("format"), head.get("version")) != (_FORMAT, NEWEST):
        reason = f"what is to be imported is not a state of version {NEWEST}"
        raise StateError(database.place, reason, hint=_HINT)
    count, has_end = 0, head.get("has_end") is True
    with database.transaction() as connection:
        if any(connection.scalar(select(exists(select(table)))) for table in metadata.sorted_tables):
            raise StateError(database.place, "it is not empty", hint="import into a new state: change state.url")
        for table, group in groupby(_up_to_end(database, rest, has_end=has_end), key=_table):
            if table is None:
                raise StateError(database.place, f"row {count + 2} names no table", hint=_HINT)
            for chunk in chunks(group):
                values = [_from_json(database, table, row) for row in chunk]
                if table is subscriber:
                    _check_readers(database, values)
                try:
                    connection.execute(insert(table), values)
                except OperationalError:
                    raise
                except (StatementError, OverflowError) as error:
                    reason = f"rows of {table.name} do not fit, the first of them is row {count + 2}"
                    raise StateError(database.place, reason, hint=_HINT) from error
                count += len(chunk)
    return Imported(count, whole=has_end)


def _up_to_end(database: Database, rows: Iterator[Any], *, has_end: bool) -> Iterator[Any]:
    """The rows without the last, which tells how many they are. Raises StateError if they are more or less."""
    count = 0
    for row in rows:
        if has_end and isinstance(row, Mapping) and "end" in row:
            if row["end"] != count:
                reason = f"what is to be imported holds {count:,} rows, and {row['end']!s:.20} were exported"
                raise StateError(database.place, reason, hint=_NOT_WHOLE)
            if any(True for _ in rows):
                reason = f"what is to be imported goes on after its end, which is row {count + 2:,}"
                raise StateError(database.place, reason, hint=_NOT_WHOLE)
            return
        count += 1
        yield row
    if has_end:
        reason = f"what is to be imported breaks off after {count:,} row{'s' * (count != 1)}, before its end"
        raise StateError(database.place, reason, hint=_NOT_WHOLE)


def _table(row: object) -> Table | None:
    """The table that a row is of; None if it is of none."""
    return metadata.tables.get(str(row.get("table"))) if isinstance(row, Mapping) else None


def _to_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value  # a datetime is a date too


def _from_json(database: Database, table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Raises StateError for a missing column or a text that is no date."""
    values = {}
    for column in table.c:
        try:
            values[column.name] = _parsed(column.type, row[column.name])
        except (KeyError, TypeError, ValueError) as error:
            reason = f"a row of {table.name} has no usable {column.name}"
            raise StateError(database.place, reason, hint=_HINT) from error
    return values


def _check_readers(database: Database, values: Iterable[Mapping[str, Any]]) -> None:
    """Raises StateError for a reader for whom no run could plan: one of them would stop everybody's mail."""
    for row in values:
        try:
            parsed(row["email"], row["body"])
        except (BodyError, TypeError) as error:
            raise StateError(database.place, f"a row of subscriber cannot be used: {error}", hint=_HINT) from error


def _parsed(kind: object, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(kind, Moment):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(kind, Date) else value
