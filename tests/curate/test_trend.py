"""How papers are doing with everybody."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.trend import trends
from digest.model import DaySignals, Signals, StoredPaper, Trend
from tests.makers import TODAY, paper

YESTERDAY = TODAY - timedelta(days=1)


def stored(number: int = 1, *, age: int = 0, **signals: Any) -> StoredPaper:
    first_seen = datetime(TODAY.year, TODAY.month, TODAY.day, 5, tzinfo=UTC) - timedelta(days=age)
    return StoredPaper(paper(number, signals=Signals(**signals)), first_seen, first_seen.date())


def said(day: date = TODAY, source: str = "hf", **signals: Any) -> DaySignals:
    return DaySignals(source, day, Signals(**signals))


def trend_of(*history: DaySignals, age: int = 0) -> Trend:
    one = stored(age=age)
    return trends([one], {one.paper.key: history}, today=TODAY)[one.paper.key]


def test_changes_are_against_the_last_earlier_day_on_record() -> None:
    assert Trend(
        score=1.0, upvotes=142, upvotes_change=84, comments=3, comments_change=0, stars=None, change_days=1
    ) == trend_of(said(upvotes=142, comments=3), said(YESTERDAY, upvotes=58, comments=3))


def test_a_day_without_a_pull_makes_the_span_longer() -> None:
    trend = trend_of(said(YESTERDAY, upvotes=20), said(TODAY - timedelta(days=4), upvotes=5), age=4)

    assert (20, 15, 4) == (trend.upvotes, trend.upvotes_change, trend.change_days)


def test_without_an_earlier_day_no_change_is_known() -> None:
    assert Trend(score=1.0, upvotes=7) == trend_of(said(upvotes=7))


def test_without_history_the_signals_of_the_batch_count() -> None:
    one = stored(upvotes=7, stars=3)

    assert {one.paper.key: Trend(score=1.0, upvotes=7, stars=3)} == trends([one], {}, today=TODAY)


def test_where_sources_differ_the_largest_number_of_the_day_counts() -> None:
    trend = trend_of(said(upvotes=5, stars=9), said(source="other", upvotes=8), said(YESTERDAY, "other", upvotes=6))

    assert (8, 2, 9, None) == (trend.upvotes, trend.upvotes_change, trend.stars, trend.stars_change)


def test_a_signal_that_is_missing_today_is_as_it_was_last() -> None:
    trend = trend_of(said(comments=1), said(YESTERDAY, upvotes=6))

    assert (6, 0) == (trend.upvotes, trend.upvotes_change)


def test_the_future_is_ignored() -> None:
    assert trend_of(said(upvotes=7)) == trend_of(said(upvotes=7), said(TODAY + timedelta(days=1), upvotes=900))


def test_nobody_said_anything_is_a_score_of_zero() -> None:
    one = stored()

    assert {one.paper.key: Trend()} == trends([one], {}, today=TODAY)
    assert {} == trends([], {}, today=TODAY)


def ranks_above(better: tuple[StoredPaper, list[DaySignals]], worse: tuple[StoredPaper, list[DaySignals]]) -> bool:
    scores = trends([better[0], worse[0]], {s.paper.key: history for s, history in (better, worse)}, today=TODAY)
    return scores[better[0].paper.key].score > scores[worse[0].paper.key].score


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ((stored(1), [said(upvotes=50)]), (stored(2), [said(upvotes=5)])),
        ((stored(1), [said(upvotes=5, comments=3)]), (stored(2), [said(upvotes=5)])),
        ((stored(1), [said(upvotes=50)]), (stored(2, age=7), [said(upvotes=50), said(YESTERDAY, upvotes=50)])),
        (
            (stored(1, age=9), [said(upvotes=90), said(YESTERDAY, upvotes=30)]),
            (stored(2, age=9), [said(upvotes=90), said(YESTERDAY, upvotes=89)]),
        ),
        ((stored(1), [said(upvotes=40)]), (stored(2, age=30), [said(stars=90_000), said(YESTERDAY, stars=90_000)])),
    ],
    ids=["more votes", "discussed too", "newer", "moving", "a famous repository that stands still"],
)
def test_what_moves_ranks_above(
    better: tuple[StoredPaper, list[DaySignals]], worse: tuple[StoredPaper, list[DaySignals]]
) -> None:
    assert ranks_above(better, worse)


_COUNT = st.none() | st.integers(0, 10**6)
_SIGNALS = st.builds(Signals, upvotes=_COUNT, comments=_COUNT, stars=_COUNT)
_HISTORY = st.lists(
    st.builds(DaySignals, st.sampled_from(["hf", "feed"]), st.dates(TODAY - timedelta(20), TODAY), _SIGNALS), max_size=5
)


@given(_HISTORY, _HISTORY, st.integers(0, 20), st.sampled_from(["upvotes", "comments", "stars"]), st.integers(1, 500))
def test_more_votes_comments_or_stars_today_never_lower_a_paper(
    mine: list[DaySignals], others: list[DaySignals], age: int, signal: str, more: int
) -> None:
    one, other = stored(1, age=age), stored(2)
    mine = [entry for entry in mine if entry.day < TODAY]

    def score(count: int) -> float:
        today = DaySignals("hf", TODAY, Signals(**{signal: count}))
        history = {one.paper.key: [*mine, today], other.paper.key: others}
        return trends([one, other], history, today=TODAY)[one.paper.key].score

    assert score(5) <= score(5 + more)


@given(_HISTORY, st.randoms())
def test_scores_lie_between_0_and_1_and_do_not_depend_on_the_order_of_the_history(
    history: list[DaySignals], shuffle: Any
) -> None:
    shuffled = list(history)
    shuffle.shuffle(shuffled)

    assert trend_of(*history) == trend_of(*shuffled)
    assert 0 <= trend_of(*history).score <= 1
