"""How papers are doing with everybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.trend import origins_of, trends
from digest.model import DaySignals, Signals, Source, StoredPaper, Trend
from tests.makers import NOW, TODAY, paper

YESTERDAY = TODAY - timedelta(days=1)
HOUR = timedelta(hours=1)


def stored(number: int = 1, *, age: float = 0, published: datetime | None = None, **signals: Any) -> StoredPaper:
    """Became known `age` days and an hour ago."""
    first_seen = NOW - HOUR - timedelta(days=age)
    return StoredPaper(paper(number, published=published, signals=Signals(**signals)), first_seen, first_seen.date())


def said(day: date = TODAY, source: str = "hf", **signals: Any) -> DaySignals:
    """At 5:00, an hour before now if it is today."""
    return DaySignals(source, day, Signals(**signals), datetime.combine(day, time(5), UTC))


def trend_of(*history: DaySignals, age: float = 0, days: int = 1) -> Trend:
    one = stored(age=age)
    return trends([one], {one.paper.key: history}, now=NOW, days=days)[one.paper.key]


# --- numbers to show ------------------------------------------------------------------------------------------------


def test_changes_are_against_the_last_earlier_day_on_record() -> None:
    assert Trend(
        score=1.0,
        upvotes=142,
        upvotes_change=84,
        comments=3,
        change_days=1,
        sources=1,
        known_days=1,
    ) == trend_of(said(upvotes=142, comments=3), said(YESTERDAY, upvotes=58, comments=3), age=1)


def test_a_day_without_a_pull_makes_the_span_longer() -> None:
    trend = trend_of(said(YESTERDAY, upvotes=20), said(TODAY - timedelta(days=4), upvotes=5), age=4)

    assert (20, 15, 4) == (trend.upvotes, trend.upvotes_change, trend.change_days)


def test_a_change_since_yesterday_is_none_since_a_minute_before_midnight() -> None:
    """A pull late in the evening and one after midnight are one reading; the change is since the one before."""
    evening = replace(said(YESTERDAY, upvotes=58), at=datetime(2026, 9, 14, 23, 59, tzinfo=UTC))
    morning = replace(said(upvotes=60), at=datetime(2026, 9, 15, 0, 1, tzinfo=UTC))

    trend = trend_of(said(TODAY - timedelta(days=2), upvotes=10), evening, morning, age=2)

    assert (60, 50, 2) == (trend.upvotes, trend.upvotes_change, trend.change_days)
    assert (60, None, None) == ((alone := trend_of(evening, morning)).upvotes, alone.upvotes_change, alone.change_days)


def votes_of(days: int) -> list[DaySignals]:
    """Ten more each day, the last of them today."""
    return [said(TODAY - timedelta(days=age), upvotes=10 * (days - age)) for age in range(days)]


@pytest.mark.parametrize(
    ("known", "expected"),
    [(12, (120, 70, 7)), (8, (80, 70, 7)), (7, (70, 60, 6)), (3, (30, 20, 2)), (1, (10, None, None))],
)
def test_the_changes_of_a_week_are_those_of_seven_days_or_since_the_paper_is_known(
    known: int, expected: tuple[int | None, ...]
) -> None:
    trend = trend_of(*votes_of(known), age=known, days=7)

    assert expected == (trend.upvotes, trend.upvotes_change, trend.change_days)


def test_of_a_week_what_gained_much_on_monday_ranks_above_what_gained_little_today() -> None:
    """Of a day it is the other way round."""
    monday = stored(1, age=6), [said(TODAY - timedelta(days=age), upvotes=500 - 480 * (age > 4)) for age in range(7)]
    today = stored(2, age=6), [said(TODAY - timedelta(days=age), upvotes=500 - 60 * (age > 0)) for age in range(7)]

    assert ([2, 1], [1, 2]) == (ranked(monday, today, days=1), ranked(monday, today, days=7))


def test_without_an_earlier_day_no_change_is_known() -> None:
    assert Trend(score=1.0, upvotes=7, sources=1, known_days=0) == trend_of(said(upvotes=7))


def test_without_history_the_signals_of_the_batch_count() -> None:
    one = stored(upvotes=7, stars=3)

    assert {one.paper.key: Trend(1.0, upvotes=7, stars=3, sources=1, known_days=0)} == trends([one], {}, now=NOW)


def test_where_sources_differ_the_largest_number_counts_and_its_change() -> None:
    trend = trend_of(said(upvotes=5, stars=9), said(source="other", upvotes=8), said(YESTERDAY, "other", upvotes=6))

    assert (8, 2, 9, None) == (trend.upvotes, trend.upvotes_change, trend.stars, trend.stars_change)


def test_a_signal_that_is_missing_today_is_as_it_was_last() -> None:
    trend = trend_of(said(comments=1), said(YESTERDAY, upvotes=6))

    assert (6, 0, 1) == (trend.upvotes, trend.upvotes_change, trend.comments)


def test_the_future_is_ignored() -> None:
    tomorrow = said(TODAY + timedelta(days=1), upvotes=900)

    assert trend_of(said(upvotes=7)) == trend_of(said(upvotes=7), tomorrow, replace(tomorrow, at=None))


def test_what_was_said_at_an_hour_unknown_counts_on_its_day() -> None:
    trend = trend_of(replace(said(YESTERDAY, upvotes=6), at=None), replace(said(upvotes=9), at=None))

    assert (9, 3, 1) == (trend.upvotes, trend.upvotes_change, trend.change_days)


def test_nobody_said_anything_is_a_score_of_zero() -> None:
    one = stored()

    assert {one.paper.key: Trend(sources=1, known_days=0)} == trends([one], {}, now=NOW)
    assert {} == trends([], {}, now=NOW)


def test_a_place_in_a_list_without_a_vote_is_none() -> None:
    assert 0.0 == trend_of(said(upvotes=0, position=1)).score
    assert 1.0 == trend_of(said(position=1)).score


def test_sources_of_one_origin_count_once() -> None:
    sources = [
        Source("arxiv", "arxiv"),
        Source("arxiv-api", "arxiv: moe"),
        Source("feed", "again", url="https://rss.arxiv.org/atom/cs.CL"),
        Source("feed", "nature", url="https://www.nature.com/nature.rss"),
        Source("feed", "nature physics", url="https://nature.com/nphys.rss"),
        Source("huggingface", "daily"),
        Source("jsonl", "ours", path="papers.jsonl"),
    ]
    one = stored()
    everywhere = replace(one, paper=replace(one.paper, sources=(*(source.name for source in sources), "forgotten")))

    trend = trends([everywhere], {}, now=NOW, origins=origins_of(sources))[one.paper.key]

    assert 5 == trend.sources  # arXiv, Nature, Hugging Face, ours, and one that is no longer configured


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([40, 40, 40, 80], True),
        ([40, 41, 42, 80], True),
        ([10, 20, 40, 80], False),
        ([40, 40, 40, 43], False),
        ([400, 400, 400, 410], False),
        ([0, 0, 0, 80], False),
        ([40, 40, 80], False),
        ([40, 40, 40, 80, 80], False),
    ],
    ids=["rested", "nearly", "never rested", "too few", "too small a part", "never rose", "known too shortly", "over"],
)
def test_what_had_come_to_rest_and_moves_is_rising_again(votes: list[int], *, expected: bool) -> None:
    days = [TODAY - timedelta(days=back) for back in reversed(range(len(votes)))]

    trend = trend_of(*(said(day, upvotes=count) for day, count in zip(days, votes, strict=True)), age=len(votes))

    assert expected == trend.rising_again


def test_what_rose_days_ago_is_not_rising() -> None:
    history = [said(TODAY - timedelta(days=age), upvotes=80 if age == 3 else 40) for age in (3, 4, 5, 6)]

    assert not trend_of(*history, age=6).rising_again


# --- score ----------------------------------------------------------------------------------------------------------

_Heard = tuple[StoredPaper, list[DaySignals]]


def scores(*heard: _Heard, now: datetime = NOW, days: int = 1) -> list[float]:
    found = trends([one for one, _ in heard], {one.paper.key: history for one, history in heard}, now=now, days=days)
    return [trend.score for trend in found.values()]


def ranked(*heard: _Heard, days: int) -> list[int]:
    """The numbers of the papers, the hottest first; they are counted from 1."""
    found = scores(*heard, days=days)
    return sorted(range(1, len(found) + 1), key=lambda number: -found[number - 1])


def course(number: int, *votes: int, **fields: Any) -> _Heard:
    """A paper known for as many days as it has counts, the last of them today's."""
    ages = reversed(range(len(votes)))
    history = [said(TODAY - timedelta(days=age), upvotes=count) for age, count in zip(ages, votes, strict=True)]
    return stored(number, age=len(votes) - 1, **fields), history


#: papers of an ordinary week, so that there is a scale
WEEK = [course(number, *range(number % 7, number, 3)) for number in range(10, 40)]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ((stored(1), [said(upvotes=50)]), (stored(2), [said(upvotes=5)])),
        ((stored(1), [said(upvotes=5, comments=3)]), (stored(2), [said(upvotes=5)])),
        ((stored(1), [said(upvotes=50)]), course(2, *[50] * 8)),
        ((stored(1, age=9), [said(upvotes=90), said(YESTERDAY, upvotes=30)]), course(2, *[89] * 9, 90)),
        (course(1, 20, 20, 20, 20, 50), course(2, 50, 50, 50, 50, 50)),
        ((stored(1), [said(upvotes=40)]), (stored(2, age=6), [said(stars=90_000), said(YESTERDAY, stars=90_000)])),
        ((stored(1), [said(upvotes=20)]), (stored(2, published=NOW - timedelta(days=5)), [said(upvotes=20)])),
        ((stored(1), [said(upvotes=9, position=1)]), (stored(2), [said(upvotes=9, position=20)])),
    ],
    ids=[
        "more votes",
        "discussed too",
        "newer",
        "moving",
        "old and newly rising beats old and resting",
        "a famous repository that stands still",
        "known as long, but published later",
        "first of its list",
    ],
)
def test_what_moves_ranks_above(better: _Heard, worse: _Heard) -> None:
    first, second, *_ = scores(better, worse, *WEEK)

    assert first > second


def test_one_more_origin_ranks_above() -> None:
    alone, both = stored(1), stored(2)
    both = replace(both, paper=replace(both.paper, sources=("arxiv", "hf")))

    first, second, *_ = scores((both, [said(upvotes=9)]), (alone, [said(upvotes=9)]), *WEEK)

    assert first > second


def test_a_paper_with_one_signal_missing_is_not_punished() -> None:
    """Sources that do not count stars or comments, and one that counts them as none, put it in the same place."""
    silent, nothing = (stored(1), [said(upvotes=30)]), (stored(2), [said(upvotes=30, comments=0, stars=0)])
    middling = stored(3), [said(upvotes=30, comments=2)]
    others = [(stored(n), [said(upvotes=n, comments=n % 5)]) for n in range(10, 40)]

    one, other, third, *_ = scores(silent, nothing, middling, *others)

    assert one == other
    assert one <= third < 1.1 * one


def test_a_source_that_cannot_be_read_today_does_not_put_its_papers_to_rest() -> None:
    """What rose 30 an hour before the last reading, yesterday, is above what rests, read today."""
    unread = stored(1, age=4), [said(TODAY - timedelta(days=d), upvotes=v) for d, v in ((3, 10), (2, 10), (1, 40))]
    resting = stored(2, age=4), [said(TODAY - timedelta(days=d), "other", upvotes=40) for d in (3, 2, 1, 0)]

    first, second, *_ = scores(unread, resting, *WEEK)

    assert first > second


def test_the_scale_of_a_source_is_learned_from_what_it_says() -> None:
    """300 are little where all have as many, 3 are much where most have none."""
    generous = [(stored(n), [said(source="generous", upvotes=300)]) for n in range(1, 20)]
    strict = [(stored(n), [said(source="strict", upvotes=0)]) for n in range(20, 39)]

    last, first, *_ = scores(generous[0], (stored(40), [said(source="strict", upvotes=3)]), *generous[1:], *strict)

    assert first > 2 * last


# --- properties -----------------------------------------------------------------------------------------------------

_COUNT = st.none() | st.integers(0, 60) | st.integers(0, 10**6)
_PLACE = st.none() | st.integers(1, 100)
_SIGNALS = st.builds(Signals, upvotes=_COUNT, comments=_COUNT, stars=_COUNT, position=_PLACE)


@st.composite
def _said(draw: st.DrawFn, *, until: date = TODAY) -> DaySignals:
    day = draw(st.dates(TODAY - timedelta(20), until))
    hour = draw(st.none() | st.times())
    at = None if hour is None else min(datetime.combine(day, hour, UTC), NOW - HOUR / 2)
    return DaySignals(draw(st.sampled_from(["hf", "feed"])), day, draw(_SIGNALS), at)


_HISTORY = st.lists(_said(), max_size=3)
_KIND = st.sampled_from(["upvotes", "comments", "stars"])


@given(
    st.lists(_said(until=YESTERDAY), max_size=4),
    _HISTORY,
    st.integers(0, 20),
    _KIND,
    st.integers(1, 500),
    st.sampled_from([1, 7]),
)
def test_more_votes_comments_or_stars_today_never_lower_a_paper(
    mine: list[DaySignals], others: list[DaySignals], age: int, signal: str, more: int, days: int
) -> None:
    def score(count: int) -> float:
        today = DaySignals("hf", TODAY, Signals(**{signal: count}), NOW)
        return scores((stored(1, age=age), [*mine, today]), (stored(2), others), *WEEK[:5], days=days)[0]

    assert score(5) <= score(5 + more)


@given(st.lists(_said(until=YESTERDAY), max_size=4), _HISTORY, st.integers(2, 99))
def test_a_better_place_never_lowers_a_paper(mine: list[DaySignals], others: list[DaySignals], place: int) -> None:
    def score(place: int) -> float:
        today = DaySignals("hf", TODAY, Signals(upvotes=5, position=place), NOW)
        return scores((stored(1, age=2), [*mine, today]), (stored(2), others))[0]

    assert score(place) <= score(place - 1)


@given(st.lists(_HISTORY, min_size=1, max_size=4), st.randoms())
def test_the_same_in_any_order_is_the_same(histories: list[list[DaySignals]], shuffle: Any) -> None:
    heard = [(stored(number, age=number), history) for number, history in enumerate(histories)]
    mixed = [(one, shuffle.sample(history, len(history))) for one, history in shuffle.sample(heard, len(heard))]

    def found(heard: list[_Heard]) -> dict[str, Trend]:
        papers = [one for one, _ in heard]
        return dict(trends(papers, {one.paper.key: history for one, history in heard}, now=NOW))

    assert found(heard) == found(mixed)
    assert all(0 <= trend.score <= 1 for trend in found(heard).values())


@given(st.lists(_HISTORY, min_size=1, max_size=4))
def test_nothing_happens_at_midnight(histories: list[list[DaySignals]]) -> None:
    """A minute in which nothing is said moves no score by more than a thousandth."""
    heard = [(stored(number, age=number), history) for number, history in enumerate(histories)]
    midnight = datetime(2026, 9, 16, tzinfo=UTC)

    before, after = (scores(*heard, now=midnight + minutes * timedelta(seconds=30)) for minutes in (-1, 1))

    assert before == pytest.approx(after, abs=1e-3)
