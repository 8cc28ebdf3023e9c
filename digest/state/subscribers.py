"""Readers who joined at run time, and what all readers have: pauses and tokens.

Readers of the configuration are not stored here, but pauses and tokens are kept by address and work for them too.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, delete, exists, or_, select, update

from digest.model import Subscriber
from digest.state.codec import BodyError, decoder, dumps, parse, to_text
from digest.state.database import chunks, elements
from digest.state.schema import (
    bounce,
    direction,
    feedback,
    interest,
    ledger,
    pause,
    resumption,
    subscriber,
    token,
    verdict,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from digest.state.database import Database

_ADDRESSES = (
    select(subscriber.c.email, token.c.token)
    .outerjoin(token, token.c.email == subscriber.c.email)
    .where(subscriber.c.asked_at.is_(None))
)
_PAGE = (
    select(subscriber.c.email, subscriber.c.body, subscriber.c.asked_at, token.c.token)
    .outerjoin(token, token.c.email == subscriber.c.email)
    .where(subscriber.c.email > bindparam("after"))
    .order_by(subscriber.c.email)
    .limit(bindparam("size"))
)


#: address, and why: one sentence without a full stop
OnUnreadable: TypeAlias = Callable[[str, str], None]
#: what no PostgreSQL takes as text, and so is in nobody's address: NUL, and halves of surrogate pairs
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
#: what readers brought and said
_OWN = (feedback, interest, direction)


@dataclass(frozen=True, slots=True)
class Pause:
    """No mail for one reader."""

    #: first local date with mail again; None: until resumed
    until: date | None
    #: why, one sentence without a full stop
    reason: str
    #: since when
    at: datetime


def new_token() -> str:
    """A name that nobody can guess: 128 random bits, 22 characters that need no quoting in a URL.

    It does not begin with a hyphen, as an option on a command line would.
    """
    while (token := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return token


class Subscribers:
    """The readers of one state.

    Args:
        database: where they are.
        make_token: gives a new unguessable name; the one place where chance comes in.
    """

    def __init__(self, database: Database, *, make_token: Callable[[], str] = new_token) -> None:
        self._database = database
        self._make_token = make_token
        # when they joined stays as it was
        self._put = database.upsert(subscriber, ["body", "asked_at"])
        self._pause = database.upsert(pause)
        self._resume = database.upsert(resumption)
        asked = elements("emails")
        self._pauses = select(pause).where(pause.c.email.in_(asked))
        self._found = select(subscriber.c.email, subscriber.c.body, subscriber.c.asked_at).where(
            subscriber.c.email.in_(asked)
        )
        self._tokens = select(token).where(token.c.email.in_(asked))
        self._forget = [
            *(delete(table).where(table.c.email.in_(asked)) for table in _OWN),
            *(delete(table).where(table.c.email.in_(asked), _is_new(table.c.email)) for table in (token, bounce)),
            delete(verdict).where(verdict.c.scope == "subscriber", verdict.c.name.in_(asked), _is_new(verdict.c.name)),
            delete(subscriber).where(subscriber.c.email.in_(asked)),
        ]
        self._give_token = database.insert(token).on_conflict_do_nothing(index_elements=["email"])

    def put(self, reader: Subscriber, *, now: datetime) -> None:
        """Add the reader, or replace the one with the same address. The token is not part of it: see `tokens`."""
        body = dumps(Subscriber, replace(reader, token="", asked_at=None))
        row = {"email": reader.email, "created_at": now, "body": body, "asked_at": reader.asked_at}
        with self._database.writing() as connection:
            connection.execute(self._put, row)

    def remove(self, email: str) -> bool:
        """Forget a reader, what they said of papers and what they brought; False if there was none.

        Pause, token and ledger stay: a link in an old mail still works, and somebody who asked for silence does not
        get mail again because their address comes back by another way.
        """
        with self._database.writing() as connection:
            if not connection.execute(delete(subscriber).where(subscriber.c.email == email)).rowcount:
                return False
            for table in _OWN:
                connection.execute(delete(table).where(table.c.email == email))
            return True

    def confirm(self, email: str) -> bool:
        """They have said that they want mail; False if they had said so before, or are not here."""
        said = update(subscriber).where(subscriber.c.email == email, subscriber.c.asked_at.is_not(None))
        with self._database.writing() as connection:
            return connection.execute(said.values(asked_at=None)).rowcount > 0

    def forget_unanswered(self, *, before: datetime) -> int:
        """`forget` those who were last asked before then whether they want mail; returns how many they were."""
        if not self._unanswered(before):
            return 0
        # nobody can say so between the look and the deed
        with self._database.transaction():
            emails = self._unanswered(before)
            self.forget(emails)
        return len(emails)

    def forget(self, emails: Iterable[str]) -> None:
        """Forget readers as if they had never been here, with what was said of them in verdicts.

        Of those who ever were planned a mail, or are paused, what `remove` leaves stays: links in old mails work, and
        who asked for silence has it.
        """
        with self._database.writing() as connection:
            for chunk in chunks(emails):
                for statement in self._forget:
                    connection.execute(statement, {"emails": to_text(chunk)})

    def _unanswered(self, before: datetime) -> tuple[str, ...]:
        with self._database.reading() as connection:
            return tuple(connection.scalars(select(subscriber.c.email).where(subscriber.c.asked_at < before)))

    def pages(
        self, size: int = 1000, *, tokens: bool = False, unreadable: OnUnreadable | None = None
    ) -> Iterator[tuple[Subscriber, ...]]:
        """Every reader who joined at run time, by address: some at a time, so that memory does not grow with them.

        Readers may join and leave meanwhile; each comes at most once.

        Args:
            size: most readers of a page.
            tokens: they bring the one that they have.
            unreadable: told of each who cannot be read, and is left out; None: such a one ends it with a StateError.
        """
        after = ""
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(_PAGE, {"after": after, "size": size}).all()
                found = ((*row[:3], (row.token or "") if tokens else "") for row in rows)
                page = tuple(_readers(found, unreadable))
            if page:
                yield page
            if len(rows) < size:
                return
            after = rows[-1].email

    def want_pictures(self) -> bool:
        """Whether anybody who joined at run time wants pictures in the mail.

        Looked for in the texts themselves: reading 100,000 of them takes 3.5 s. A quote within a value is escaped
        there, so nothing else looks like that.
        """
        body = subscriber.c.body
        asked = or_(*(body.contains(f'"images":"{images}"', autoescape=True) for images in ("linked", "embedded")))
        with self._database.reading() as connection:
            return connection.scalar(select(subscriber.c.email).where(asked).limit(1)) is not None

    def addresses(self) -> dict[str, str]:
        """Address → token of every reader who joined at run time; empty for those who have none yet.

        Who has not said yet that they want mail is left out.
        """
        with self._database.reading() as connection:
            return {email: name or "" for email, name in connection.execute(_ADDRESSES)}

    def find(self, emails: Iterable[str], *, unreadable: OnUnreadable | None = None) -> tuple[Subscriber, ...]:
        """Those of these addresses who joined at run time; without tokens. `unreadable`: see `pages`."""
        with self._database.reading() as connection:
            rows = (
                (*row, "")
                for chunk in chunks(_possible(emails))
                for row in connection.execute(self._found, {"emails": to_text(chunk)})
            )
            return tuple(_readers(rows, unreadable))

    def joined(self, email: str) -> datetime | None:
        """When this reader joined at run time; None: they did not."""
        with self._database.reading() as connection:
            at: datetime | None = connection.scalar(select(subscriber.c.created_at).where(subscriber.c.email == email))
        return at

    def asked_at(self, email: str) -> datetime | None:
        """When this reader was asked whether they want mail, and has not said so; also of one who cannot be read."""
        with self._database.reading() as connection:
            at: datetime | None = connection.scalar(select(subscriber.c.asked_at).where(subscriber.c.email == email))
        return at

    def pause(self, email: str, *, until: date | None, reason: str, now: datetime) -> None:
        """No mail before the local date `until`, or until `resume` if None; replaces an earlier pause."""
        with self._database.writing() as connection:
            connection.execute(self._pause, {"email": email, "until": until, "reason": reason, "at": now})

    def resume(self, email: str, *, now: datetime) -> bool:
        """End a pause and forgive what was refused or came back until `now`; False if there was no pause."""
        with self._database.writing() as connection:
            connection.execute(self._resume, {"email": email, "at": now})
            connection.execute(delete(bounce).where(bounce.c.email == email))
            return connection.execute(delete(pause).where(pause.c.email == email)).rowcount > 0

    def pauses(self, emails: Iterable[str] | None = None) -> dict[str, Pause]:
        """Every pause by address, or those of some addresses; those whose date has passed too."""
        with self._database.reading() as connection:
            if emails is None:
                return {row.email: Pause(row.until, row.reason, row.at) for row in connection.execute(select(pause))}
            rows = (
                row
                for chunk in chunks(_possible(emails))
                for row in connection.execute(self._pauses, {"emails": to_text(chunk)})
            )
            return {row.email: Pause(row.until, row.reason, row.at) for row in rows}

    def tokens(self, emails: Iterable[str]) -> dict[str, str]:
        """The token of each address, made and stored when it is asked for the first time."""
        found: dict[str, str] = {}
        for chunk in chunks(emails):
            found |= self._existing_tokens(chunk)
            if missing := [email for email in chunk if email not in found]:
                rows = [{"email": email, "token": self._make_token()} for email in missing]
                with self._database.writing() as connection:
                    connection.execute(self._give_token, rows)
                # read again: another process may have been quicker with some
                found |= self._existing_tokens(missing)
        return found

    def by_token(self, name: str) -> str | None:
        """The address that a token belongs to; None for a stranger's."""
        with self._database.reading() as connection:
            return connection.scalar(select(token.c.email).where(token.c.token == name))

    def _existing_tokens(self, emails: Iterable[str]) -> dict[str, str]:
        with self._database.reading() as connection:
            return {row.email: row.token for row in connection.execute(self._tokens, {"emails": to_text(list(emails))})}


def _possible(emails: Iterable[str]) -> Iterator[str]:
    """Those that may be somebody's; what was typed or listed may be anything."""
    return (email for email in emails if not _NO_TEXT.search(email))


def _is_new(email: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether no mail was ever planned for an address, and no silence asked for."""
    return ~or_(exists().where(ledger.c.email == email), exists().where(pause.c.email == email))


def _readers(
    rows: Iterable[tuple[str, str, datetime | None, str]], unreadable: OnUnreadable | None
) -> Iterator[Subscriber]:
    """Those of these rows: address, text, when they were asked, token."""
    for email, body, asked_at, name in rows:
        try:
            reader = parsed(email, body)
        except BodyError as error:
            if unreadable is None:
                raise
            unreadable(email, str(error).removeprefix(_who(email)))
        else:
            yield reader if asked_at is None and not name else replace(reader, asked_at=asked_at, token=name)


def _who(email: str) -> str:
    return f"subscriber {email}: "


# whoever is planned is looked up again when their mail goes out, a shard later: 35 µs
@lru_cache(maxsize=2048)
def parsed(email: str, body: str) -> Subscriber:
    """The reader of this address in a stored text.

    Raises:
        BodyError: it is of somebody else, or holds what no digest can be planned by; the message names the reader.
    """
    try:
        reader = _decode(parse(body))
        _check(reader, email)
    except BodyError as error:
        message = f"{_who(email)}{error}"
        raise BodyError(message) from error
    return reader


def _check(reader: Subscriber, email: str) -> None:
    if reader.email != email:
        message = f"email: {reader.email[:80]!r} found"
        raise BodyError(message)
    if not reader.days:
        message = "days: there are none"
        raise BodyError(message)
    try:
        ZoneInfo(reader.timezone)
    except (LookupError, ValueError, OSError) as error:  # unknown; `../x`; a folder
        message = f"timezone: there is no {reader.timezone[:80]!r}"
        raise BodyError(message) from error


_decode: Callable[[object], Subscriber] = decoder(Subscriber)
