"""What a subscriber gets, and what they are told they nearly got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.offer import TREND_SHARE, Offer, Request
from digest.curate.query import parse
from digest.curate.rank import Ranking, Standing
from digest.curate.vector import mask, total
from digest.model import Digest, Match, Missed, Paper, Pick, Similar, StoredPaper, Trend
from tests.makers import NOW, TODAY, paper, subscriber

YESTERDAY = NOW - timedelta(days=1)
_SUBJECTS = ("whales", "sand", "gears", "clouds", "moss", "ferns", "rivers", "glass", "bees", "snow", "iron", "salt")


def papers(count: int) -> list[Paper]:
    """Papers so different that none is a copy of another, in the order of their keys."""
    return [
        paper(
            n, title=f"On {_SUBJECTS[n % 12]} {n}", abstract=f"{_SUBJECTS[n % 12]} {n} studied {n}s way w{n} v{n} u{n}"
        )
        for n in range(count)
    ]


def standing(papers: int, scores: Mapping[int, float], *, excluded: AbstractSet[int] = frozenset()) -> Standing:
    """Of so many papers those that match, by their places in the pool, and their scores."""
    totals = total(np.array([scores.get(number, 0.0) for number in range(papers)]))
    return Standing(totals, mask([np.array([*excluded], np.intp)], papers) if excluded else None)


def chosen(
    pool: Sequence[Paper],
    ranked: Standing | Sequence[float],
    trends: dict[str, Trend] | None = None,
    *,
    old: AbstractSet[int] = frozenset(),
    **given: Any,
) -> Digest:
    """The digest of a reader for whom `old` papers are no news; a sequence holds the scores of the first papers."""
    reader = subscriber(**given.pop("reader", {}))
    stored = [StoredPaper(one, YESTERDAY if number in old else NOW, TODAY) for number, one in enumerate(pool)]
    values: dict[str, Any] = {"since": YESTERDAY, "seen": frozenset(), "local_date": TODAY, "planned_at": NOW}
    keys = given.pop("trending_from", frozenset(one.key for one in pool))
    offer = Offer(Ranking(pool), stored, trends or {}, trending_from=keys, similar=given.pop("similar", 0))
    if not isinstance(ranked, Standing):
        ranked = standing(len(pool), dict(enumerate(ranked)))
    missed_max = given.pop("missed_max", 5)
    return offer.select(Request(reader, (), **(values | given)), ranked, missed_max=missed_max)


def parts(digest: Digest, part: str) -> list[str]:
    return [pick.paper.key for pick in digest.picks if pick.part == part]


def test_for_you_is_what_matches_best_first_and_trending_is_what_moves() -> None:
    pool = papers(4)
    moving = Trend(score=1.0, upvotes=9)

    digest = chosen(pool, [0.5, 0.75], {pool[3].key: moving})
    assert (
        Pick(pool[1], "for_you"),
        Pick(pool[0], "for_you"),
        Pick(pool[3], "trending", trend=moving, why="▲ 9"),
    ) == digest.picks
    assert pytest.approx(((1 - TREND_SHARE) * 0.75, (1 - TREND_SHARE) * 0.5, 1.0)) == digest.scores
    assert (4, 2, 0, ()) == (digest.considered, digest.matched, digest.seen_before, digest.missed)
    assert (subscriber(), TODAY, NOW) == (digest.subscriber, digest.local_date, digest.planned_at)


def test_only_news_may_be_for_you_and_nothing_comes_twice() -> None:
    pool = papers(4)
    moving = {one.key: Trend(score=0.5) for one in pool}

    digest = chosen(pool, [0.9, 0.8, 0.7], moving, old={2, 3}, seen={pool[1].key, pool[3].key, "arxiv:gone"})
    assert [pool[0].key] == parts(digest, "for_you")
    assert [pool[2].key] == parts(digest, "trending")
    assert (2, 2, 1) == (digest.considered, digest.matched, digest.seen_before)


def test_an_older_paper_that_returned_is_news_unless_it_was_never_to_be_mailed() -> None:
    pool = papers(3)
    stored = [StoredPaper(one, YESTERDAY, edition) for one, edition in zip(pool, [TODAY, TODAY, None], strict=True)]
    offer = Offer(Ranking(pool), stored, {}, trending_from=frozenset())

    request = Request(
        subscriber(),
        (),
        since=YESTERDAY,
        seen=frozenset(),
        local_date=TODAY,
        planned_at=NOW,
        returned={pool[0].key, pool[2].key, "arxiv:gone"},
    )
    digest = offer.select(request, standing(3, {0: 0.9, 1: 0.8, 2: 0.7}))
    assert [pool[0].key] == parts(digest, "for_you")
    assert (1, 1) == (digest.considered, digest.matched)


def test_no_more_than_the_subscriber_wants_and_the_next_ones_by_title() -> None:
    pool = papers(5)
    ranked = [0.9, 0.8, 0.7, 0.6, 0.1]

    digest = chosen(pool, ranked, reader={"max_papers": 2, "min_score": 0.2}, missed_max=2)
    assert [pool[0].key, pool[1].key] == parts(digest, "for_you")
    assert tuple(Missed(one.key, one.title, one.url, "below your 2 papers") for one in pool[2:4]) == digest.missed


def test_a_paper_below_the_floor_is_missed_with_both_numbers() -> None:
    pool = papers(2)

    digest = chosen(pool, [0.9, 0.124], reader={"min_score": 0.2})
    assert [pool[0].key] == parts(digest, "for_you")
    assert (Missed(pool[1].key, pool[1].title, pool[1].url, "score 0.12 under your floor 0.2"),) == digest.missed


def test_why_papers_were_picked_and_missed_is_said_in_the_readers_language() -> None:
    pool = papers(4)

    digest = chosen(
        pool,
        [0.9, 0.8, 0.124],
        {pool[3].key: Trend(score=1.0, upvotes=1234)},
        reader={"min_score": 0.2, "max_papers": 1, "language": "de"},
    )

    assert ["hinter dem besten Artikel", "Wert 0,12 unter der Schwelle 0,2"] == [one.why for one in digest.missed]
    assert ["▲ 1.234"] == [pick.why for pick in digest.picks if pick.part == "trending"]


def test_the_floor_is_for_relevance_and_a_trend_does_not_lift_a_paper_over_it() -> None:
    pool = papers(1)

    digest = chosen(pool, [0.19], {pool[0].key: Trend(score=1.0)}, reader={"min_score": 0.2, "trending": 0})
    assert () == digest.picks


def test_a_near_copy_of_a_better_paper_is_left_out_and_named() -> None:
    one, other = papers(2)
    copy = paper(7, title=f"{one.title} revisited", abstract=one.abstract)
    pool = [one, copy, other]

    digest = chosen(pool, [0.9, 0.8, 0.7], {copy.key: Trend(score=1.0)})
    assert [one.key, other.key] == [pick.paper.key for pick in digest.picks]
    assert (Missed(copy.key, copy.title, copy.url, f"very like “{one.title}”"),) == digest.missed


def test_a_trend_moves_ties_and_no_more() -> None:
    pool = papers(3)
    trends = {pool[1].key: Trend(score=1.0)}

    assert [pool[1].key, pool[0].key] == parts(chosen(pool, [0.5, 0.49], trends), "for_you")
    assert [pool[0].key, pool[1].key] == parts(chosen(pool, [0.6, 0.49], trends), "for_you")


def test_trending_needs_somebody_who_cared() -> None:
    pool = papers(3)

    digest = chosen(pool, [], {pool[0].key: Trend(score=0.0), pool[1].key: Trend(score=0.1)})
    assert [pool[1].key] == [pick.paper.key for pick in digest.picks]


def test_trending_leaves_out_what_the_keywords_exclude_and_what_is_too_old() -> None:
    pool = papers(4)
    moving = {one.key: Trend(score=0.5) for one in pool}

    unwanted = standing(4, {}, excluded={0})

    digest = chosen(pool, unwanted, moving, trending_from={one.key for one in pool[:3]})
    assert [pool[1].key, pool[2].key] == [pick.paper.key for pick in digest.picks]


def test_trending_yields_to_for_you_and_goes_on_with_what_moves_less() -> None:
    pool = papers(4)
    moving = {one.key: Trend(score=heat) for one, heat in zip(pool, (1.0, 0.9, 0.5, 0.4), strict=True)}

    digest = chosen(pool, [0.9], moving, seen={pool[1].key}, reader={"trending": 1})
    assert [pool[0].key] == parts(digest, "for_you")
    assert [pool[2].key] == parts(digest, "trending")


def test_trending_is_as_long_as_asked_for() -> None:
    pool = papers(9)
    moving = {one.key: Trend(score=(n + 1) / 10) for n, one in enumerate(pool)}

    assert [pool[8].key, pool[7].key] == parts(chosen(pool, [], moving, reader={"trending": 2}), "trending")
    assert [] == parts(chosen(pool, [], moving, reader={"trending": 0}), "trending")


def test_without_keywords_trending_takes_the_place_of_for_you() -> None:
    pool = papers(9)
    moving = {one.key: Trend(score=(n + 1) / 10) for n, one in enumerate(pool)}

    for keywords in ((), ("-survey",)):
        reader = {"keywords": keywords, "trending": 2, "max_papers": 4}
        assert [one.key for one in pool[:4:-1]] == parts(chosen(pool, [], moving, reader=reader), "trending")
        assert () == chosen(pool, [], moving, reader={**reader, "trending": 0}).picks


def test_a_trending_paper_that_also_matched_says_so_and_is_not_missed() -> None:
    pool = [
        paper(1, title="Fjords", abstract="Cold water, steep walls, and once a year whales."),
        paper(2, title="Whales", abstract="Whales and their songs, year after year."),
    ]
    ranked = Ranking(pool).standing([parse("whales")])
    trends = {pool[0].key: Trend(score=0.3, upvotes=3)}

    digest = chosen(pool, ranked, trends, reader={"max_papers": 1, "keywords": ("whales",)})
    assert [("for_you", "Whales"), ("trending", "Fjords")] == [(p.part, p.paper.title) for p in digest.picks]
    assert "“whales” in abstract; ▲ 3" == digest.picks[1].why
    assert [Match("whales", ("abstract",), ("whales",))] == [
        Match(match.keyword, match.fields, match.words) for match in digest.picks[1].matches
    ]
    assert () == digest.missed


@given(
    st.lists(st.floats(0, 1, exclude_max=True), max_size=12),
    st.lists(st.floats(0, 1), max_size=12),
    st.sets(st.integers(0, 11)),
    st.integers(1, 5),
    st.integers(0, 5),
    st.floats(0, 1),
)
def test_limits_hold_and_no_paper_is_repeated(
    scores: list[float], heat: list[float], seen: set[int], most: int, trending: int, floor: float
) -> None:
    pool = papers(12)
    trends = {one.key: Trend(score=score) for one, score in zip(pool, heat, strict=False)}
    reader = {"max_papers": most, "trending": trending, "min_score": floor}

    digest = chosen(pool, scores[:12], trends, seen={pool[n].key for n in seen}, reader=reader)
    keys = [pick.paper.key for pick in digest.picks] + [missed.key for missed in digest.missed]
    assert len(keys) == len(set(keys))
    assert {pool[n].key for n in seen}.isdisjoint(keys)
    assert len(parts(digest, "for_you")) <= most
    assert len(parts(digest, "trending")) <= trending
    assert len(digest.scores) == len(digest.picks)
    assert all(0 <= score <= 1 for score in digest.scores)


def test_papers_of_no_edition_are_no_news_however_late_they_became_known() -> None:
    pool = papers(2)
    stored = [StoredPaper(pool[0], NOW, None), StoredPaper(pool[1], NOW, TODAY)]
    offer = Offer(Ranking(pool), stored, {}, trending_from=frozenset())

    request = Request(
        subscriber(),
        (),
        since=YESTERDAY,
        seen=frozenset(),
        local_date=TODAY,
        planned_at=NOW,
    )
    digest = offer.select(request, standing(2, {0: 0.9, 1: 0.8}))
    assert [pool[1].key] == parts(digest, "for_you")
    assert 1 == digest.considered


@given(
    st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.51, 0.52, 0.9, 0.999999]), min_size=30, max_size=30),
    st.lists(st.sampled_from([0.0, 0.2, 0.5, 1.0]), min_size=30, max_size=30),
    st.integers(1, 8),
    st.sampled_from([0.0, 0.15, 0.3, 0.7, 0.95, 1.0]),
)
def test_no_paper_that_was_left_out_is_of_more_interest_than_one_taken(
    scores: list[float], heat: list[float], most: int, floor: float
) -> None:
    """The best are found without putting all in order; a trend moves papers over each other."""
    pool = papers(30)
    trends = {one.key: Trend(score=score) for one, score in zip(pool, heat, strict=True)}
    reader = {"max_papers": most, "trending": 0, "min_score": floor}

    def interest(number: int) -> float:
        return (1 - TREND_SHARE) * scores[number] + TREND_SHARE * heat[number]

    matching = {number: score for number, score in enumerate(scores) if score}
    order = sorted(matching, key=lambda number: (-round(interest(number), 6), number))
    above = [number for number in order if scores[number] >= floor]
    digest = chosen(pool, standing(30, matching), trends, reader=reader)
    assert [pool[number].key for number in above[:most]] == parts(digest, "for_you")
    assert [pool[number].key for number in order if number not in above[:most]][:5] == [m.key for m in digest.missed]


# --- similar --------------------------------------------------------------------------------------------------------


def alike() -> list[Paper]:
    """Four papers on dunes, of which the last two are copies, and others."""
    titles = ["Dunes walk in wind", "Dunes walk slowly", "Wind and dunes that walk", "Wind and dunes that walk"]
    abstracts = ["dune crest grain one", "dune crest grain two", "dune crest wind three", "dune crest wind three"]
    dunes = [
        paper(number, title=title, abstract=abstract)
        for number, (title, abstract) in enumerate(zip(titles, abstracts, strict=True))
    ]
    return [*dunes, *(paper(n, title=f"{_SUBJECTS[n]} {n}", abstract=f"{_SUBJECTS[n]} {n} w{n}") for n in range(4, 12))]


def named(digest: Digest) -> list[list[str]]:
    return [[one.key for one in pick.similar] for pick in digest.picks]


def test_a_pick_names_the_papers_most_like_it_that_are_not_in_the_digest() -> None:
    pool = alike()
    keys = [one.key for one in pool]

    (one,) = named(chosen(pool, [0.9], similar=2))

    assert 2 == len(one)
    assert set(one) < set(keys[1:4])
    assert keys[1] not in named(chosen(pool, [0.9, 0.8], similar=2))[0]
    assert [[]] == named(chosen(pool, [0.9]))


def test_a_similar_paper_is_named_by_title_and_address_however_old_and_seen_it_is() -> None:
    pool = alike()
    seen = frozenset(one.key for one in pool[2:4])

    (pick,) = chosen(pool, [0.9], similar=1, old={2, 3}, seen=seen).picks

    (similar,) = pick.similar
    assert similar in {Similar(one.key, one.title, one.url) for one in pool[2:4]}


def test_a_near_copy_of_what_a_reader_had_counts_as_had() -> None:
    """Another source may give the same work another name on another day."""
    pool = alike()

    digest = chosen(pool, standing(len(pool), {0: 0.9, 3: 0.8}), old={2}, seen=frozenset({pool[2].key}))

    assert [pool[0].key] == [pick.paper.key for pick in digest.picks]
    assert (2, 1) == (digest.matched, digest.seen_before)


def test_a_copy_is_not_called_similar_nor_is_what_is_excluded() -> None:
    pool = alike()

    ((one,), (other,)) = (
        named(chosen(pool, standing(len(pool), {3: 0.9}), similar=2)),
        named(chosen(pool, standing(len(pool), {3: 0.9}, excluded={0}), similar=2)),
    )

    assert {pool[0].key, pool[1].key} == set(one)
    assert [pool[1].key] == other


def test_what_trends_names_similar_papers_as_well() -> None:
    pool = alike()

    assert [1] == [len(one) for one in named(chosen(pool, [], {pool[0].key: Trend(1.0)}, similar=1))]


def test_readers_share_what_is_named() -> None:
    pool = alike()
    offer = Offer(
        Ranking(pool), [StoredPaper(one, NOW, TODAY) for one in pool], {}, trending_from=frozenset(), similar=1
    )
    request = Request(subscriber(), (), since=YESTERDAY, seen=frozenset(), local_date=TODAY, planned_at=NOW)

    one, other = (offer.select(request, standing(len(pool), {0: score})).picks[0] for score in (0.9, 0.5))

    assert one.similar
    assert one.similar is other.similar


def test_papers_that_have_little_in_common_are_not_named() -> None:
    assert [[]] == named(chosen(papers(12), [0.9], similar=2))
