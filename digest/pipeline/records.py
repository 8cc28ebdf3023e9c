"""From the state, the papers that are published."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from digest.curate.query import parse
from digest.curate.rank import Ranking
from digest.publish.record import Record, by_votes, record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.model import StoredPaper
    from digest.state.store import State

#: before everything that anybody remembers
EVER = datetime(1, 1, 1, tzinfo=UTC)


def records(state: State, stored: Sequence[StoredPaper]) -> list[Record]:
    """The papers with all that was said about them, in their order."""
    history = state.papers.signals([one.paper.key for one in stored], EVER.date())
    return [record(one, history[one.paper.key]) for one in stored]


def edition_records(state: State, day: date) -> list[Record]:
    """The papers of an edition (UTC day), the most voted for first."""
    return by_votes(records(state, state.papers.edition(day)))


def found_records(state: State, entry: str) -> list[Record]:
    """All known papers that a keyword entry matches, best first.

    Raises:
        QueryError: the entry cannot be read.
    """
    query = parse(entry)
    stored = {one.paper.key: one for one in state.papers.since(EVER)}
    hits = Ranking([one.paper for one in stored.values()]).matching(query)
    return records(state, [stored[hit.paper.key] for hit in hits])
