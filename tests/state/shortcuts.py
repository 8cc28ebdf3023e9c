"""A state, asked and told in few words: what tests want of it and no command does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from digest.model import RunReport, Verdict
from digest.state.codec import loads
from digest.state.history import ROW, in_order
from digest.state.ledger import Settlement
from digest.state.schema import run, verdict

if TYPE_CHECKING:
    from datetime import date, datetime

    from digest.model import Digest, LedgerRow, LedgerState, Receipt, Subscriber
    from digest.state.store import State


def claim_one(state: State, email: str, day: date, *, owner: str = "", now: datetime) -> Digest | None:
    """Take one mail for sending; None if it is not given."""
    claims = state.ledger.claim_all([(email, day)], owner=owner, now=now)
    return claims[email, day].digest if claims else None


def settle_one(
    state: State, email: str, day: date, receipt: Receipt, after: LedgerState, next_attempt_at: datetime | None = None
) -> None:
    """Write down what became of one mail."""
    state.ledger.settle_all([Settlement(email, day, receipt, after, next_attempt_at)])


def row_of(state: State, email: str, day: date) -> LedgerRow | None:
    """None if nothing was planned."""
    return state.ledger.entered([(email, day)]).get((email, day))


def rows_of(state: State) -> tuple[LedgerRow, ...]:
    """The whole ledger, by day and address."""
    with state._database.reading() as connection:
        return in_order(connection.execute(select(*ROW)))


def readers_of(state: State) -> tuple[Subscriber, ...]:
    """Who joined at run time, by address."""
    return tuple(reader for page in state.subscribers.pages() for reader in page)


def reports_of(state: State, *, since: datetime) -> tuple[RunReport, ...]:
    """The runs that started then or later, oldest first, each as it was recorded."""
    recent = select(run).where(run.c.started_at >= since).order_by(run.c.started_at, run.c.id)
    verdicts: dict[int, list[Verdict]] = {}
    with state._database.reading() as connection:
        for row in connection.execute(select(verdict).order_by(verdict.c.run, verdict.c.number)):
            counts = loads(dict[str, int], row.counts)
            one = Verdict(row.scope, row.name, row.finding, row.sentence, row.at, counts, trouble=row.trouble)
            verdicts.setdefault(row.run, []).append(one)
        return tuple(
            RunReport(
                row.command,
                row.started_at,
                row.finished_at,
                tuple(verdicts.get(row.id, ())),
                loads(tuple[str, ...], row.notes),
            )
            for row in connection.execute(recent)
        )
