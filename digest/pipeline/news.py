"""What became of papers that were sent before: read once for all readers, then put into each one's digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from digest.curate.followups import FOLLOWED_DAYS, VOTES_STEP, FollowUps
from digest.languages.language import language

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from digest.model import Digest
    from digest.state.store import State


def gather(state: State, *, now: datetime) -> FollowUps:
    """What happened to the papers of the last mails of anybody, until `now`."""
    since = now - timedelta(days=FOLLOWED_DAYS)
    news = state.news.since(since)
    voted = state.news.voted(least=VOTES_STEP, since=since.date())
    found = state.papers.known({*(one.key for one in news), *voted})
    papers = {stored.paper.key: stored.paper for stored in found.values()}
    # of all days on record: what is counted from may have been said before
    votes = state.papers.signals(voted, since.date() - timedelta(days=FOLLOWED_DAYS))
    return FollowUps(papers, state.news.names(papers), news, votes, now=now)


def with_followups(
    digests: Sequence[Digest], state: State, followups: FollowUps, *, now: datetime
) -> tuple[Digest, ...]:
    """The digests, those with picks together with the news that their readers have not been told yet.

    A digest without picks is not mailed, and what is not mailed is told another day.
    """
    readers = (
        {
            one.subscriber.email: language(one.subscriber.language)
            for one in digests
            if one.picks and one.subscriber.followups
        }
        if followups
        else {}
    )
    if not readers:
        return tuple(digests)
    # a local date may be a day behind UTC's
    delivered = state.ledger.delivered(readers, since=(now - timedelta(days=FOLLOWED_DAYS + 1)).date())
    told = {email: followups.for_reader(one, readers[email]) for email, one in delivered.items()}
    return tuple(
        replace(one, followups=told[email]) if told.get(email := one.subscriber.email) else one for one in digests
    )
