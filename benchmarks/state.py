"""What one mail costs in the state, beside bare sqlite3 that writes as many rows in as many commits.

usage: python -m benchmarks.state [MAILS [PER_COMMIT [DAYS]]]

Plans MAILS digests (10,000) of fifteen picks, claims and settles them PER_COMMIT (50) at a time, and reads what was
delivered to their readers in the DAYS (14) days before. Prints microseconds of processor time per mail and, in
brackets, of the clock: the difference is waiting for the disk.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from digest.model import Digest, Match, Missed, Paper, Pick, Receipt, Subscriber, Verdict
from digest.state.ledger import Settlement
from digest.state.store import State, open_state

_NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)
_TODAY = _NOW.date()
_PAPERS = 1000
#: different reasons for which a paper is picked
_VARIANTS = 20
_PICKS = 15
_MISSED = 5
#: readers whose history is read at once
_SHARD = 500

T = TypeVar("T")
Key = tuple[str, date]


def digests(count: int, chance: random.Random) -> list[tuple[Digest, str]]:
    """As the plan makes them: readers whose keywords match for the same reasons share these, but not the scores."""
    papers = [_paper(number) for number in range(_PAPERS)]
    picks = [_pick(paper, variant) for paper in papers for variant in range(_VARIANTS)]
    missed = [Missed(paper.key, paper.title, paper.url, "score 0.12 of 0.20") for paper in papers]
    made = []
    for number in range(count):
        keywords = tuple(f"keyword number {chance.randrange(500)}" for _ in range(10))
        reader = Subscriber(f"reader{number:06d}@example.org", keywords=keywords, token=f"{number:022d}")
        chosen = tuple(chance.choice(picks) for _ in range(_PICKS))
        scores = tuple(chance.random() for _ in range(_PICKS))
        nearly = tuple(chance.choice(missed) for _ in range(_MISSED))
        digest = Digest(reader, _TODAY, _NOW, chosen, scores, nearly, (), _PAPERS, 80, 4)
        made.append((digest, f"<{number}@example.org>"))
    return made


def _paper(number: int) -> Paper:
    key, title = f"arxiv:2609.{number:05d}", f"A study of the number {number} and of its many remarkable properties"
    return Paper(
        key, title, "words " * 180, ("Ada Lovelace", "Emmy Noether"), f"https://arxiv.org/abs/2609.{number:05d}"
    )


def _pick(paper: Paper, variant: int) -> Pick:
    matches = (
        Match(f"keyword number {variant}", ("title", "abstract"), ("keyword number", "number"), 0.31 + variant / 997),
        Match("remarkable", ("title",), ("remarkable",), 0.17 + variant / 991),
    )
    return Pick(paper, "for_you", matches, why="“remarkable” in title")


def sheets(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The same, `size` at a time."""
    return (values[start : start + size] for start in range(0, len(values), size))


def days_before(path: Path, days: int) -> None:
    """Copy the delivered mail to the days before, each with other papers."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for day in range(1, days + 1):
            connection.execute(
                "INSERT INTO ledger (email, local_date, state, message_id, planned_at, attempts, owner, answer,"
                " updated_at, papers) SELECT email, date(local_date, ?), 'sent', ? || message_id,"
                " datetime(planned_at, ?) || '.000000', 1, owner, answer, updated_at, replace(papers, '2609', ?)"
                " FROM ledger WHERE local_date = ?",
                (f"-{day} days", day, f"-{day} days", f"{3000 + day}", _TODAY.isoformat()),
            )


class Table:
    """Lines of figures, per mail."""

    def __init__(self, mails: int) -> None:
        self._mails = mails

    @contextmanager
    def line(self, name: str) -> Iterator[None]:
        """Time what is done inside, and print it."""
        processor, clock = time.process_time(), time.perf_counter()
        yield
        us = 1e6 / self._mails
        processor, clock = (time.process_time() - processor) * us, (time.perf_counter() - clock) * us
        print(f"{name:<28}{processor:8.1f}  ({clock:.1f})", flush=True)


def bare(path: Path, mails: Sequence[tuple[Digest, str]], *, per_commit: int, table: Table) -> None:
    """The same rows and commits without any of the meaning."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(
            "CREATE TABLE mail (email, day, state, id UNIQUE, planned, attempts, next, owner, answer, updated, papers,"
            " PRIMARY KEY (email, day))"
        )
        connection.execute("CREATE TABLE body (email, day, planned, body, PRIMARY KEY (email, day))")
        papers, body = "arxiv:2609.00001 " * _PICKS, "x" * 8000
        with table.line("sqlite3: plan"):
            for start in range(0, len(mails), 1000):
                chunk = mails[start : start + 1000]
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(
                    "INSERT INTO mail VALUES (?, '2026-09-15', 'planned', ?, '', 0, NULL, '', '', '', ?)",
                    [(one.subscriber.email, name, papers) for one, name in chunk],
                )
                connection.executemany(
                    "INSERT INTO body VALUES (?, '2026-09-15', '', ?)",
                    [(one.subscriber.email, body) for one, _ in chunk],
                )
                connection.execute("COMMIT")
        keys = [(one.subscriber.email, one.local_date) for one, _ in mails]
        for step, state in (("claim", "sending"), ("settle", "sent")):
            with table.line(f"sqlite3: {step}"):
                for sheet in sheets(keys, per_commit):
                    connection.execute("BEGIN IMMEDIATE")
                    connection.executemany(
                        "UPDATE mail SET state = ?, attempts = 1, owner = 'host:1', answer = '250 ok', updated = '2026'"
                        " WHERE email = ? AND day = '2026-09-15'",
                        [(state, email) for email, _ in sheet],
                    )
                    connection.execute("COMMIT")


def mailing(state: State, mails: list[tuple[Digest, str]], *, per_commit: int, table: Table) -> None:
    """Plan, claim and settle; claims of digests that are in memory and, as after a crash, of such that are not."""
    known = {(one.subscriber.email, one.local_date): one for one, _ in mails}
    keys = list(known)
    receipt = Receipt("delivered", 250, "2.0.0 Ok: queued as 4XyzAbc", _NOW, "mail.example.org:587")
    with table.line("plan"):
        for start in range(0, len(mails), _SHARD):
            state.ledger.plan(mails[start : start + _SHARD], now=_NOW)
    with table.line("due"):
        assert len(list(state.ledger.due(_NOW))) == len(keys)
    for name, digests_known in (("claim, read", {}), ("claim, known", known)):
        with table.line(name):
            for sheet in sheets(keys, per_commit):
                claims = state.ledger.claim_all(sheet, owner="host:1", now=_NOW, known=digests_known)
                assert len(claims) == len(sheet)
        if not digests_known:
            state.ledger.recover(now=_NOW, in_doubt="resend")
    with table.line("settle"):
        for sheet in sheets(keys, per_commit):
            state.ledger.settle_all([Settlement(email, day, receipt, "sent") for email, day in sheet])


def looking(state: State, keys: Sequence[Key], *, since: date, table: Table) -> None:
    """What the plan asks for about the readers of each shard."""
    emails = [email for email, _ in keys]
    for name in ("tokens, new", "tokens"):
        with table.line(name):
            for shard in sheets(emails, _SHARD):
                state.subscribers.tokens(shard)
    with table.line("entered"):
        for sheet in sheets(keys, _SHARD):
            state.ledger.entered(sheet)
    for name in ("seen", "undelivered", "last_sent"):
        with table.line(name):
            for shard in sheets(emails, _SHARD):
                getattr(state.ledger, name)(shard, since=since)
    with table.line("open_keys"):
        for shard in sheets(emails, _SHARD):
            state.ledger.open_keys(shard)


def recording(state: State, keys: Sequence[Key], *, table: Table) -> None:
    """A report with a verdict on everybody."""
    verdicts = [
        Verdict("subscriber", email, "sent", f"{email}: 15 papers sent", _NOW, {"picks": 15}) for email, _ in keys
    ]
    with table.line("verdicts"):
        record = state.runs.begin("send", _NOW)
        for sheet in sheets(verdicts, 1000):
            record.add(sheet)
        record.finish(_NOW)


def main() -> None:
    """Both, in files of their own on the same disk."""
    mails, per_commit, days = (
        int(given) if given else usual
        for given, usual in zip([*sys.argv[1:], "", "", ""][:3], (10_000, 50, 14), strict=True)
    )
    made, table = digests(mails, random.Random(1)), Table(mails)
    print(f"µs per mail, {mails:,} mails, {per_commit} per commit, {days} days of history")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "state.sqlite3")
        bare(Path(folder, "bare.sqlite3"), made, per_commit=per_commit, table=table)
        with open_state(f"sqlite:///{path}", now=_NOW) as state:
            mailing(state, made, per_commit=per_commit, table=table)
            days_before(path, days)
            keys = [(one.subscriber.email, one.local_date) for one, _ in made]
            looking(state, keys, since=_TODAY - timedelta(days=days), table=table)
            recording(state, keys, table=table)


if __name__ == "__main__":
    main()
