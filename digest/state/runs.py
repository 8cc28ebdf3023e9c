"""What past runs found: the memory behind `digest why`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import and_, bindparam, exists, func, insert, select, update

from digest.model import RunReport, Verdict
from digest.state.bulk import Bulk
from digest.state.codec import dumps, loads
from digest.state.database import chunks
from digest.state.schema import run, verdict

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from digest.state.database import Database

_SAID = select(verdict.c.name, verdict.c.sentence).where(
    verdict.c.scope == "subscriber",
    verdict.c.name.in_(bindparam("names", expanding=True)),
    verdict.c.at >= bindparam("since"),
    verdict.c.at <= bindparam("until"),
)
#: the note of a run that is still at work, or died; its `finished_at` is when it started
UNFINISHED = "it has not finished"
#: the note of a send that was stopped, perhaps before it looked at everybody
STOPPED = "it was stopped before everything was sent; the next run goes on"

_NEXT_RUN = select(func.coalesce(func.max(run.c.id), 0) + 1)


class Runs:
    """The runs of one state."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._new_verdicts = Bulk(database, insert(verdict), verdict.c.keys())

    def record(self, report: RunReport) -> None:
        """Keep a report with all its verdicts."""
        with self._database.transaction() as connection:
            number = _begin(connection, report)
            self._new_verdicts.execute(connection, _columns(report.verdicts), run=number)

    def begin(self, command: str, started_at: datetime) -> Recording:
        """Keep a run whose verdicts come bit by bit; it and what was added are kept even if it does not finish."""
        with self._database.transaction() as connection:
            number = _begin(connection, RunReport(command, started_at, started_at, notes=(UNFINISHED,)))
        return Recording(self._database, self._new_verdicts, number)

    def starts(self, command: str, *, since: datetime, until: datetime) -> tuple[datetime, ...]:
        """When the runs of a command started, of those from `since` to `until` (inclusive), oldest first."""
        query = select(run.c.started_at).where(
            run.c.command == command, run.c.started_at >= since, run.c.started_at <= until
        )
        with self._database.reading() as connection:
            return tuple(connection.scalars(query.order_by(run.c.started_at)))

    def span(self, command: str | None = None) -> tuple[datetime, datetime] | None:
        """When the first and the last run on record started, of one command or of all; None without one."""
        query = select(func.min(run.c.started_at), func.max(run.c.started_at))
        if command is not None:
            query = query.where(run.c.command == command)
        with self._database.reading() as connection:
            first, last = connection.execute(query).one()
        return (first, last) if first is not None else None

    def last_finished(self, command: str) -> datetime | None:
        """When the last run of a command started that neither died nor was stopped; None without one."""
        notes = (UNFINISHED, STOPPED)
        finished = and_(*(run.c.notes.not_like(f"%{note}%") for note in notes))
        with self._database.reading() as connection:
            last: datetime | None = connection.scalar(
                select(func.max(run.c.started_at)).where(run.c.command == command, finished)
            )
        return last

    def was_set_back(self, since: datetime) -> bool:
        """Whether the clock was: a send started before `since` though a run on record before it started then or later.

        What such a send wrote down is dated earlier than what had happened before.
        """
        first = select(func.min(run.c.id)).where(run.c.started_at >= since).scalar_subquery()
        with self._database.reading() as connection:
            return bool(
                connection.scalar(
                    select(exists().where(run.c.command == "send", run.c.started_at < since, run.c.id > first))
                )
            )

    def verdicts(
        self,
        *,
        scope: Literal["source", "subscriber", "github"] | None = None,
        name: str | None = None,
        finding: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> tuple[Verdict, ...]:
        """Verdicts, newest first: of one scope, about one source or subscriber, of one finding.

        `since` and `until` are inclusive; with `limit`, at most that many.
        """
        query = select(verdict).order_by(verdict.c.at.desc(), verdict.c.run.desc(), verdict.c.number.desc())
        if scope is not None:
            query = query.where(verdict.c.scope == scope)
        if name is not None:
            query = query.where(verdict.c.name == name)
        if finding is not None:
            query = query.where(verdict.c.finding == finding)
        if since is not None:
            query = query.where(verdict.c.at >= since)
        if until is not None:
            query = query.where(verdict.c.at <= until)
        if limit is not None:
            query = query.limit(limit)
        with self._database.reading() as connection:
            return tuple(_verdict(row) for row in connection.execute(query))

    def said(self, names: Iterable[str], *, since: datetime, until: datetime) -> set[tuple[str, str]]:
        """(name, sentence) of the verdicts on these subscribers from `since` to `until`, both inclusive."""
        said: set[tuple[str, str]] = set()
        with self._database.reading() as connection:
            for chunk in chunks(names):
                bounds = {"names": chunk, "since": since, "until": until}
                said.update(tuple(row) for row in connection.execute(_SAID, bounds))
        return said


class Recording:
    """A run that is being kept. Until it is finished, and for good if it dies, a note says that it was not."""

    def __init__(self, database: Database, new_verdicts: Bulk, number: int) -> None:
        self._database = database
        self._new_verdicts = new_verdicts
        self._number = number
        self._verdicts = 0

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Keep more verdicts, durable on return."""
        columns = _columns(tuple(verdicts), first=self._verdicts)
        with self._database.transaction() as connection:
            added = self._new_verdicts.execute(connection, columns, run=self._number)
        self._verdicts += added

    def finish(self, finished_at: datetime, notes: tuple[str, ...] = ()) -> None:
        """The run is over."""
        values = {"finished_at": finished_at, "notes": dumps(tuple[str, ...], notes)}
        with self._database.transaction() as connection:
            connection.execute(update(run).where(run.c.id == self._number).values(values))


def _begin(connection: Connection, report: RunReport) -> int:
    """Enter a run; returns its number."""
    number: int = connection.execute(_NEXT_RUN).scalar_one()
    values = {
        "id": number,
        "command": report.command,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "notes": dumps(tuple[str, ...], (*report.notes, *report.warnings)),
    }
    connection.execute(insert(run), values)
    return number


def _columns(verdicts: Sequence[Verdict], *, first: int = 0) -> dict[str, Sequence[Any]]:
    return {
        "number": range(first, first + len(verdicts)),
        "scope": [one.scope for one in verdicts],
        "name": [one.name for one in verdicts],
        "finding": [one.finding for one in verdicts],
        "sentence": [one.sentence for one in verdicts],
        "at": [one.at for one in verdicts],
        "counts": [dumps(dict[str, int], dict(one.counts)) for one in verdicts],
        "trouble": [one.trouble for one in verdicts],
    }


def _verdict(row: Row[Any]) -> Verdict:
    counts = loads(dict[str, int], row.counts)
    return Verdict(row.scope, row.name, row.finding, row.sentence, row.at, counts, trouble=row.trouble)
