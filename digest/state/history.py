"""What the ledger tells: rows, and what became of the papers in them. Nothing is changed here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, bindparam, case, cast, exists, func, literal, or_, select

from digest.model import Delivered, LedgerRow, LedgerState, MailKey
from digest.state.codec import parse, to_text
from digest.state.database import chunks, elements
from digest.state.schema import OPEN, Moment, alias, ledger, resumption, storable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from digest.state.database import Database

#: the columns of a LedgerRow, in its order
ROW = tuple(
    ledger.c[name]
    for name in (
        "email",
        "local_date",
        "state",
        "message_id",
        "planned_at",
        "attempts",
        "next_attempt_at",
        "answer",
        "updated_at",
    )
)
#: one mail
KEY = (ledger.c.email == bindparam("by_email"), ledger.c.local_date == bindparam("by_day"))
#: mails of one local day
KEYS = (ledger.c.local_date == bindparam("by_day"), ledger.c.email.in_(elements("emails")))
_ENTERED = select(*ROW).where(*KEYS)
_LATELY = (ledger.c.email.in_(elements("emails")), ledger.c.local_date >= bindparam("since"))
_SENT = ledger.c.state == "sent"
#: a note of a quiet day has no papers, and nothing that it has looked at counts as told
_WITH_PAPERS = ledger.c.papers != "[]"
_LAST_SENT = (
    select(ledger.c.email, func.max(ledger.c.planned_at))
    .where(*_LATELY, _SENT, _WITH_PAPERS, ledger.c.planned_at <= bindparam("until", type_=Moment()))
    .group_by(ledger.c.email)
)
# lists in one text, so that a reader's days are parsed at once: a third of the time
_PAPERS = select(ledger.c.email, func.aggregate_strings(ledger.c.papers, ",")).group_by(ledger.c.email)
_SEEN = _PAPERS.where(*_LATELY, _SENT)
_SENT_AFTER = (
    select(ledger.c.email, func.max(ledger.c.updated_at))
    .where(ledger.c.local_date >= bindparam("since"), _SENT, ledger.c.updated_at >= bindparam("moment", type_=Moment()))
    .group_by(ledger.c.email)
)
_UNDELIVERED = _PAPERS.where(*_LATELY, ledger.c.state.in_(("refused", "expired")))
_MAILS = (
    select(
        ledger.c.email,
        func.max(ledger.c.planned_at),
        # a JSON list for each delivered mail, its local date first: NULL, which is left out, for one on its way
        func.aggregate_strings(
            case((_SENT, literal('["') + cast(ledger.c.local_date, Text) + '",' + ledger.c.papers + "]")), ","
        ),
    )
    .where(*_LATELY, or_(_SENT, OPEN), _WITH_PAPERS)
    .group_by(ledger.c.email)
)
_BACKLOG = (
    select(
        ledger.c.state,
        ledger.c.answer,
        func.count(),
        func.min(ledger.c.planned_at),
        func.min(ledger.c.next_attempt_at),
        func.min(ledger.c.email),
    )
    .where(OPEN, ledger.c.state != "sending")
    .group_by(ledger.c.state, ledger.c.answer)
    .order_by(func.count().desc(), func.min(ledger.c.planned_at))
)
_OPEN_KEYS = _PAPERS.where(OPEN, ledger.c.email.in_(elements("emails")))


@dataclass(frozen=True, slots=True)
class Backlog:
    """Mails that wait to be sent, for one and the same reason."""

    #: `planned`, `deferred`, `in_doubt` or `held`
    state: LedgerState
    #: the last answer, or why there is none; empty: not known
    reason: str
    #: how many, at least 1
    mails: int
    #: when the oldest was planned
    since: datetime
    #: the first moment at which one may be tried again; None: with the next send
    next_attempt_at: datetime | None
    #: whose one of them is
    email: str


class History:
    """The mail of one state, to look at."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._absorbed = select(alias.c.alias, alias.c.paper).where(
            alias.c.alias.in_(elements("keys")), alias.c.paper != alias.c.alias
        )

    def entered(self, mails: Iterable[MailKey]) -> dict[MailKey, LedgerRow]:
        """The rows of those of the mails, (email, local date), that were ever planned."""
        found: dict[MailKey, LedgerRow] = {}
        with self._database.reading() as connection:
            for which in by_day(mails):
                rows = (LedgerRow(*row) for row in connection.execute(_ENTERED, which))
                found.update(((row.email, row.local_date), row) for row in rows)
        return found

    def seen(self, emails: Iterable[str], *, since: date) -> dict[str, set[str]]:
        """For each address the keys of the papers delivered to it, perhaps none.

        Only local dates from `since` (inclusive) on are looked at: a paper cannot have been delivered before it was
        first seen, so the cost stays that of the last days, however long the history.
        """
        return self._papers(_SEEN, emails, since=since)

    def undelivered(self, emails: Iterable[str], *, since: date) -> dict[str, set[str]]:
        """For each address the keys of the papers whose mail was given up: refused or expired; perhaps none.

        Of local dates from `since` (inclusive) on. A paper may have come with another mail after all: see `seen`.
        """
        return self._papers(_UNDELIVERED, emails, since=since)

    def open_keys(self, emails: Iterable[str]) -> dict[str, set[str]]:
        """For each address the keys of the papers in its mail that is not final, perhaps none."""
        return self._papers(_OPEN_KEYS, emails)

    def backlog(self) -> tuple[Backlog, ...]:
        """What waits and is not being sent, most mails first."""
        with self._database.reading() as connection:
            return tuple(Backlog(*row) for row in connection.execute(_BACKLOG))

    def last_sent(self, emails: Iterable[str], *, since: date, until: datetime) -> dict[str, datetime]:
        """When the newest delivered digest of each address was planned, at `until` at the latest.

        Only local dates from `since` (inclusive) on are looked at, and addresses without a delivery are left out. Notes
        of quiet days are no digests.
        """
        found: dict[str, datetime] = {}
        with self._database.reading() as connection:
            for chunk in chunks(emails):
                rows = connection.execute(_LAST_SENT, {"emails": to_text(chunk), "since": since, "until": until})
                found.update((email, planned_at) for email, planned_at in rows)
        return found

    def sent_after(self, moment: datetime, *, since: date) -> dict[str, datetime]:
        """When the newest mail of each address was delivered, of those delivered at `moment` or later.

        Only local dates from `since` (inclusive) on are looked at.
        """
        with self._database.reading() as connection:
            return dict(iter(connection.execute(_SENT_AFTER, {"moment": moment, "since": since})))

    def delivered(self, emails: Iterable[str], *, since: date) -> dict[str, Delivered]:
        """What each address was sent on local dates from `since` (inclusive) on; those without any paper are left out.

        Papers are named by the keys they had then.
        """
        found: dict[str, Delivered] = {}
        with self._database.reading() as connection:
            for chunk in chunks(emails):
                for email, planned_at, mails in connection.execute(_MAILS, {"emails": to_text(chunk), "since": since}):
                    days = parse(f"[{mails or ''}]")
                    found[email] = Delivered(
                        planned_at, tuple((date.fromisoformat(day), tuple(papers)) for day, papers in days)
                    )
        return found

    def recipient_of(self, message_id: str) -> str | None:
        """The address of the mail with this Message-ID, angle brackets included; None if it is not one of ours."""
        with self._database.reading() as connection:
            return connection.scalar(select(ledger.c.email).where(ledger.c.message_id == message_id))

    def refused_days(self, email: str) -> int:
        """Local days on which this address was refused since its last delivery, and since it was last resumed."""
        last_sent = select(func.max(ledger.c.local_date)).where(ledger.c.email == email, ledger.c.state == "sent")
        forgiven = exists().where(resumption.c.email == email, resumption.c.at >= ledger.c.updated_at)
        refused = select(func.count()).where(
            ledger.c.email == email,
            ledger.c.state == "refused",
            ledger.c.local_date > func.coalesce(last_sent.scalar_subquery(), date.min),
            ~forgiven,
        )
        with self._database.reading() as connection:
            return connection.scalar(refused) or 0

    def _papers(self, query: Select[Any], emails: Iterable[str], **bounds: date) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {email: set() for email in emails}
        with self._database.reading() as connection:
            for chunk in chunks(found):
                for email, papers in connection.execute(query, {"emails": to_text(chunk), **bounds}):
                    found[email].update(*parse(f"[{papers}]"))
            return self._surviving(connection, found)

    def _surviving(self, connection: Connection, papers: dict[str, set[str]]) -> dict[str, set[str]]:
        """The same with present keys: a paper that another has absorbed since counts as the other."""
        keys = json.dumps([key if key.isprintable() else storable(key) for key in set().union(*papers.values())])
        absorbed = dict(iter(connection.execute(self._absorbed, {"keys": keys})))
        for found in papers.values():
            # looks for what was absorbed, a few keys, not for what was found
            if not found.isdisjoint(absorbed):
                gone = found.intersection(absorbed)
                found.difference_update(gone)
                found.update(absorbed[key] for key in gone)
        return papers


def by_day(mails: Iterable[MailKey]) -> Iterator[dict[str, Any]]:
    """Parameters of statements with KEYS that name all the mails, so many at a time as fit into a statement."""
    days: dict[date, list[str]] = {}
    for email, day in mails:
        days.setdefault(day, []).append(email)
    for day, emails in days.items():
        for chunk in chunks(emails):
            yield {"by_day": day, "emails": to_text(chunk)}


def in_order(rows: Iterable[Sequence[Any]]) -> tuple[LedgerRow, ...]:
    """By day and address."""
    found = (LedgerRow(*row) for row in rows)
    return tuple(sorted(found, key=lambda row: (row.local_date, row.email)))
