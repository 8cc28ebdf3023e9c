"""What past runs found: the memory behind `digest why`."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, insert, select

from digest.model import RunReport, Verdict
from digest.state.codec import dumps, loads
from digest.state.schema import run, verdict

if TYPE_CHECKING:
    from sqlalchemy import Row

    from digest.state.database import Database

_NEXT_RUN = select(func.coalesce(func.max(run.c.id), 0) + 1)


class Runs:
    """The runs of one state."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, report: RunReport) -> None:
        """Keep a report with all its verdicts."""
        with self._database.transaction() as connection:
            number = connection.scalar(_NEXT_RUN)
            connection.execute(insert(run), _run_row(number, report))
            rows = [_verdict_row(number, place, one) for place, one in enumerate(report.verdicts)]
            if rows:
                connection.execute(insert(verdict), rows)

    def reports(self, *, since: datetime) -> tuple[RunReport, ...]:
        """The runs that started at `since` or later, oldest first, each as it was recorded."""
        recent = select(run).where(run.c.started_at >= since).order_by(run.c.started_at, run.c.id)
        found = select(verdict).join(run).where(run.c.started_at >= since).order_by(verdict.c.run, verdict.c.number)
        verdicts = defaultdict(list)
        with self._database.reading() as connection:
            for row in connection.execute(found):
                verdicts[row.run].append(_verdict(row))
            return tuple(_report(row, tuple(verdicts[row.id])) for row in connection.execute(recent))

    def span(self, command: str | None = None) -> tuple[datetime, datetime] | None:
        """When the first and the last run on record started, of one command or of all; None without one."""
        query = select(func.min(run.c.started_at), func.max(run.c.started_at))
        if command is not None:
            query = query.where(run.c.command == command)
        with self._database.reading() as connection:
            first, last = connection.execute(query).one()
        return (first, last) if first is not None else None

    def verdicts(
        self,
        *,
        scope: Literal["source", "subscriber"] | None = None,
        name: str | None = None,
        finding: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
    ) -> tuple[Verdict, ...]:
        """Verdicts, newest first: of one scope, about one source or subscriber, of one finding, from `since` on.

        `since` is inclusive; with `limit`, at most that many.
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
        if limit is not None:
            query = query.limit(limit)
        with self._database.reading() as connection:
            return tuple(_verdict(row) for row in connection.execute(query))


def _run_row(number: int | None, report: RunReport) -> dict[str, Any]:
    return {
        "id": number,
        "command": report.command,
        "started_at": report.started_at,
        "finished_at": report.finished_at,
        "notes": dumps(tuple[str, ...], report.notes),
    }


def _verdict_row(number: int | None, place: int, one: Verdict) -> dict[str, Any]:
    return {
        "run": number,
        "number": place,
        "scope": one.scope,
        "name": one.name,
        "finding": one.finding,
        "sentence": one.sentence,
        "at": one.at,
        "counts": dumps(dict[str, int], dict(one.counts)),
        "trouble": one.trouble,
    }


def _report(row: Row[Any], verdicts: tuple[Verdict, ...]) -> RunReport:
    return RunReport(row.command, row.started_at, row.finished_at, verdicts, loads(tuple[str, ...], row.notes))


def _verdict(row: Row[Any]) -> Verdict:
    counts = loads(dict[str, int], row.counts)
    return Verdict(row.scope, row.name, row.finding, row.sentence, row.at, counts, trouble=row.trouble)
