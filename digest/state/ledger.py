"""The truth about mail: plan → claim → settle, one row per reader and local day, ever.

The claim is durable before the first byte of the mail goes out, the receipt before the next mail on the same
connection. A crash before the claim leaves the row as it was; after it the row stays in `sending`, and `recover`
makes it `in_doubt`: the mail may have left (RFC 1047). What is claimed again is the same digest with the same
Message-ID.

    planned ──claim──▶ sending ──settle───▶ sent, refused           final
                       │  ▲   └──settle───▶ deferred, in_doubt      claimed again from `next_attempt_at` on
                       │  └───claim────────────┘
                       ├──────recover─────▶ in_doubt, held          the sender died
                       └──(claim)─────────▶ deferred                its contents cannot be read
    held ──release──▶ in_doubt                                      somebody decided to send it after all
    planned, deferred, in_doubt ──expire──▶ expired                 final
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Date, bindparam, func, or_, select, tuple_, update

from digest.errors import StateError
from digest.model import Digest, LedgerRow, LedgerState, Receipt
from digest.state.codec import BodyError, dumps, parse
from digest.state.database import CHUNK, chunks
from digest.state.schema import OPEN, Moment, PlainText, alias, ledger, planned
from digest.state.snapshots import Reader, Writer

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from digest.state.database import Database

_ROW = tuple(
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
_NOW = bindparam("now", type_=Moment())
_KEY = (ledger.c.email == bindparam("by_email"), ledger.c.local_date == bindparam("by_day"))
_CLAIMABLE = (
    ledger.c.state.in_(("planned", "deferred", "in_doubt")),
    or_(ledger.c.next_attempt_at.is_(None), ledger.c.next_attempt_at <= _NOW),
)
_CLAIM = (
    update(ledger)
    .where(*_KEY, *_CLAIMABLE)
    .values(
        state="sending",
        attempts=ledger.c.attempts + 1,
        next_attempt_at=None,
        owner=bindparam("owner"),
        updated_at=_NOW,
    )
    .returning(ledger.c.email)
)
_PLANNED = select(planned.c.body).where(
    planned.c.email == bindparam("by_email"), planned.c.local_date == bindparam("by_day")
)
# what is SET comes with the parameters. A delivered mail stays delivered, whatever a second sender has to say
_SETTLE = update(ledger).where(*_KEY, ledger.c.state != "sent")
_DUE = (
    select(ledger.c.email, ledger.c.local_date)
    .where(
        OPEN,
        *_CLAIMABLE,
        # types named: SQLAlchemy does not look into tuples, and sqlite3's own way with dates is deprecated
        tuple_(ledger.c.local_date, ledger.c.email)
        > tuple_(bindparam("by_day", type_=Date()), bindparam("by_email", type_=PlainText())),
    )
    .order_by(ledger.c.local_date, ledger.c.email)
    .limit(CHUNK)
)
_LATELY = (ledger.c.email.in_(bindparam("emails", expanding=True)), ledger.c.local_date >= bindparam("since"))
_SENT = ledger.c.state == "sent"
_LAST_SENT = select(ledger.c.email, func.max(ledger.c.planned_at)).where(*_LATELY, _SENT).group_by(ledger.c.email)
_SEEN = select(ledger.c.email, ledger.c.papers).where(*_LATELY, _SENT)
_UNDELIVERED = select(ledger.c.email, ledger.c.papers).where(*_LATELY, ledger.c.state.in_(("refused", "expired")))
_OPEN_KEYS = select(ledger.c.email, ledger.c.papers).where(
    OPEN, ledger.c.email.in_(bindparam("emails", expanding=True))
)
_ABSORBED = select(alias.c.alias, alias.c.paper).where(
    alias.c.alias.in_(bindparam("keys", expanding=True)), alias.c.paper != alias.c.alias
)


#: how long a mail waits whose contents cannot be read, for somebody to restore or upgrade what is needed
_UNREADABLE_FOR = timedelta(hours=1)


class Ledger:
    """The mail of one state."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reader = Reader()
        self._plan = (
            database.insert(ledger)
            .on_conflict_do_nothing(index_elements=["email", "local_date"])
            .returning(ledger.c.email, ledger.c.local_date)
        )
        self._plan_body = database.insert(planned).on_conflict_do_nothing()

    # --- the life of a row --------------------------------------------------------------------------------------

    def plan(self, digests: Iterable[tuple[Digest, str]], *, now: datetime) -> set[tuple[str, date]]:
        """Enter digests with their Message-IDs, each durable before the next thousand is asked for.

        Args:
            digests: planned at `now` or before.
            now: when they are entered.

        Returns:
            (email, local date) of those entered; the others had a row for that day already, in whatever state.
        """
        entered: set[tuple[str, date]] = set()
        writer = Writer(self._database)
        for chunk in chunks(digests):
            rows = [_new_row(digest, message_id, now) for digest, message_id in chunk]
            bodies = [_body_row(digest, writer.body(digest)) for digest, _ in chunk]
            with self._database.writing() as connection:
                new = {(email, day) for email, day in connection.execute(self._plan, rows)}
                writer.write(connection, now=now)
                if new:
                    written = [row for row in bodies if (row["email"], row["local_date"]) in new]
                    connection.execute(self._plan_body, written)
            entered |= new
        return entered

    def due(self, now: datetime) -> Iterator[tuple[str, date]]:
        """(email, local date) of what `claim` would give now, oldest day first, then by address.

        Read a thousand at a time, so that rows may change meanwhile; each comes at most once.
        """
        day, email = date.min, ""
        while True:
            with self._database.reading() as connection:
                page = connection.execute(_DUE, {"now": now, "by_day": day, "by_email": email}).all()
            yield from (tuple(row) for row in page)
            if len(page) < CHUNK:
                return
            email, day = page[-1]

    def claim(self, email: str, local_date: date, *, owner: str, now: datetime) -> Digest | None:
        """Take a mail for sending: of all who ask at the same time, in any process, one gets it.

        Args:
            email: whose.
            local_date: of which day.
            owner: who asks, for people: `host:pid`.
            now: rows deferred until later than this are not given.

        Returns:
            the digest as it was planned; None if it is not there, not due, being sent by another, or final. The
            claim is durable on return. None, too, if its contents cannot be read: it is deferred then, its answer
            says why, and the mail behind it goes out.
        """
        key = {"by_email": email, "by_day": local_date}
        with self._database.writing() as connection:
            if connection.scalar(_CLAIM, {**key, "owner": owner, "now": now}) is None:
                return None
            try:
                return self._reader.digest(connection, connection.scalar(_PLANNED, key))
            except BodyError as error:
                answer = f"its contents cannot be read: {error}"
                values = {"state": "deferred", "answer": answer, "next_attempt_at": now + _UNREADABLE_FOR}
                connection.execute(_SETTLE, {**key, **values, "updated_at": now})
                return None

    def settle(
        self,
        email: str,
        local_date: date,
        receipt: Receipt,
        *,
        state: LedgerState,
        next_attempt_at: datetime | None = None,
    ) -> None:
        """Write down what became of a claimed mail; with state `sent` its papers count as seen from now on.

        Args:
            email: whose.
            local_date: of which day.
            receipt: the answer.
            state: what follows from it.
            next_attempt_at: not to be claimed before; None: at once, or never if the state is final.

        Raises:
            StateError: there is no such row.
        """
        values = {
            "state": state,
            "answer": _answer(receipt),
            "next_attempt_at": next_attempt_at,
            "updated_at": receipt.at,
        }
        with self._database.writing() as connection:
            if connection.execute(_SETTLE, {"by_email": email, "by_day": local_date, **values}).rowcount == 0:
                self._check_exists(connection, email, local_date)

    def recover(self, *, now: datetime, in_doubt: Literal["resend", "hold"]) -> tuple[LedgerRow, ...]:
        """Rows left in `sending` by a process that died: `in_doubt` with "resend", `held` with "hold".

        Only for who holds `State.sender_lock`: otherwise these rows may be somebody's who is alive.
        """
        after = {"resend": "in_doubt", "hold": "held"}[in_doubt]
        interrupted = (
            update(ledger)
            .where(OPEN, ledger.c.state == "sending")
            .values(state=after, answer="interrupted while it was being sent by " + ledger.c.owner, updated_at=now)
            .returning(*_ROW)
        )
        with self._database.writing() as connection:
            return _sorted(connection.execute(interrupted))

    def release(self, *, now: datetime) -> tuple[LedgerRow, ...]:
        """Let what is held back be claimed again: `held` becomes `in_doubt`."""
        held = update(ledger).where(OPEN, ledger.c.state == "held").values(state="in_doubt", updated_at=now)
        with self._database.writing() as connection:
            return _sorted(connection.execute(held.returning(*_ROW)))

    def expire(self, now: datetime, after: timedelta) -> tuple[LedgerRow, ...]:
        """Give up what was planned `after` or longer ago and still waits to be sent.

        What is held back stays so: it may have arrived, and its papers would come again if it were given up.
        """
        late = (
            update(ledger)
            .where(OPEN, ledger.c.state.not_in(("sending", "held")), ledger.c.planned_at <= now - after)
            .values(state="expired", next_attempt_at=None, updated_at=now)
            .returning(*_ROW)
        )
        with self._database.writing() as connection:
            return _sorted(connection.execute(late))

    # --- looking ------------------------------------------------------------------------------------------------

    def row(self, email: str, local_date: date) -> LedgerRow | None:
        """The row of one reader and day; None if nothing was planned."""
        query = select(*_ROW).where(*_KEY)
        with self._database.reading() as connection:
            found = connection.execute(query, {"by_email": email, "by_day": local_date}).one_or_none()
        return None if found is None else LedgerRow(*found)

    def rows(self, *, email: str | None = None, since: date | None = None) -> tuple[LedgerRow, ...]:
        """Rows by day and address: of one reader or of all, of local dates from `since` (inclusive) on."""
        query = select(*_ROW)
        if email is not None:
            query = query.where(ledger.c.email == email)
        if since is not None:
            query = query.where(ledger.c.local_date >= since)
        with self._database.reading() as connection:
            return _sorted(connection.execute(query))

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

    def last_sent(self, emails: Iterable[str], *, since: date) -> dict[str, datetime]:
        """When the newest delivered digest of each address was planned.

        Only local dates from `since` (inclusive) on are looked at, and addresses without a delivery are left out.
        """
        found: dict[str, datetime] = {}
        with self._database.reading() as connection:
            for chunk in chunks(emails):
                rows = connection.execute(_LAST_SENT, {"emails": chunk, "since": since})
                found.update((email, planned_at) for email, planned_at in rows)
        return found

    def recipient_of(self, message_id: str) -> str | None:
        """The address of the mail with this Message-ID, angle brackets included; None if it is not one of ours."""
        with self._database.reading() as connection:
            return connection.scalar(select(ledger.c.email).where(ledger.c.message_id == message_id))

    def refused_days(self, email: str) -> int:
        """Local days on which this address was refused since its last delivery; all of them if there was none."""
        last_sent = select(func.max(ledger.c.local_date)).where(ledger.c.email == email, ledger.c.state == "sent")
        refused = select(func.count()).where(
            ledger.c.email == email,
            ledger.c.state == "refused",
            ledger.c.local_date > func.coalesce(last_sent.scalar_subquery(), date.min),
        )
        with self._database.reading() as connection:
            return connection.scalar(refused) or 0

    def _papers(self, query: Select[Any], emails: Iterable[str], **bounds: date) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {email: set() for email in emails}
        with self._database.reading() as connection:
            for chunk in chunks(found):
                for email, papers in connection.execute(query, {"emails": chunk, **bounds}):
                    found[email].update(parse(papers))
            return _surviving(connection, found)

    def _check_exists(self, connection: Connection, email: str, local_date: date) -> None:
        if not connection.execute(select(ledger.c.state).where(*_KEY), {"by_email": email, "by_day": local_date}).all():
            reason = f"there is no mail for {email} on {local_date} to settle"
            raise StateError(self._database.place, reason, hint="was another state restored while mail was sent?")


def _new_row(digest: Digest, message_id: str, now: datetime) -> dict[str, Any]:
    return {
        "email": digest.subscriber.email,
        "local_date": digest.local_date,
        "state": "planned",
        "message_id": message_id,
        "planned_at": digest.planned_at,
        "attempts": 0,
        "owner": "",
        "answer": "",
        "updated_at": now,
        "papers": dumps(tuple[str, ...], tuple(pick.paper.key for pick in digest.picks)),
    }


def _body_row(digest: Digest, body: str) -> dict[str, Any]:
    return {
        "email": digest.subscriber.email,
        "local_date": digest.local_date,
        "planned_at": digest.planned_at,
        "body": body,
    }


def _answer(receipt: Receipt) -> str:
    """One line, whatever the other side sent; the code first if there was one."""
    return " ".join(f"{receipt.code or ''} {receipt.text}".split())


def _sorted(rows: Iterable[Sequence[Any]]) -> tuple[LedgerRow, ...]:
    found = (LedgerRow(*row) for row in rows)
    return tuple(sorted(found, key=lambda row: (row.local_date, row.email)))


def _surviving(connection: Connection, papers: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same with present keys: a paper that another has absorbed since counts as the other."""
    absorbed: dict[str, str] = {}
    for chunk in chunks(set().union(*papers.values())):
        absorbed.update((old, new) for old, new in connection.execute(_ABSORBED, {"keys": chunk}))
    if not absorbed:
        return papers
    return {email: {absorbed.get(key, key) for key in keys} for email, keys in papers.items()}
