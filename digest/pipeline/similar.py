"""The papers most like one paper: of all that are known, of what one reader was sent, or of any list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from digest.curate.similar import SimilarIndex
from digest.curate.trend import trends
from digest.pipeline.records import EVER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from digest.curate.semantic import Semantics
    from digest.model import Paper, StoredPaper, Subscriber, Trend
    from digest.state.store import State


@dataclass(frozen=True, slots=True)
class Like:
    """A paper that is like the one asked for."""

    paper: Paper
    #: 0 to 1
    similarity: float
    trend: Trend
    #: when it was published, else first seen; `EVER` if nobody knows
    since: datetime


def sent_to(state: State, reader: Subscriber, archive: Sequence[StoredPaper]) -> Sequence[StoredPaper]:
    """Of the archive what was delivered to a reader, and the newest edition."""
    delivered = state.ledger.seen([reader.email], since=EVER.date())[reader.email]
    newest = max((one.edition for one in archive if one.edition), default=None)
    return [one for one in archive if one.paper.key in delivered or (one.edition and one.edition == newest)]


def others(asked: Paper, archive: Sequence[StoredPaper]) -> Sequence[StoredPaper]:
    """The papers that are not the one asked for under another name, by key."""
    names = {asked.key, *asked.aliases}
    different = (one for one in archive if names.isdisjoint({one.paper.key, *one.paper.aliases}))
    return sorted(different, key=lambda one: one.paper.key)


def most_like(
    asked: Paper,
    archive: Sequence[StoredPaper],
    state: State | None,
    *,
    number: int,
    semantics: Semantics | None,
    now: datetime,
) -> list[Like]:
    """The papers of an archive that are most like one, most like it first.

    Args:
        asked: like which; it is not in the archive.
        archive: all that are compared; first seen at `EVER`: nobody knows when.
        state: knows what sources said of them; None: nobody does.
        number: most papers.
        semantics: what knows other words for the same; None: only words count.
        now: aware; what trends are counted from.
    """
    index = SimilarIndex([asked, *(one.paper for one in archive)], semantics)
    found = [(archive[place - 1], similarity) for place, similarity in index.like(0, number)]
    said = state.papers.signals((one.paper.key for one, _ in found), EVER.date()) if state else {}
    # age cools a paper: one without a date is as young as the others, so that its votes tell
    young = [replace(one, first_seen_at=now) if one.first_seen_at == EVER else one for one, _ in found]
    moving = trends(young, said, now=now)
    return [
        Like(one.paper, similarity, moving[one.paper.key], one.paper.published or one.first_seen_at)
        for one, similarity in found
    ]
