"""What readers brought and said, read from the state as `curate.profile` takes it, and keywords that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from digest.curate.profile import Opinion, Text, Told
from digest.curate.rank import Ranking
from digest.curate.suggest import phrases

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

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
    if (own := told(state, [reader.email], now=now).get(reader.email)) is None:
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


def told(state: State, emails: Collection[str], *, now: datetime) -> dict[str, Told]:
    """What those of the readers who brought or said anything brought and said, by address.

    Args:
        state: where it is kept.
        emails: the readers.
        now: aware; what was said before counts by its age.
    """
    brought, said = state.interests.of(emails), state.feedback.counting(emails)
    spoken_of = {one.what for own in said.values() for one in own if one.kind == "paper"}
    nameless = {one.paper for own in brought.values() for one in own if one.paper == one.title}
    known = state.papers.known(spoken_of.union(filter(None, nameless)))
    return {
        email: Told(_interests(brought.get(email, ()), known), _opinions(said.get(email, ()), known, now))
        for email in brought.keys() | said.keys()
    }


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
