"""Whether it is known that there was nothing: a reader is told so only then."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from digest.collect import KINDS
from digest.curate.freshness import doubt

if TYPE_CHECKING:
    from datetime import datetime

    from digest.config import Settings
    from digest.state.store import State

#: how long ago a source without a calendar may have been read at most, beside the daemon's own interval
_LATELY = timedelta(days=1)


def doubts(settings: Settings, state: State, *, now: datetime) -> str:
    """Why it is not known what the sources have: of the first that was not read, or is late; empty if all is known."""
    memories = state.papers.memories()
    patience = _LATELY + timedelta(minutes=settings.daemon.feed_minutes)
    reasons = (
        doubt(
            memories.get(source.name),
            calendar=KINDS[source.type].announces,
            display=source.name,
            now=now,
            patience=patience,
        )
        for source in settings.sources
    )
    return next(filter(None, reasons), "")
