"""The papers that a digest names without showing them, each with the reason. Pure.

near       they match, and came after the last one of For you, under the reader's floor, or as a copy
popular    everybody reads them, and they do not match
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from digest.curate.copies import Copies
from digest.curate.rank import Ranking
from digest.curate.reasons import why
from digest.curate.vector import Mask
from digest.languages.language import Language, language
from digest.model import Missed, Subscriber, Trend

#: missed papers kept in memory, the latest used: popular ones are named to many
_REMEMBERED = 16_384

#: minus the interest (the relevance with a share of trend), number, relevance alone. No named tuple, which takes ten
#: times as long to make
Candidate: TypeAlias = tuple[float, int, float]


class MissedPapers:
    """What digests of one run may name as missed. Papers are numbers: places in `Ranking.papers`.

    Args:
        ranking: knows every paper.
        copies: which of them are near copies of each other.
        trends: of each paper.
        moving: those that trend, the most first.
    """

    def __init__(self, ranking: Ranking, copies: Copies, trends: Sequence[Trend], moving: Sequence[int]) -> None:
        self._papers, self._numbers = ranking.papers, ranking.numbers
        self._copies = copies
        self._trends = trends
        self._moving = moving
        self._missed = functools.lru_cache(maxsize=_REMEMBERED)(self._miss)

    def near(
        self,
        subscriber: Subscriber,
        candidates: Iterable[Candidate],
        for_you: Sequence[int],
        taken: AbstractSet[int],
    ) -> Iterator[Missed]:
        """The candidates that are nowhere in the digest, best first.

        Args:
            subscriber: whose limits and floor count.
            candidates: all papers that match and are news, best first.
            for_you: those chosen of them.
            taken: what is in the digest, or must not be named.
        """
        floor, most, spoken = subscriber.min_score, subscriber.max_papers, language(subscriber.language)
        crowded = spoken.counted(most, "below your %(count)s paper", "below your %(count)s papers")
        for _, number, relevance in candidates:
            if number in taken:
                continue
            if relevance < floor:
                reason = _below_floor(f"{relevance:.2f}", floor, spoken)
            else:
                reason = self._copied(number, for_you, spoken) or crowded
            yield self._missed(number, reason)

    def popular(
        self,
        spoken: Language,
        near: Iterable[Missed],
        taken: AbstractSet[int],
        before: AbstractSet[int],
        excluded: Mask | None,
    ) -> Iterator[Missed]:
        """What everybody reads and is neither near nor in the digest, the most read first.

        Args:
            spoken: the subscriber's language.
            near: what is named as near.
            taken: what is in the digest, or must not be named.
            before: what they had in an earlier mail.
            excluded: what they do not want; None: nothing.
        """
        unfit = {*taken, *before, *(self._numbers[one.key] for one in near)}
        for number in self._moving:
            if number in unfit or (excluded is not None and excluded[number]):
                continue
            if self._copies.of(number).isdisjoint(taken):
                yield self._missed(number, self._popularity(number, spoken))

    def _miss(self, number: int, reason: str) -> Missed:
        paper = self._papers[number]
        return Missed(paper.key, paper.title, paper.url, reason)

    def _popularity(self, number: int, spoken: Language) -> str:
        numbers = why((), self._trends[number], spoken)
        if not numbers:
            return spoken.say("everybody reads it")
        return spoken.say("everybody reads it: %(numbers)s", numbers=numbers)

    def _copied(self, number: int, chosen: Iterable[int], spoken: Language) -> str:
        """That a paper is nearly a copy of one that was chosen, in words; empty if it is not."""
        copies = self._copies.of(number)
        copied = next((other for other in chosen if other in copies), None) if copies else None
        return "" if copied is None else spoken.say("very like “%(title)s”", title=self._papers[copied].title)


def with_popular(near: Sequence[Missed], popular: Iterable[Missed], *, most: int, popular_max: int) -> Iterator[Missed]:
    """At most `most`: the near ones, and at the end at most `popular_max` popular ones, which come instead of some."""
    last = list(itertools.islice(popular, popular_max))
    yield from near[: most - len(last)]
    yield from last


@functools.lru_cache(maxsize=_REMEMBERED)
def _below_floor(relevance: str, floor: float, spoken: Language) -> str:
    return spoken.say(
        "score %(score)s under your floor %(floor)s",
        score=spoken.decimal(relevance),
        floor=spoken.decimal(f"{floor:g}"),
    )
