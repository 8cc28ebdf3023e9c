"""Which of the configured sources fail at present, since when and why, from the runs on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.notice import Outage, outage

if TYPE_CHECKING:
    from datetime import datetime

    from digest.config import Settings
    from digest.state.store import State


def failing_sources(settings: Settings, state: State, *, now: datetime) -> tuple[Outage, ...]:
    """Those whose last pull failed, at least in part, in the order of the configuration.

    Args:
        settings: names the sources; others are nobody's concern any more.
        state: remembers how often each has failed in a row.
        now: aware; what a clock that was ahead dated later does not count.
    """
    memories = state.papers.memories()
    failures = {one.name: memories[one.name].failures for one in settings.sources if one.name in memories}
    found = (
        outage(state.runs.verdicts(scope="source", name=name, until=now, limit=count))
        for name, count in failures.items()
        if count
    )
    return tuple(one for one in found if one)
