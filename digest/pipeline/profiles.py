"""What readers brought and said, read from the state as `curate.profile` takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.curate.profile import Opinion, Text, Told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from digest.model import StoredPaper
    from digest.state.feedback import StoredFeedback
    from digest.state.interests import StoredInterest
    from digest.state.store import State


def told(state: State, emails: Collection[str], *, now: datetime) -> dict[str, Told]:
    """What those of the readers who brought or said anything brought and said, by address.

    Args:
        state: where it is kept.
        emails: the readers.
        now: aware; what was said before counts by its age.
    """
    brought, said = state.interests.of(emails), state.feedback.counting(emails)
    known = state.papers.known(one.what for own in said.values() for one in own if one.kind == "paper")
    return {
        email: Told(_interests(brought.get(email, ())), _opinions(said.get(email, ()), known, now))
        for email in brought.keys() | said.keys()
    }


def _interests(brought: Iterable[StoredInterest]) -> Sequence[tuple[Text, float]]:
    return [(Text(one.title, one.abstract), one.weight) for one in brought]


def _opinions(said: Iterable[StoredFeedback], known: Mapping[str, StoredPaper], now: datetime) -> Sequence[Opinion]:
    return [_opinion(one, known.get(one.what) if one.kind == "paper" else None, now) for one in said]


def _opinion(said: StoredFeedback, stored: StoredPaper | None, now: datetime) -> Opinion:
    """A paper goes by the key that it has now: it may have been joined with another since."""
    age_days = max((now - said.at).total_seconds() / 86_400, 0.0)
    if stored is None:
        return Opinion(said.verb, said.kind, said.what, age_days)
    paper = stored.paper
    return Opinion(said.verb, said.kind, paper.key, age_days, Text(paper.title, paper.abstract))
