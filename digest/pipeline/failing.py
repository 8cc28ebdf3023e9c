"""Which of the configured sources fail at present, since when and why, from the runs on record."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from digest.notice import Outage, outage

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.model import RunReport, Verdict
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


def told_today(state: State, pulled: RunReport) -> frozenset[str]:
    """Sentences of trouble with sources and GitHub that an earlier pull of the same UTC day told, but for how often.

    Cron runs every half an hour, and would mail its owner as often for one source that is down.

    Args:
        state: knows the earlier pulls.
        pulled: by a pull that is on record already.
    """
    began = pulled.started_at.astimezone(UTC)
    midnight = datetime.combine(began, time(), tzinfo=UTC)
    until = began - timedelta(microseconds=1)
    before = state.runs.verdicts(scope="source", since=midnight, until=until)
    before += state.runs.verdicts(scope="github", since=midnight, until=until)
    reasons = {_reason(verdict) for verdict in before if verdict.trouble}
    return frozenset(verdict.sentence for verdict in pulled.verdicts if _reason(verdict) in reasons)


def _reason(verdict: Verdict) -> str:
    """Which source, and the reason; what the rest brought and how often it failed stand behind that."""
    return verdict.sentence.partition("; ")[0]
