"""What machines wrote of papers, so that they are asked once, and how much they were asked on each day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from digest.state.database import chunks
from digest.state.schema import summary, usage

if TYPE_CHECKING:
    from digest.state.database import Database

_FOUND = select(summary).where(
    summary.c.paper.in_(bindparam("keys", expanding=True)),
    summary.c.language == bindparam("language"),
    summary.c.model == bindparam("model"),
)


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """One summary of one paper as it was then."""

    #: key of the paper
    paper: str
    #: SHA-256 (hex) of the text that was summarised: another text needs another summary
    hash: str
    #: language tag (BCP 47), as asked for
    language: str
    #: the machine's name, as asked for
    model: str
    text: str
    #: when it was written, aware
    at: datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """What was asked of a machine on one day."""

    calls: int = 0
    tokens: int = 0


class Summaries:
    """The summaries of one state."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._put = database.upsert(summary)
        spent = database.insert(usage)
        self._spend = spent.on_conflict_do_update(
            index_elements=list(usage.primary_key),
            set_={name: usage.c[name] + spent.excluded[name] for name in ("calls", "tokens")},
        )

    def get(self, hashes: Mapping[str, str], *, language: str, model: str) -> dict[str, StoredSummary]:
        """Those of the papers whose text has been summarised by this machine in this language, by key.

        Args:
            hashes: SHA-256 (hex) of each paper's text as it is now, by key; a summary of another text does not count.
            language: as it was asked for.
            model: as it was asked for.
        """
        found = {}
        with self._database.reading() as connection:
            for keys in chunks(hashes):
                asked = {"keys": keys, "language": language, "model": model}
                for row in connection.execute(_FOUND, asked).mappings():
                    one = StoredSummary(**row)
                    if hashes.get(one.paper) == one.hash:
                        found[one.paper] = one
        return found

    def put(self, summaries: Iterable[StoredSummary]) -> None:
        """Keep them, all or none; each replaces what was written of the same text in the same way."""
        rows = [asdict(one) for one in summaries]
        if rows:
            with self._database.writing() as connection:
                connection.execute(self._put, rows)

    def spend(self, day: date, model: str, *, calls: int, tokens: int) -> None:
        """Add what was asked of a machine on a UTC day; processes may do so at the same time."""
        row = {"day": day, "model": model, "calls": calls, "tokens": tokens}
        with self._database.writing() as connection:
            connection.execute(self._spend, row)

    def spent(self, day: date, model: str) -> Usage:
        """What was asked of a machine on a UTC day until now."""
        found = select(usage.c.calls, usage.c.tokens).where(usage.c.day == day, usage.c.model == model)
        with self._database.reading() as connection:
            row = connection.execute(found).one_or_none()
        return Usage(*row) if row else Usage()
