"""The truth about mail: plan → claim → settle, one row per reader and local day, ever.

The claim is durable before the first byte of the mail goes out, the receipt before the next mail on the same
connection. A crash before the claim leaves the row as it was; after it the row stays in `sending`, and `recover`
makes it `in_doubt`: the mail may have left (RFC 1047). What is claimed again is the same digest with the same
Message-ID.

    planned ──claim──▶ sending ──settle───▶ sent, refused           final
                       │  ▲   └──settle───▶ deferred, in_doubt      claimed again from `next_attempt_at` on
                       │  └───claim────────────┘
                       ├──release_claims──▶ planned, deferred, in_doubt  as before: it was never offered to a server
                       ├──────recover─────▶ in_doubt, held          the sender died
                       └──(claim)─────────▶ deferred                its contents cannot be read
    held ──release──▶ in_doubt                                      somebody decided to send it after all
    deferred, in_doubt ──hasten──▶ as before, at once               put off while the clock was ahead
    planned ──postpone──▶ deferred                                  its recipient's server asked for patience
    planned, deferred, in_doubt ──expire──▶ expired                 final
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Date, bindparam, case, insert, or_, select, tuple_, update

from digest.errors import StateError
from digest.model import Digest, LedgerRow, LedgerState, MailKey, Receipt
from digest.state.bulk import Bulk
from digest.state.codec import BodyError, dumps, to_text
from digest.state.database import CHUNK, chunks, elements
from digest.state.history import KEY, KEYS, ROW, History, by_day, in_order
from digest.state.schema import OPEN, Moment, PlainText, ledger, planned
from digest.state.snapshots import Body, Reader, Writer

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from digest.state.database import Database

#: states of a mail that may be claimed
Waiting = Literal["planned", "deferred", "in_doubt"]

_NOW = bindparam("now", type_=Moment())
_WAITING = ledger.c.state.in_(("planned", "deferred", "in_doubt"))
_CLAIMABLE = (_WAITING, or_(ledger.c.next_attempt_at.is_(None), ledger.c.next_attempt_at <= _NOW))
_CLAIMED = (
    select(ledger.c.email, ledger.c.local_date, ledger.c.state, ledger.c.attempts)
    .where(*KEYS, *_CLAIMABLE)
    .with_for_update()
)
_CLAIM = (
    update(ledger)
    .where(*KEYS, *_CLAIMABLE)
    .values(
        state="sending",
        attempts=ledger.c.attempts + 1,
        next_attempt_at=None,
        owner=bindparam("owner"),
        updated_at=_NOW,
    )
)
_PLANNED = select(planned.c.email, planned.c.local_date, planned.c.body).where(
    planned.c.local_date == bindparam("by_day"), planned.c.email.in_(elements("emails"))
)
_EXISTING = select(ledger.c.email, ledger.c.local_date).where(*KEYS)
_NEW = insert(ledger).values(
    email=bindparam("email"),
    local_date=bindparam("local_date"),
    state="planned",
    message_id=bindparam("message_id"),
    planned_at=bindparam("planned_at"),
    attempts=0,
    owner="",
    answer="",
    updated_at=bindparam("updated_at"),
    papers=bindparam("papers"),
)
_UNCLAIM = (
    update(ledger)
    .where(*KEY, ledger.c.state == "sending", ledger.c.attempts == bindparam("claimed"))
    .values(state=bindparam("before"), attempts=ledger.c.attempts - 1, updated_at=_NOW)
)
_UNTIL = bindparam("until", type_=Moment())
_POSTPONE = (
    update(ledger)
    .where(*KEYS, _WAITING)
    .values(
        # what may have arrived stays in doubt
        state=case((ledger.c.state == "in_doubt", "in_doubt"), else_="deferred"),
        next_attempt_at=case((ledger.c.next_attempt_at > _UNTIL, ledger.c.next_attempt_at), else_=_UNTIL),
        answer=bindparam("reason", type_=PlainText()),
        updated_at=_NOW,
    )
)
# what is SET comes with the parameters. A delivered mail stays delivered, whatever a second sender has to say
_SETTLE = update(ledger).where(*KEY, ledger.c.state != "sent")
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

#: how long a mail waits whose contents cannot be read, for somebody to restore or upgrade what is needed
_UNREADABLE_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail taken for sending."""

    #: as it was planned
    digest: Digest
    #: how often it was claimed, this time included; from 1
    attempts: int
    #: what it was before, and is again if the claim is released
    before: Waiting


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claimed mail."""

    email: str
    local_date: date
    #: the answer
    receipt: Receipt
    #: what follows from it
    state: LedgerState
    #: not to be claimed before; None: at once, or never if the state is final
    next_attempt_at: datetime | None = None


class Ledger(History):
    """The mail of one state."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._reader = Reader()
        self._writer = Writer(database)
        self._new_rows = Bulk(database, _NEW)
        self._new_bodies = Bulk(database, insert(planned), ("email", "local_date", "planned_at", "body"))
        self._settled = Bulk(database, _SETTLE, ("state", "answer", "next_attempt_at", "updated_at"))
        self._unclaimed = Bulk(database, _UNCLAIM)

    # --- the life of a row --------------------------------------------------------------------------------------

    def plan(self, digests: Iterable[tuple[Digest, str]], *, now: datetime) -> set[MailKey]:
        """Enter digests with their Message-IDs, each durable before the next thousand is asked for.

        Args:
            digests: planned at `now` or before.
            now: when they are entered.

        Returns:
            (email, local date) of those entered; the others had a row for that day already, in whatever state.
        """
        entered: set[MailKey] = set()
        for chunk in chunks(digests):
            # written before the transaction, so that others need not wait for it
            new = {
                (digest.subscriber.email, digest.local_date): (digest, name, self._writer.body(digest))
                for digest, name in reversed(chunk)
            }
            with self._database.transaction() as connection:
                for key in _existing(connection, new):
                    del new[key]
                if new:
                    self._enter(connection, new.values(), now=now)
            if not self._database.in_transaction:
                self._writer.written([body for _, _, body in new.values()], now=now)
            entered |= new.keys()
        return entered

    def _enter(self, connection: Connection, mails: Collection[tuple[Digest, str, Body]], *, now: datetime) -> None:
        digests, names, bodies = zip(*mails, strict=True)
        mail: dict[str, list[Any]] = {
            "email": [digest.subscriber.email for digest in digests],
            "local_date": [digest.local_date for digest in digests],
            "planned_at": [digest.planned_at for digest in digests],
        }
        papers = [_papers(digest) for digest in digests]
        self._new_rows.execute(connection, mail | {"message_id": names, "papers": papers}, updated_at=now)
        self._writer.write(connection, bodies, now=now)
        self._new_bodies.execute(connection, mail | {"body": [body.text for body in bodies]})

    def due(self, now: datetime) -> Iterator[MailKey]:
        """(email, local date) of what `claim_all` would give now, oldest day first, then by address.

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

    def claim_all(
        self, mails: Iterable[MailKey], *, owner: str, now: datetime, known: Mapping[MailKey, Digest] | None = None
    ) -> dict[MailKey, Claim]:
        """Take mails for sending: of all who ask for one at the same time, in any process, one gets it.

        Args:
            mails: (email, local date) of each.
            owner: who asks, for people: `host:pid`.
            now: rows deferred until later than this are not given.
            known: digests that this process planned a moment ago; they are not read again.

        Returns:
            those taken, in the order asked for; the claims are durable on return. The others are not there, not due,
            being sent by another, or final. Or their contents cannot be read: such a mail is deferred, its answer
            says why, and the mail behind it goes out.
        """
        known, wanted = known or {}, tuple(mails)
        claims: dict[MailKey, Claim] = {}
        with self._database.transaction() as connection:
            found: dict[MailKey, tuple[Waiting, int]] = {}
            for which in by_day(wanted):
                rows = connection.execute(_CLAIMED, {**which, "now": now})
                if taken := {(email, day): (before, attempts) for email, day, before, attempts in rows}:
                    claimed = {"by_day": which["by_day"], "emails": to_text([email for email, _ in taken])}
                    connection.execute(_CLAIM, {**claimed, "now": now, "owner": owner})
                    found |= taken
            bodies = self._bodies(connection, found.keys() - known.keys())
            for key in wanted:
                if key not in found:
                    continue
                before, attempts = found[key]
                try:
                    digest = known.get(key) or self._reader.digest(connection, bodies.get(key))
                except BodyError as error:
                    _set_aside(connection, key, f"its contents cannot be read: {error}", now=now)
                else:
                    claims[key] = Claim(digest, attempts + 1, before)
        return claims

    def release_claims(self, claims: Mapping[MailKey, Claim], *, now: datetime) -> None:
        """Give back what was claimed and never offered to any server: it is what it was before, without an attempt."""
        with self._database.writing() as connection:
            self._unclaimed.execute(
                connection,
                {
                    "by_email": [email for email, _ in claims],
                    "by_day": [day for _, day in claims],
                    "claimed": [claim.attempts for claim in claims.values()],
                    "before": [claim.before for claim in claims.values()],
                },
                now=now,
            )

    def settle_all(self, settlements: Collection[Settlement]) -> None:
        """Write down what became of claimed mails; of those `sent`, the papers count as seen from now on.

        All are durable on return. What was sent stays sent, whatever a second sender has to say.

        Raises:
            StateError: there is no row for one of them; the others are written.
        """
        missing: set[MailKey] = set()
        columns: dict[str, list[Any]] = {
            "by_email": [one.email for one in settlements],
            "by_day": [one.local_date for one in settlements],
            "state": [one.state for one in settlements],
            "answer": [_answer(one.receipt) for one in settlements],
            "next_attempt_at": [one.next_attempt_at for one in settlements],
            "updated_at": [one.receipt.at for one in settlements],
        }
        with self._database.writing() as connection:
            if self._settled.execute(connection, columns) < len(settlements):
                keys = {(one.email, one.local_date) for one in settlements}
                missing = keys - _existing(connection, keys)
        if missing:
            email, day = min(missing)
            reason = f"there is no mail for {email} on {day} to settle"
            raise StateError(self._database.place, reason, hint="was another state restored while mail was sent?")

    def postpone(self, mails: Iterable[MailKey], *, until: datetime, reason: str, now: datetime) -> None:
        """Let mails wait without an attempt, because their recipients' server asked for patience.

        Those planned become deferred, those in doubt stay so; none is claimed before `until`, or before the later
        moment for which it waits already. What is being sent, held or final is left as it is.

        Args:
            mails: (email, local date) of each.
            until: first moment at which they may be claimed.
            reason: becomes their answer, one line.
            now: when this is decided.
        """
        with self._database.writing() as connection:
            for which in by_day(mails):
                connection.execute(_POSTPONE, {**which, "until": until, "reason": _line(reason), "now": now})

    def recover(self, *, now: datetime, in_doubt: Literal["resend", "hold"]) -> tuple[LedgerRow, ...]:
        """Rows left in `sending` by a process that died: `in_doubt` with "resend", `held` with "hold".

        Only for who holds `State.sender_lock`: otherwise these rows may be somebody's who is alive.
        """
        after = {"resend": "in_doubt", "hold": "held"}[in_doubt]
        interrupted = (
            update(ledger)
            .where(OPEN, ledger.c.state == "sending")
            .values(state=after, answer="interrupted while it was being sent by " + ledger.c.owner, updated_at=now)
            .returning(*ROW)
        )
        with self._database.writing() as connection:
            return in_order(connection.execute(interrupted))

    def hasten(self, *, now: datetime, within: timedelta) -> None:
        """Let nothing wait longer than `within` from now: what does was put off while the clock was ahead."""
        longer = (OPEN, ledger.c.next_attempt_at > now + within)
        with self._database.writing() as connection:
            connection.execute(update(ledger).where(*longer).values(next_attempt_at=None, updated_at=now))

    def release(self, *, now: datetime) -> tuple[LedgerRow, ...]:
        """Let what is held back be claimed again: `held` becomes `in_doubt`."""
        held = update(ledger).where(OPEN, ledger.c.state == "held").values(state="in_doubt", updated_at=now)
        with self._database.writing() as connection:
            return in_order(connection.execute(held.returning(*ROW)))

    def expire(self, now: datetime, after: timedelta) -> tuple[LedgerRow, ...]:
        """Give up what was planned `after` or longer ago and still waits to be sent.

        What is held back stays so: it may have arrived, and its papers would come again if it were given up.
        """
        late = (
            update(ledger)
            .where(OPEN, ledger.c.state.not_in(("sending", "held")), ledger.c.planned_at <= now - after)
            .values(state="expired", next_attempt_at=None, updated_at=now)
            .returning(*ROW)
        )
        with self._database.writing() as connection:
            return in_order(connection.execute(late))

    def _bodies(self, connection: Connection, keys: Iterable[MailKey]) -> dict[MailKey, str]:
        rows = (row for which in by_day(keys) for row in connection.execute(_PLANNED, which))
        return {(email, day): body for email, day, body in rows}


def _existing(connection: Connection, keys: Iterable[MailKey]) -> set[MailKey]:
    return {(email, day) for which in by_day(keys) for email, day in connection.execute(_EXISTING, which)}


def _set_aside(connection: Connection, key: MailKey, answer: str, *, now: datetime) -> None:
    """Defer a claimed mail whose contents cannot be read."""
    email, day = key
    values = {"state": "deferred", "answer": answer, "next_attempt_at": now + _UNREADABLE_FOR, "updated_at": now}
    connection.execute(_SETTLE, {"by_email": email, "by_day": day, **values})


def _papers(digest: Digest) -> str:
    return dumps(tuple[str, ...], tuple([pick.paper.key for pick in digest.picks]))


def _answer(receipt: Receipt) -> str:
    """The code first if there was one."""
    return _line(f"{receipt.code or ''} {receipt.text}")


def _line(text: str) -> str:
    """One line, whatever the other side sent."""
    return " ".join(text.split())
