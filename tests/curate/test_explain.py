"""The numbers behind a digest."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from digest.curate.explain import Explanation, explain
from digest.curate.offer import TREND_SHARE, Offer, Request
from digest.curate.query import parse
from digest.curate.rank import Ranking, Standing
from digest.model import Digest, StoredPaper, Trend
from tests.makers import NOW, TODAY, paper, subscriber

_POOL = [
    paper(0, title="Dunes in wind", abstract="Dunes walk when the wind blows, and dunes rest."),
    paper(1, title="A note on dunes", abstract="They sing in the wind."),
    paper(2, title="Wind and salt", abstract="Salt marshes in the wind, far from dunes."),
    paper(3, title="Whales", abstract="Whales sing."),
    paper(4, title="Knitting", abstract="Of socks."),
    paper(5, title="Grain size", abstract="Grains of sand, one of them in dunes."),
]
_TRENDS = {_POOL[3].key: Trend(score=1.0, upvotes=142), _POOL[0].key: Trend(score=0.5)}


def explained(*keywords: str, missed_max: int = 5, profile: Any = None, **reader: Any) -> tuple[Explanation, ...]:
    return _both(*keywords, missed_max=missed_max, profile=profile, **reader)[0]


def _both(
    *keywords: str, missed_max: int = 5, profile: Any = None, **reader: Any
) -> tuple[tuple[Explanation, ...], Digest]:
    ranking = Ranking(_POOL)
    stored = [StoredPaper(one, NOW, TODAY) for one in _POOL]
    offer = Offer(ranking, stored, _TRENDS, trending_from=frozenset(one.key for one in _POOL))
    request = Request(
        subscriber(keywords=keywords, **reader),
        [*map(parse, keywords)],
        since=NOW - timedelta(days=1),
        seen=frozenset(),
        local_date=TODAY,
        planned_at=NOW,
        profile=profile,
    )
    rows = explain(ranking, offer, request, _TRENDS, missed_max=missed_max)
    return rows, offer.select(request, missed_max=missed_max)


def test_every_paper_of_the_digest_is_explained_in_its_order_and_with_its_score() -> None:
    rows, digest = _both("dunes", "salt", max_papers=2)

    shown = [row for row in rows if row.part != "missed"]
    assert [(pick.paper.key, pick.part) for pick in digest.picks] == [(row.key, row.part) for row in shown]
    assert pytest.approx(digest.scores) == [row.interest if row.part == "for_you" else row.trend for row in shown]
    assert [one.key for one in digest.missed] == [row.key for row in rows if row.part == "missed"]
    assert [1, 2, 1, 1, 2] == [row.place for row in rows]


@pytest.mark.parametrize("keywords", [("dunes",), ("dunes wind", "salt marshes", "-knitting"), ("wind^3", "+dunes")])
def test_the_parts_add_up_to_what_the_order_is_made_by(keywords: tuple[str, ...]) -> None:
    rows = explained(*keywords)

    assert rows
    for row in rows:
        words = sum(value for _, value in row.words)
        total = sum(match.score for match in row.matches) + words + row.likeness + row.profile

        assert pytest.approx(total) == row.total
        assert pytest.approx(1 - math.exp(-total / 2)) == row.relevance
        assert pytest.approx((1 - TREND_SHARE) * row.relevance + TREND_SHARE * row.trend) == row.interest
        assert row.likeness >= 0
        assert all(value > 0 for _, value in row.words)


def test_entries_that_match_only_by_some_words_are_named() -> None:
    rows = {row.key: row for row in explained("dunes", "salt dunes", "whales", "+dunes")}

    assert ["salt dunes"] == [entry for entry, _ in rows[_POOL[5].key].words]


def test_a_paper_is_told_which_of_the_best_it_is_like_and_never_itself() -> None:
    rows = {row.key: row for row in explained("dunes")}

    assert _POOL[1].title in rows[_POOL[0].key].like
    assert all(row.title not in row.like for row in rows.values())
    assert all(bool(row.like) <= bool(row.likeness) for row in rows.values())
    assert () == rows[_POOL[3].key].like


def test_what_a_profile_adds_stands_by_itself() -> None:
    def lifted(standing: Standing) -> Standing:
        return replace(standing, totals=standing.totals + np.where(np.arange(len(_POOL)) == 1, 0.25, 0.0))

    rows = explained("dunes", profile=lifted)

    assert {_POOL[1].key: pytest.approx(0.25)} == {row.key: row.profile for row in rows if row.profile}


def test_what_missed_is_told_what_it_is_short_of() -> None:
    crowded = [row for row in explained("dunes", max_papers=1, min_score=0.05) if row.part == "missed"]
    below = [row for row in explained("dunes", min_score=0.99) if row.part == "missed"]
    first = explained("dunes", max_papers=1, min_score=0.05)[0]

    assert crowded
    assert all(pytest.approx(first.interest - row.interest) == row.short for row in crowded)
    assert below
    assert all(pytest.approx(0.99 - row.relevance) == row.short for row in below)
    assert all("under your floor" in row.reason for row in below)


def test_a_copy_is_short_of_nothing_where_there_is_room() -> None:
    words = {"title": "Dunes in wind", "abstract": "Dunes walk when the wind blows, and dunes rest."}
    pool = [paper(0, **words), paper(1, **words | {"title": "Some dunes in the wind"})]
    ranking = Ranking(pool)
    offer = Offer(ranking, [StoredPaper(one, NOW, TODAY) for one in pool], {}, trending_from=frozenset())
    request = Request(
        subscriber(keywords=("dunes",), min_score=0.0),
        [parse("dunes")],
        since=NOW - timedelta(days=1),
        seen=frozenset(),
        local_date=TODAY,
        planned_at=NOW,
    )

    (_, copy) = explain(ranking, offer, request, {}, missed_max=5)

    assert copy.reason.startswith("very like")
    assert copy.short is None


def test_what_trends_without_matching_has_no_relevance() -> None:
    (row,) = [row for row in explained("dunes", min_score=0.1) if row.part == "trending"]

    assert (_POOL[3].key, (), 0.0, 1.0, None) == (row.key, row.matches, row.relevance, row.trend, row.short)
    assert "▲ 142" == row.reason


def test_a_reader_for_whom_there_is_nothing_has_nothing_explained() -> None:
    assert () == explained("zebras", trending=0)
