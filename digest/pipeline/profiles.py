"""What readers brought and said, read from the state as `curate.profile` takes it, and keywords that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from digest.curate.profile import DIRECTION_VERSION, Direction, Opinion, Text, Told
from digest.curate.rank import Ranking
from digest.curate.suggest import phrases
from digest.state.interests import StoredDirection

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from digest.curate.profile import Profile, Profiles
    from digest.model import StoredPaper, Subscriber
    from digest.state.feedback import StoredFeedback
    from digest.state.interests import StoredInterest
    from digest.state.store import State


#: so many of the latest papers tell what everybody writes; more would tell the same and take seconds
_ARCHIVE = 3_000
#: an entry that matches more than this share of all papers says little about anybody's interest
BROAD = 0.2


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A keyword that a reader might want."""

    #: as it would be typed
    entry: str
    #: how many of the papers that they brought or wanted more of have it
    papers: int
    #: papers of the last days that it matches, for each day; 0 if nothing is known of those days
    hits_per_day: float
    #: 0..1, of all papers of those days
    share: float


def suggestions(state: State, reader: Subscriber, *, now: datetime, days: int, most: int = 10) -> list[Suggestion]:
    """Keywords from what a reader brought and said, the best first; none if that was nothing.

    Args:
        state: what was brought and said, and the papers of the archive.
        reader: whose keywords are not proposed again.
        now: aware.
        days: past days whose papers tell how often a keyword would match; what matches too much is left out.
        most: of keywords.
    """
    if (own := _told(state, reader.email, now=now)) is None:
        return []
    archive = [stored.paper for stored in state.papers.since(now - timedelta(days=days))]
    ranking = Ranking(archive)
    found: list[Suggestion] = []
    for phrase in phrases(own, archive[-_ARCHIVE:], known=reader.keywords, most=3 * most):
        hits = ranking.count(phrase.text)
        share = hits / len(archive) if archive else 0.0
        if share <= BROAD:
            found.append(Suggestion(phrase.text, phrase.papers, hits / days, share))
    return found[:most]


def profiles(
    state: State, emails: Collection[str], against: Profiles, *, now: datetime, keep: bool
) -> dict[str, Profile]:
    """The profiles of those of the readers who brought or said anything, by address.

    Args:
        state: what was brought and said.
        emails: the readers.
        against: the papers of the run.
        now: aware; what was said before counts by its age.
        keep: what took long to find out is kept in the state; otherwise nothing is written.
    """
    directions = _directions(state, emails, against, keep=keep)
    said = state.feedback.counting(emails)
    known = state.papers.known({one.what for own in said.values() for one in own if one.kind == "paper"})
    readers = sorted(directions.keys() | said.keys())
    found = against.of((_read(directions.get(email)), _opinions(said.get(email, ()), known, now)) for email in readers)
    return dict(zip(readers, found, strict=True))


def _directions(
    state: State, emails: Collection[str], against: Profiles, *, keep: bool
) -> Mapping[str, Direction | StoredDirection]:
    """What each of the readers brought as one: as it was kept, or made anew where that will not do any more."""
    kept = state.interests.directions(emails)
    arrived = state.papers.known({key for one in kept.values() for key in one.waiting}).keys()
    found: dict[str, Direction | StoredDirection] = {}
    missing = []
    for email in emails:
        one = kept.get(email)
        if one is None or not against.suits(one.version, one.papers) or not arrived.isdisjoint(one.waiting):
            missing.append(email)
        else:
            found[email] = one
    brought = state.interests.of(missing)
    known = state.papers.known(_nameless(item for own in brought.values() for item in own))
    made = {email: against.direction(_interests(own, known)) for email, own in brought.items()}
    if keep and made:
        state.interests.keep(
            (_written(email, made[email], _nameless(own) - known.keys()), own) for email, own in brought.items()
        )
    return found | made


def _read(kept: Direction | StoredDirection | None) -> Direction | None:
    """Read when its turn comes: the stems of many at once leave the processor's cache."""
    if not isinstance(kept, StoredDirection):
        return kept
    amounts, squares = np.frombuffer(kept.numbers, "<f4").astype(np.float64).reshape(2, -1)
    return Direction(kept.stems.split(), amounts, squares, kept.papers)


def _written(email: str, made: Direction, waiting: Collection[str]) -> StoredDirection:
    numbers = np.stack([made.amounts, made.squares]).astype("<f4").tobytes()
    return StoredDirection(email, DIRECTION_VERSION, made.papers, tuple(sorted(waiting)), " ".join(made.stems), numbers)


def _told(state: State, email: str, *, now: datetime) -> Told | None:
    """What a reader brought and said; None if that is nothing."""
    brought = state.interests.of([email]).get(email, ())
    said = state.feedback.counting([email]).get(email, ())
    if not (brought or said):
        return None
    known = state.papers.known(_nameless(brought) | {one.what for one in said if one.kind == "paper"})
    return Told(_interests(brought, known), _opinions(said, known, now))


def _nameless(brought: Iterable[StoredInterest]) -> set[str]:
    """Keys of the papers of which a list gave only that."""
    return {one.paper for one in brought if one.paper is not None and one.title == one.paper}


def _interests(brought: Iterable[StoredInterest], known: Mapping[str, StoredPaper]) -> Sequence[tuple[Text, float]]:
    """A paper of which a list gave only the key counts from the day on which a source brings it."""
    texts = []
    for one in brought:
        if one.title != one.paper:
            texts.append((Text(one.title, one.abstract), one.weight))
        elif stored := known.get(one.paper):
            texts.append((Text(stored.paper.title, stored.paper.abstract), one.weight))
    return texts


def _opinions(said: Iterable[StoredFeedback], known: Mapping[str, StoredPaper], now: datetime) -> Sequence[Opinion]:
    return [_opinion(one, known.get(one.what) if one.kind == "paper" else None, now) for one in said]


def _opinion(said: StoredFeedback, stored: StoredPaper | None, now: datetime) -> Opinion:
    """A paper goes by the key that it has now: it may have been joined with another since."""
    age_days = max((now - said.at).total_seconds() / 86_400, 0.0)
    if stored is None:
        return Opinion(said.verb, said.kind, said.what, age_days)
    paper = stored.paper
    return Opinion(said.verb, said.kind, paper.key, age_days, Text(paper.title, paper.abstract))
