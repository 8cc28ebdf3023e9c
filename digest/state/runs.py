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

    def verdicts(
        self,
        *,
        scope: Literal["source", "subscriber"] | None = None,
        name: str | None = None,
        since: datetime | None = None,
    ) -> tuple[Verdict, ...]:
        """Verdicts, newest first: of one scope, about one source or subscriber, from `since` (inclusive)."""
        query = select(verdict).order_by(verdict.c.at.desc(), verdict.c.run.desc(), verdict.c.number.desc())
        if scope is not None:
            query = query.where(verdict.c.scope == scope)
        if name is not None:
            query = query.where(verdict.c.name == name)
        if since is not None:
            query = query.where(verdict.c.at >= since)
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
