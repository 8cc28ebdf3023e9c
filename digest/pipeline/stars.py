"""Read the stars of papers' repositories from GitHub and store them: one more source of signals, if so configured."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING

from digest.collect.github import BadToken, read_allowance, read_stars, repository
from digest.model import DaySignals, RunReport, Signals, SourceMemory, Validators, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from digest.collect.github import Allowance
    from digest.collect.http import HttpPolicy
    from digest.config import Settings
    from digest.config.schema import GithubSection
    from digest.model import StoredPaper
    from digest.state.store import State

#: as which they are remembered; between brackets, so that no source is likely to have the name
GITHUB = "[github]"
_NONE = Validators()
#: GitHub counts requests by the hour, and allows 60 without a token ("Rate limits for the REST API"); the daemon pulls
#: more often
_BETWEEN = timedelta(hours=1)


async def allowance(settings: Settings, policy: HttpPolicy, *, now: datetime) -> Allowance | None:
    """What GitHub grants per hour with the token of the configuration; None: it does not count, or is not asked at all.

    Args:
        settings: whether GitHub is asked.
        policy: manners and limits on the network.
        now: aware; the present moment.

    Raises:
        FetchError: it does not answer, or does not accept the token.
    """
    github = settings.github
    if github is None:
        return None
    return await read_allowance(policy, token=_token(github), base_url=github.base_url, now=now)


async def take_stars(
    settings: Settings, state: State, policy: HttpPolicy, *, now: datetime
) -> tuple[tuple[str, ...], tuple[Verdict, ...]]:
    """Ask GitHub for the repositories of the papers that may trend, those first that were not asked for the longest.

    Not if it was asked less than an hour ago.

    What it says is durable on return; a crash before that loses what this run asked for, and no more.

    Args:
        settings: whether GitHub is asked, and for how many.
        state: holds the papers.
        policy: manners and limits on the network.
        now: aware; when the stars are said to be as many.

    Returns:
        what could not be read, a sentence each; and a verdict if GitHub does not accept the token, which does not pass
        by itself.

    Raises:
        StateError: nothing was stored.
    """
    github = settings.github
    if github is None:
        return (), ()
    memory = state.papers.memories().get(GITHUB) or SourceMemory(GITHUB)
    # a moment to come was written down by a clock that was ahead
    if memory.last_pull_at is not None and timedelta(0) <= now - memory.last_pull_at < _BETWEEN:
        return (), ()
    since = now - timedelta(days=settings.digest.trending_days)
    papers = _repositories(state.papers.since(since))
    before = _last_counts(papers, state, since.date())

    def turn(name: str) -> tuple[bool, date]:
        could_not_be_read = memory.validators.get(name) == _NONE
        return could_not_be_read, before[name].day if name in before else date.min

    readings, problems = await read_stars(
        # without the count of then, "not modified" would tell nothing
        {
            name: memory.validators.get(name, _NONE) if name in before else _NONE
            for name in sorted(papers, key=turn)[: github.per_run]
        },
        policy,
        token=_token(github),
        base_url=github.base_url,
        now=now,
    )
    validators = {
        **memory.validators,
        **dict.fromkeys((problem.where for problem in problems), _NONE),
        **{reading.repository: reading.validators for reading in readings},
    }
    signals = []
    for reading in readings:
        counted = before[reading.repository].signals if reading.stars is None else Signals(stars=reading.stars)
        said = DaySignals(GITHUB, now.astimezone(UTC).date(), counted, now)
        signals += [(key, said) for key in papers[reading.repository]]
    kept = {name: validators[name] for name in papers if name in validators}
    state.papers.store((), signals=signals, memories=[SourceMemory(GITHUB, last_pull_at=now, validators=kept)])
    refusals = [problem for problem in problems if isinstance(problem, BadToken)]
    verdicts = tuple(
        Verdict("github", "github", "failed", f"github: {problem.message}", now, trouble=True) for problem in refusals
    )
    if verdicts:
        state.runs.record(RunReport("github", now, now, verdicts))
    notes = tuple(f"github: {one.where}: {one.message}" for one in problems if one not in refusals)
    return notes, verdicts


def _token(github: GithubSection) -> str:
    return github.token.get_secret_value() if github.token else ""


def _repositories(papers: Sequence[StoredPaper]) -> dict[str, list[str]]:
    """Repository → keys of its papers; those of the newest papers first."""
    found: dict[str, list[str]] = {}
    for stored in reversed(papers):
        if name := repository(stored.paper.code_url):
            found.setdefault(name, []).append(stored.paper.key)
    return found


def _last_counts(papers: Mapping[str, Sequence[str]], state: State, since: date) -> dict[str, DaySignals]:
    """What GitHub said last of each repository of which it said anything."""
    history = state.papers.signals((key for keys in papers.values() for key in keys), since)
    said = {
        name: [one for key in keys for one in history[key] if one.source == GITHUB] for name, keys in papers.items()
    }
    return {name: max(several, key=lambda one: one.day) for name, several in said.items() if several}
