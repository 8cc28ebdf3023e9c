"""Pictures of papers for readers who want them: fetched at the pull, put into digests when these are planned.

No mail waits for a picture, and none is fetched while mails go out: what is not there yet is left out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from digest.config.images import INSTALL
from digest.once import Once

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from digest.collect.http import HttpPolicy
    from digest.config import Settings
    from digest.model import Digest, Pick, Thumbnail
    from digest.state.store import State

#: most pictures that one pull asks for, and seconds that it does so
PER_PULL, DEADLINE_S = 100, 60.0
#: until an address is asked again that had no picture
_RETRY = timedelta(days=1)
#: picks kept in memory, which many readers share
_PICKS = 16_000


async def take_thumbnails(settings: Settings, state: State, policy: HttpPolicy, *, now: datetime) -> tuple[str, ...]:
    """Fetch the pictures of papers that may be picked, if anybody wants pictures; those with the most votes first.

    What was made is durable on return; a crash before that loses what this run fetched, and no more.

    Args:
        settings: who wants pictures, and how old papers may be.
        state: holds the papers.
        policy: manners and limits on the network.
        now: aware; the present moment.

    Returns:
        what could not be made a picture of, a sentence each.

    Raises:
        StateError: nothing was stored.
    """
    if not _wanted(settings, state):
        return ()
    since = now - timedelta(days=max(settings.digest.lookback_days, settings.digest.trending_days))
    papers = [stored.paper for stored in reversed(state.papers.since(since)) if stored.paper.thumbnail_url]
    papers.sort(key=lambda paper: -(paper.signals.upvotes or 0))
    urls = list(dict.fromkeys(paper.thumbnail_url for paper in papers))
    tried = state.thumbnails.tried(urls, after=now - _RETRY)
    if not (new := [url for url in urls if url not in tried][:PER_PULL]):
        return ()
    # which others need not load
    try:
        from PIL import Image  # noqa: F401 - whether it can be used at all
    except ImportError as error:
        return (f"pictures: Pillow cannot be used ({error}); {INSTALL}",)
    from digest.collect.thumbnails import fetch_thumbnails

    made, problems = await fetch_thumbnails(new, policy, now=now, deadline_s=DEADLINE_S)
    state.thumbnails.put(made, at=now)
    return tuple(f"picture: {problem.where}: {problem.message}" for problem in problems)


def _wanted(settings: Settings, state: State) -> bool:
    readers = (settings.undecided, *settings.subscribers)
    return any(reader.images != "none" for reader in readers) or state.subscribers.want_pictures()


class Thumbnails:
    """The pictures of one run, each read once for all readers.

    Args:
        state: where they are.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        #: by the address that they were made of; None: there is none
        self._known: dict[str, Thumbnail | None] = {}
        self._illustrated = Once(self._illustrate, most=_PICKS)

    def put_into(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        """The digests; those of readers who want pictures with them."""
        digests = tuple(digests)
        urls = {pick.paper.thumbnail_url for one in digests if one.subscriber.images != "none" for pick in one.picks}
        if new := urls - self._known.keys() - {""}:
            found = self._state.thumbnails.get(new)
            self._known |= {url: found.get(url) for url in new}
        if not any(self._known.get(url) for url in urls):
            return digests
        return tuple(
            one if one.subscriber.images == "none" else replace(one, picks=tuple(map(self._illustrated, one.picks)))
            for one in digests
        )

    def _illustrate(self, pick: Pick) -> Pick:
        found = self._known.get(pick.paper.thumbnail_url)
        return replace(pick, thumbnail=found) if found else pick
