"""Papers that readers had before they came: their own lists of references, as far as they brought them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from digest.state.codec import to_text
from digest.state.database import chunks
from digest.state.schema import interest

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
    #: name of the file that it came from, without folders
    source: str
    #: when it was brought, aware
    at: datetime


class Interests:
    """What the readers of one state brought."""

    def __init__(self, database: Database) -> None:
        self._database = database
        new = database.insert(interest)
        self._put = new.on_conflict_do_update(
            index_elements=list(interest.primary_key),
            set_={c.name: new.excluded[c.name] for c in interest.c if not c.primary_key},
        )
        self._of = (
            select(interest)
            .where(interest.c.email.in_(database.elements("emails")))
            .order_by(interest.c.email, interest.c.at, interest.c.item)
        )

    def put(self, items: Iterable[StoredInterest]) -> None:
        """Keep them, all or none; an item that the reader brought before is replaced."""
        with self._database.writing() as connection:
            for chunk in chunks(items):
                connection.execute(self._put, [asdict(one) for one in chunk])

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
            return connection.execute(gone).rowcount
