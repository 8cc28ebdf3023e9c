"""What came back, by reader: bounces in, the history of each reader out. What follows from it is decided elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from sqlalchemy import select

from digest.model import BounceKind
from digest.state.schema import bounce

if TYPE_CHECKING:
    from digest.state.database import Database


@dataclass(frozen=True, slots=True)
class StoredBounce:
    """One thing that came back of one reader's mail."""

    #: the reader it is held against
    email: str
    kind: BounceKind
    #: of the mail that came back, with angle brackets; empty if unknown
    message_id: str
    #: when it arrived, aware
    at: datetime
    #: enhanced status code (RFC 3463); empty if there is none
    status: str
    #: what the server said, one line; empty if nothing
    diagnostic: str


class Bounces:
    """The bounces of one state."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._record = database.insert(bounce).on_conflict_do_nothing()

    def record(self, bounces: Iterable[StoredBounce]) -> None:
        """Keep them, all or none. The same one, read again after a crash, is kept once."""
        rows = [asdict(one) for one in bounces]
        if rows:
            with self._database.writing() as connection:
                connection.execute(self._record, rows)

    def histories(self) -> Iterator[tuple[str, tuple[StoredBounce, ...]]]:
        """Each reader of whose mail something came back, by address, with all that is remembered, oldest first.

        One reader is in memory at a time. What was before they were last resumed is forgotten.
        """
        query = select(bounce).order_by(bounce.c.email, bounce.c.at)
        with self._database.reading() as connection:
            rows = connection.execution_options(yield_per=1000).execute(query).mappings()
            for email, own in groupby((StoredBounce(**row) for row in rows), key=attrgetter("email")):
                yield email, tuple(own)
