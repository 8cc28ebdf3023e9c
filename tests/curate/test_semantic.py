"""Papers that say the same in other words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from digest.curate.offer import Offer, Request
from digest.curate.query import parse
from digest.curate.rank import Ranking
from digest.curate.semantic import Semantics
from digest.model import StoredPaper
from tests.makers import NOW, TODAY, paper, subscriber

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from digest.model import Digest

#: words by their meaning
_ALIKE = ({"whale", "whales", "cetaceans", "orcas"}, {"sand", "dunes", "desert"}, {"bees", "hives"})


def encode(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    split = [text.lower().replace(".", " ").split() for text in texts]
    return np.array([[sum(word in alike for word in words) for alike in _ALIKE] for words in split], np.float64)


#: an invented day: eight on sand, two on whales of which one says so, and more on bees
PAPERS = [
    paper(1, title="Whales of the North", abstract="They sing."),
    paper(2, title="Cetaceans in Winter", abstract="Orcas eat herring."),
    paper(3, title="Orcas and their Young", abstract="A year at sea."),
    *(paper(number, title=f"Dunes of Kind {number}", abstract="Desert and sand.") for number in range(10, 18)),
    *(paper(number, title=f"Hives of Kind {number}", abstract="Bees at work.") for number in range(20, 28)),
]


def digest(*entries: str, extra: int, max_papers: int = 10, seen: frozenset[str] = frozenset()) -> Digest:
    ranking = Ranking(PAPERS, Semantics(encode, extra))
    request = Request(
        subscriber(keywords=entries, max_papers=max_papers),
        [parse(entry) for entry in entries],
        since=NOW - timedelta(days=1),
        seen=seen,
        local_date=TODAY,
        planned_at=NOW,
    )
    stored = [StoredPaper(one, NOW, TODAY) for one in PAPERS]
    return Offer(ranking, stored, {}, trending_from=frozenset()).select(request)


def test_papers_without_the_word_are_added_behind_those_with_it_and_say_that_they_are_related() -> None:
    picks = digest("whales", extra=5).picks

    assert ["Whales of the North", "Cetaceans in Winter", "Orcas and their Young"] == [p.paper.title for p in picks]
    assert ["“whales” in title", "related to your keywords", "related to your keywords"] == [p.why for p in picks]
    assert [1, 0, 0] == [len(pick.matches) for pick in picks]


def test_no_more_are_added_than_asked_for_and_they_are_no_matches() -> None:
    chosen = digest("whales", extra=1)

    assert 2 == len(chosen.picks)
    assert 1 == chosen.matched
    assert () == chosen.missed
    assert 1 == len(digest("whales", extra=0).picks)


def test_beside_papers_that_are_much_better_none_is_added() -> None:
    alone = [pick.paper.title for pick in digest("whales", extra=5).picks]
    beside = [pick.paper.title for pick in digest("whales", "bees^6", extra=5).picks]

    assert {"Cetaceans in Winter", "Orcas and their Young"} <= set(alone)
    assert set() == {"Cetaceans in Winter", "Orcas and their Young"} & set(beside)


def test_what_was_delivered_before_leaves_its_place_to_another() -> None:
    first = digest("whales", extra=1).picks[1].paper
    second = digest("whales", extra=1, seen=frozenset({first.key}))

    assert {PAPERS[1].key, PAPERS[2].key} == {first.key, second.picks[1].paper.key}
    assert (1, 0) == (second.matched, second.seen_before)


def test_an_exclusion_and_a_condition_hold_for_related_papers_too() -> None:
    titles = [pick.paper.title for pick in digest("whales", "-herring", extra=5).picks]

    assert ["Whales of the North", "Orcas and their Young"] == titles
    assert ["Whales of the North"] == [pick.paper.title for pick in digest("whales", "+north", extra=5).picks]


@pytest.mark.parametrize("entry", ['"whales"', "title:whales", "whale*", '"whales" OR author:orcas'])
def test_what_asks_for_these_very_words_is_not_put_in_others(entry: str) -> None:
    assert ["Whales of the North"] == [pick.paper.title for pick in digest(entry, extra=5).picks]


def test_where_no_paper_has_the_words_related_ones_may_still_come() -> None:
    chosen = digest("whale watching", extra=2)

    assert ["related to your keywords"] * 2 == [pick.why for pick in chosen.picks]
    assert 0 == chosen.matched
    assert () == digest(extra=5).picks


def test_of_two_matches_the_one_that_means_it_comes_first() -> None:
    papers = [
        paper(1, title="A Song of Bees", abstract="Hives sing, and once a year whales."),
        paper(2, title="A Song of Orcas", abstract="Cetaceans sing, and once a year whales."),
        *PAPERS[3:],
    ]

    def order(ranking: Ranking) -> list[str]:
        return [scored.paper.title for scored in ranking.rank([parse("whales")])]

    assert ["A Song of Bees", "A Song of Orcas"] == order(Ranking(papers))
    assert ["A Song of Orcas", "A Song of Bees"] == order(Ranking(papers, Semantics(encode)))


def test_texts_without_any_known_word_say_nothing() -> None:
    papers = [paper(number, title=f"Quartz {number}", abstract="Stone.") for number in range(5)]
    plain = Ranking(papers).rank([parse("quartz")])

    found = Ranking(papers, Semantics(encode, 3)).rank([parse("quartz")])

    assert [(one.paper, one.score) for one in plain] == [(one.paper, one.score) for one in found]
    assert () == Ranking([], Semantics(encode, 3)).rank([parse("quartz")])
