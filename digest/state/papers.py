"""Papers by any of their identifiers, their signals day by day, and what is remembered of sources.

What goes in are decisions, made by `curate` from what `known` gave; what comes out are the same values. To read,
decide and write as one, do all three inside `State.transaction()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select, update

from digest.model import DaySignals, Paper, Signals, SourceMemory, StoredPaper
from digest.state.codec import dumps, loads
from digest.state.database import chunks
from digest.state.schema import PlainText, alias, paper, signal, snapshot, source, storable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from digest.state.database import Database

_PAPER = (paper.c.body, paper.c.first_seen_at, paper.c.edition)
_KNOWN = (
    select(alias.c.alias, *_PAPER)
    .join(paper, alias.c.paper == paper.c.key)
    .where(alias.c.alias.in_(bindparam("identifiers", expanding=True)))
)
_SINCE = (
    select(*_PAPER).where(paper.c.first_seen_at >= bindparam("moment")).order_by(paper.c.first_seen_at, paper.c.key)
)
_EDITION = select(*_PAPER).where(paper.c.edition == bindparam("day")).order_by(paper.c.first_seen_at, paper.c.key)
_EDITIONS = select(paper.c.edition, func.count()).where(paper.c.edition.is_not(None)).group_by(paper.c.edition)
_SIGNALS = (
    select(signal)
    .where(signal.c.paper.in_(bindparam("keys", expanding=True)), signal.c.day >= bindparam("since"))
    .order_by(signal.c.day, signal.c.source)
)
_BODIES = select(paper.c.key, paper.c.body, paper.c.first_seen_at).where(paper.c.edition == bindparam("day"))
_SAID = (select(signal).join(paper, signal.c.paper == paper.c.key).where(paper.c.edition == bindparam("day"))).order_by(
    signal.c.paper, signal.c.day, signal.c.source
)
_LISTED = (
    select(paper.c.edition, paper.c.key)
    .where(paper.c.edition.is_not(None))
    .order_by(paper.c.edition, paper.c.first_seen_at, paper.c.key)
)
_KEYS = select(paper.c.key).where(paper.c.key.in_(bindparam("keys", expanding=True)))
# from an index, which the ledger has not: what is forgotten of this is older than a day, and never the newest while it
# is later than what the clock says
_NEWEST_DIGEST = select(func.max(snapshot.c.last_planned_at))
_COUNTS = ("upvotes", "comments", "stars", "position")


@dataclass(frozen=True, slots=True)
class Print:
    """What tells whether a paper changed: the same for the same paper, another for another (to 96 bits)."""

    #: of what it is: title, authors, abstract, links, …
    text: str
    #: of that, and of all that was said about it
    whole: str


class Papers:
    """The papers of one state."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._upsert_paper = database.upsert(paper)
        self._upsert_alias = database.upsert(alias)
        self._upsert_signal = database.upsert(signal)
        self._upsert_source = database.upsert(source)
        self._absorb = _absorb(database)

    def known(self, identifiers: Iterable[str]) -> dict[str, StoredPaper]:
        """Those of the identifiers (keys or aliases) that are known, each with its paper."""
        found: dict[str, StoredPaper] = {}
        with self._database.reading() as connection:
            for chunk in chunks(set(identifiers)):
                asked = {storable(identifier): identifier for identifier in chunk}
                for identifier, *row in connection.execute(_KNOWN, {"identifiers": chunk}):
                    found[asked[identifier]] = _stored(row)
        return found

    def get(self, identifier: str) -> StoredPaper | None:
        """The paper with this key or alias; None if it is unknown."""
        return self.known([identifier]).get(identifier)

    def since(self, moment: datetime) -> tuple[StoredPaper, ...]:
        """Papers first seen at `moment` or later, oldest first."""
        with self._database.reading() as connection:
            return tuple(_stored(row) for row in connection.execute(_SINCE, {"moment": moment}))

    def edition(self, day: date) -> tuple[StoredPaper, ...]:
        """The papers of the edition of `day` (UTC), oldest first."""
        with self._database.reading() as connection:
            return tuple(_stored(row) for row in connection.execute(_EDITION, {"day": day}))

    def editions(self) -> dict[date, int]:
        """How many papers each edition (UTC day) has, oldest first; days without papers are left out."""
        with self._database.reading() as connection:
            return dict(iter(connection.execute(_EDITIONS.order_by(paper.c.edition))))

    def prints(self, day: date) -> dict[str, Print]:
        """By key, a print of each paper of the edition of `day` (UTC), oldest first; bodies are not decoded."""
        with self._database.reading() as connection:
            said: dict[str, list[Any]] = {}
            for row in connection.execute(_SAID, {"day": day}):
                said.setdefault(row.paper, []).append(tuple(row))
            rows = connection.execute(_BODIES.order_by(paper.c.first_seen_at, paper.c.key), {"day": day})
            return {key: _print(key, body, first_seen_at, said.get(key, ())) for key, body, first_seen_at in rows}

    def listed(self) -> dict[date, tuple[str, ...]]:
        """The keys of the papers of each edition (UTC day), oldest first."""
        found: dict[date, list[str]] = {}
        with self._database.reading() as connection:
            for day, key in connection.execute(_LISTED):
                found.setdefault(day, []).append(key)
        return {day: tuple(keys) for day, keys in found.items()}

    def signals(self, keys: Iterable[str], since: date) -> dict[str, tuple[DaySignals, ...]]:
        """For each of the keys what was said about it on `since` (UTC day) and later, oldest first; perhaps ()."""
        history: dict[str, list[DaySignals]] = {key: [] for key in keys}
        with self._database.reading() as connection:
            for chunk in chunks(history):
                asked = {storable(key): key for key in chunk}
                for row in connection.execute(_SIGNALS, {"keys": chunk, "since": since}):
                    counts = Signals(row.upvotes, row.comments, row.stars, row.position)
                    history[asked[row.paper]].append(DaySignals(row.source, row.day, counts, row.at))
        return {key: tuple(days) for key, days in history.items()}

    def memories(self) -> dict[str, SourceMemory]:
        """What is remembered of every source ever pulled, by name."""
        with self._database.reading() as connection:
            return {name: loads(SourceMemory, memory) for name, memory in connection.execute(select(source))}

    def store(
        self,
        stored: Iterable[StoredPaper],
        *,
        signals: Iterable[tuple[str, DaySignals]] = (),
        memories: Iterable[SourceMemory] = (),
        absorbed: Mapping[str, str] | None = None,
    ) -> None:
        """Write what one pull decided, all or nothing.

        Args:
            stored: new papers, and known ones as they should be from now on. A new paper is never older than the
                newest digest on record, whatever the clock said: it cannot have been in that, and would be news for
                nobody.
            signals: (key, what a source said on a day); replaces what that source said before on that day, so that of
                several readings a day the last one is kept. The papers are in `stored` or known.
            memories: one per source, as it should be from now on.
            absorbed: keys that turned out to name a work known under another key → that key. Their identifiers
                and signals become the other's, and what was delivered under them counts as the other.
        """
        papers = tuple(stored)
        with self._database.transaction() as connection:
            rows = [_paper_row(one) for one in _after_digests(connection, papers, (absorbed or {}).values())]
            _execute(connection, self._upsert_paper, rows)
            for old, key in (absorbed or {}).items():
                for statement in self._absorb:
                    connection.execute(statement, {"old": old, "new": key})
            _execute(connection, self._upsert_alias, [row for one in papers for row in _alias_rows(one.paper)])
            _execute(connection, self._upsert_signal, [_signal_row(key, said) for key, said in signals])
            _execute(connection, self._upsert_source, [_source_row(memory) for memory in memories])


def _execute(connection: Connection, statement: Any, rows: list[dict[str, Any]]) -> None:
    """SQLAlchemy takes an empty list for "no parameters" and would write a row of nothing."""
    if rows:
        connection.execute(statement, rows)


def _after_digests(
    connection: Connection, papers: Sequence[StoredPaper], renamed: Iterable[str]
) -> Sequence[StoredPaper]:
    """The papers, those that are not known yet first seen after the newest digest was planned.

    Known are also those that go by a better key from now on.
    """
    newest = connection.scalar(_NEWEST_DIGEST)
    if newest is None or all(one.first_seen_at > newest for one in papers):
        return papers
    keys = [one.paper.key for one in papers]
    known = {key for chunk in chunks(keys) for key in connection.scalars(_KEYS, {"keys": chunk})}
    known |= {storable(key) for key in renamed}
    after = newest + timedelta(microseconds=1)
    return [
        one if storable(one.paper.key) in known else replace(one, first_seen_at=max(one.first_seen_at, after))
        for one in papers
    ]


def _absorb(database: Database) -> tuple[Any, ...]:
    """Statements that give everything of the paper `:old` to `:new`; what the latter has already, it keeps."""
    old: Any = bindparam("old")
    others = [column for column in signal.c if column.name != "paper"]
    signals = select(bindparam("new", type_=PlainText()), *others).where(signal.c.paper == old)
    copied = database.insert(signal).from_select(["paper", *(column.name for column in others)], signals)
    return (
        update(alias).where(alias.c.paper == old).values(paper=bindparam("new")),
        copied.on_conflict_do_nothing(),
        delete(signal).where(signal.c.paper == old),
        delete(paper).where(paper.c.key == old),
    )


def _stored(row: Sequence[Any]) -> StoredPaper:
    body, first_seen_at, edition = row
    return StoredPaper(loads(Paper, body), first_seen_at, edition)


def _print(key: str, body: str, first_seen_at: datetime, said: Sequence[Any]) -> Print:
    # a field of its own: within a text its quotation marks would be escaped
    before, _, after = body.partition(',"signals":{')
    return Print(
        _hash(key, before, after.partition("}")[2]), _hash(key, body, first_seen_at.isoformat(), *map(repr, said))
    )


def _hash(*parts: str) -> str:
    return blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=12).hexdigest()


def _paper_row(stored: StoredPaper) -> dict[str, Any]:
    return {
        "key": stored.paper.key,
        "first_seen_at": stored.first_seen_at,
        "edition": stored.edition,
        "body": dumps(Paper, stored.paper),
    }


def _alias_rows(one: Paper) -> list[dict[str, Any]]:
    return [{"alias": identifier, "paper": one.key} for identifier in (one.key, *one.aliases)]


def _signal_row(key: str, said: DaySignals) -> dict[str, Any]:
    counts = {name: getattr(said.signals, name) for name in _COUNTS}
    return {"paper": key, "source": said.source, "day": said.day, "at": said.at, **counts}


def _source_row(memory: SourceMemory) -> dict[str, Any]:
    return {"name": memory.name, "memory": dumps(SourceMemory, memory)}
