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
    """Why it is not known what the sources have: of the first that was not read, is late, or had nothing in it at all.

    Empty if all is known.
    """
    memories = state.papers.memories()
    patience = _LATELY + timedelta(minutes=settings.daemon.feed_minutes)
    for source in settings.sources:
        reason = doubt(
            memories.get(source.name),
            calendar=KINDS[source.type].announces,
            display=source.name,
            now=now,
            patience=patience,
        )
        if reason or (reason := _emptiness(source.name, state)):
            return reason
    return ""


def _emptiness(name: str, state: State) -> str:
    """That a list held nothing, or nothing that can be read, and no calendar explains it.

    Nobody can tell then whether there is nothing new, or whoever writes the list is broken.
    """
    last = state.runs.verdicts(scope="source", name=name, limit=1)
    return (
        f"{name} brought nothing that could be read" if last and last[0].finding == "empty" and last[0].trouble else ""
    )
