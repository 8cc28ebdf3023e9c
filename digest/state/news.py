"""What became of papers after they became known, as noticed by pulls; and which of them gather votes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from digest.model import News
from digest.state.database import chunks
from digest.state.schema import alias, news, signal, storable

if TYPE_CHECKING:
    from digest.state.database import Database

_SINCE = (
    # by the paper's present key, should another have absorbed it
    select(alias.c.paper, news.c.at, news.c.kind, news.c.sentence)
    .join(alias, alias.c.alias == news.c.paper)
    .where(news.c.at >= bindparam("moment"))
    .order_by(news.c.at, news.c.paper, news.c.kind)
)
_VOTED = (
    select(signal.c.paper)
    .where(signal.c.day >= bindparam("since"), signal.c.upvotes >= bindparam("least"))
    .distinct()
    .order_by(signal.c.paper)
)
_NAMES = select(alias.c.alias, alias.c.paper).where(alias.c.paper.in_(bindparam("keys", expanding=True)))


class PaperNews:
    """The news of one state."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert(news).on_conflict_do_nothing()

    def record(self, found: Iterable[News]) -> None:
        """Remember what a pull noticed, all or nothing. The papers are stored already."""
        rows = [{"paper": one.key, "at": one.at, "kind": one.kind, "sentence": one.sentence} for one in found]
        if rows:
            with self._database.writing() as connection:
                connection.execute(self._insert, rows)

    def since(self, moment: datetime) -> tuple[News, ...]:
        """What was noticed at `moment` or later, oldest first."""
        with self._database.reading() as connection:
            return tuple(News(*row) for row in connection.execute(_SINCE, {"moment": moment}))

    def voted(self, *, least: int, since: date) -> tuple[str, ...]:
        """Keys of the papers of which some source said on a UTC day from `since` on that they have `least` votes."""
        with self._database.reading() as connection:
            return tuple(connection.scalars(_VOTED, {"least": least, "since": since}))

    def names(self, keys: Iterable[str]) -> dict[str, str]:
        """Every identifier of these papers, by which older mails may know them → key."""
        asked = {storable(key): key for key in keys}
        with self._database.reading() as connection:
            return {
                name: asked[key] for chunk in chunks(asked) for name, key in connection.execute(_NAMES, {"keys": chunk})
            }
