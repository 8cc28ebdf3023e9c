"""Papers that readers had before they came: their own lists of references, as far as they brought them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from digest.state.codec import parse, to_text
from digest.state.database import chunks, elements
from digest.state.schema import direction, interest

if TYPE_CHECKING:
    from digest.state.database import Database


@dataclass(frozen=True, slots=True)
class StoredInterest:
    """One paper that one reader brought."""

    #: the reader
    email: str
    #: tells the items of one reader apart: the key, or the folded title
    item: str
    #: one line
    title: str
    #: empty: unknown
    abstract: str
    #: canonical key; None: the list does not tell
    paper: str | None
    #: how much it counts among the reader's items, above 0
    weight: float
    #: path of the file that it came from; of what was brought to digest 0.1 at first, its name alone
    source: str
    #: when it was brought, aware
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredDirection:
    """What one reader brought, as one: see `digest.curate.profile.Direction`."""

    #: the reader
    email: str
    #: of the way in which it was made
    version: int
    #: of the run in which it was made
    papers: int
    #: keys of the interests of which no more was known, and which are not in it
    waiting: tuple[str, ...]
    #: separated by spaces
    stems: str
    #: two for each stem, all the first ones before all the second ones: 32-bit floats, little-endian
    numbers: bytes


class Interests:
    """What the readers of one state brought."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._put = database.upsert(interest)
        self._put_direction = database.upsert(direction)
        self._directions = select(direction).where(direction.c.email.in_(elements("emails")))
        self._outdated = delete(direction).where(direction.c.email.in_(elements("emails")))
        self._of = (
            select(interest)
            .where(interest.c.email.in_(elements("emails")))
            .order_by(interest.c.email, interest.c.at, interest.c.item)
        )

    def put(self, items: Iterable[StoredInterest]) -> None:
        """Keep them, all or none; an item that the reader brought before is replaced."""
        with self._database.writing() as connection:
            for chunk in chunks(items):
                connection.execute(self._put, [asdict(one) for one in chunk])
                connection.execute(self._outdated, {"emails": to_text(list({one.email for one in chunk}))})

    def of(self, emails: Iterable[str]) -> dict[str, tuple[StoredInterest, ...]]:
        """What those of the readers who brought anything brought, oldest first."""
        found = {}
        with self._database.reading() as connection:
            for chunk in chunks(emails):
                rows = connection.execute(self._of, {"emails": to_text(list(chunk))}).mappings()
                for email, own in groupby((StoredInterest(**row) for row in rows), key=attrgetter("email")):
                    found[email] = tuple(own)
        return found

    def readers(self) -> frozenset[str]:
        """Those who brought anything."""
        with self._database.reading() as connection:
            return frozenset(connection.scalars(select(interest.c.email).distinct()))

    def clear(self, email: str, *, source: str | None = None) -> int:
        """Forget what a reader brought, or only what is from one file; returns how many items."""
        gone = delete(interest).where(interest.c.email == email)
        if source is not None:
            gone = gone.where(interest.c.source == source)
        with self._database.writing() as connection:
            connection.execute(self._outdated, {"emails": to_text([email])})
            return connection.execute(gone).rowcount

    def directions(self, emails: Iterable[str]) -> dict[str, StoredDirection]:
        """Those that were kept of these readers, and follow from what they have brought until now."""
        found = {}
        with self._database.reading() as connection:
            for chunk in chunks(emails):
                for row in connection.execute(self._directions, {"emails": to_text(list(chunk))}):
                    email, version, papers, waiting, *made = row
                    found[email] = StoredDirection(email, version, papers, tuple(parse(waiting)), *made)
        return found

    def keep(self, made: Iterable[tuple[StoredDirection, Sequence[StoredInterest]]]) -> None:
        """Keep directions, each with what it was made of, but for readers who have brought or cleared some since."""
        made = tuple(made)
        with self._database.transaction() as connection:
            brought = self.of(one.email for one, _ in made)
            rows = [
                {**asdict(one), "waiting": to_text(one.waiting)}
                for one, items in made
                if brought.get(one.email) == tuple(items)
            ]
            for chunk in chunks(rows):
                connection.execute(self._put_direction, list(chunk))
