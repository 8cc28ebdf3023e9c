"""What the state file says at one moment, and who reads: what the checks compare."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.model import WEEKDAYS
from tests import installation

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from digest.state.store import State
    from tests.installation import Installation

#: one mail: address and local date
Name = tuple[str, date]
FINAL = frozenset({"sent", "refused", "expired"})
#: states in which a mail is left that may or may not have arrived
DOUBT = frozenset({"sending", "in_doubt", "held"})


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader of the configuration; papers match by their topic and by nothing else."""

    email: str
    topic: str = "Mixture of experts"
    hour: int = 6
    zone: str = "UTC"
    days: tuple[str, ...] = WEEKDAYS
    max_papers: int = 3
    paused_until: date | None = None
    #: a digest of the week on the first of the days
    weekly: bool = False
    #: a note of quiet days
    note: bool = False

    @property
    def due_days(self) -> tuple[str, ...]:
        return self.days[:1] if self.weekly else self.days

    def table(self) -> str:
        keys: dict[str, Any] = {
            "time": f"{self.hour:02}:00",
            "timezone": self.zone,
            "days": self.due_days,
            "frequency": "weekly" if self.weekly else "daily",
            "quiet": "note" if self.note else "skip",
            "max_papers": self.max_papers,
            "trending": 0,
            "min_score": 0,
        }
        if self.paused_until is not None:
            keys["paused_until"] = self.paused_until.isoformat()
        return installation.reader(self.email, self.topic, **keys)

    def local(self, now: datetime) -> datetime:
        return now.astimezone(ZoneInfo(self.zone))

    def too_early(self, now: datetime, last_run: datetime | None, had: Collection[date]) -> bool:
        """Whether nothing is due yet.

        Args:
            now: of the run.
            last_run: when the last send began that looked at everybody.
            had: days for which a mail to this reader was planned before.
        """
        local, was_due = self.local(now), self._was_due(now)
        missed = self.weekly and last_run is not None and last_run < was_due
        missed = missed and not any(was_due.date() <= day < local.date() for day in had)
        return local.hour < self.hour or not (missed or WEEKDAYS[local.weekday()] in self.due_days)

    def _was_due(self, now: datetime) -> datetime:
        """When the last digest of a week was due, today at the latest."""
        day = self.local(now).date()
        while WEEKDAYS[day.weekday()] not in self.due_days:
            day -= timedelta(days=1)
        return datetime.combine(day, time(self.hour), ZoneInfo(self.zone))


@dataclass(frozen=True, slots=True)
class Row:
    """One mail in the ledger."""

    state: str
    message_id: str
    planned_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    papers: tuple[str, ...]

    def waits(self, now: datetime) -> bool:
        """Whether it should go out now."""
        ripe = self.next_attempt_at is None or self.next_attempt_at <= now
        return self.state in {"planned", "deferred", "in_doubt"} and ripe


@dataclass(frozen=True, slots=True)
class Book:
    """The whole state as far as mail is concerned."""

    rows: Mapping[Name, Row]
    #: key → when its batch became durable
    papers: Mapping[str, datetime]
    #: address → first local date with mail again, None: until resumed
    pauses: Mapping[str, date | None]

    def pause(self, reader: Reader, now: datetime) -> bool:
        """Whether the reader gets nothing today."""
        today = reader.local(now).date()
        if reader.paused_until is not None and today < reader.paused_until:
            return True
        until = self.pauses.get(reader.email, date.min)
        return until is None or today < until


def read(state: State) -> Book:
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in state.export_rows():
        tables.setdefault(row.get("table", ""), []).append(row)
    return Book(
        rows={(row["email"], date.fromisoformat(row["local_date"])): _row(row) for row in tables.get("ledger", ())},
        papers={row["key"]: datetime.fromisoformat(row["first_seen_at"]) for row in tables.get("paper", ())},
        pauses={row["email"]: _date(row["until"]) for row in tables.get("pause", ())},
    )


def _row(row: Mapping[str, Any]) -> Row:
    later = row["next_attempt_at"]
    return Row(
        row["state"],
        row["message_id"],
        datetime.fromisoformat(row["planned_at"]),
        row["attempts"],
        None if later is None else datetime.fromisoformat(later),
        tuple(json.loads(row["papers"])),
    )


def _date(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def assert_intact(home: Installation) -> None:
    with closing(sqlite3.connect(home.folder / "state.sqlite3")) as connection:
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
        assert [] == connection.execute("PRAGMA foreign_key_check").fetchall()


def news(
    book: Book, reader: Reader, topics: Mapping[str, str], now: datetime, *, give_up: timedelta, hold: bool
) -> set[str]:
    """Papers that today's digest of the reader has to be chosen from, as `digest` promises.

    What matches and became known within eight days and since the last digest that arrived was planned (for a week,
    within seven days, or since then if that is longer ago), or was in a mail that was given up; but nothing that
    arrived or is on its way. A note of a quiet day is no digest.

    Args:
        book: before the run.
        reader: whose.
        topics: of the papers, by key.
        now: of the run.
        give_up: age at which a waiting mail is given up, which is done before anything is planned.
        hold: whether what was interrupted is held back, and so never given up.
    """
    own = {day: row for (email, day), row in book.rows.items() if email == reader.email}
    look_back = now - timedelta(days=8)
    kept = FINAL | {"held"} | ({"sending"} if hold else set())
    given_up, taken = set[str](), set[str]()
    last: datetime | None = None
    for row in own.values():
        late = row.state not in kept and row.planned_at <= now - give_up
        if row.state in {"refused", "expired"} or late:
            given_up |= set(row.papers)
        else:
            taken |= set(row.papers)
        if row.state == "sent" and row.papers and row.planned_at <= now:
            last = row.planned_at if last is None else max(last, row.planned_at)
    week = now - timedelta(days=7)
    since = max(look_back, min(week, last or week) if reader.weekly else last or look_back)
    return {
        key
        for key, first_seen in book.papers.items()
        if topics[key] == reader.topic
        and first_seen >= look_back
        and (first_seen > since or key in given_up)
        and key not in taken
    }
