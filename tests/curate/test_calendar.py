"""When batches are due, over weekends, holidays and daylight saving."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.calendar import Calendar, Silence, batch_day, last_expected, next_expected, why_none

CALENDARS = st.sampled_from(["arxiv", "weekdays"])
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 bounds


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "last", "following"),
    [
        pytest.param("2026-09-15 06:00", "2026-09-15 04:00", "2026-09-16 04:00", id="Tuesday"),
        pytest.param("2026-09-15 03:59", "2026-09-14 04:00", "2026-09-15 04:00", id="a minute before midnight there"),
        pytest.param("2026-09-15 04:00", "2026-09-15 04:00", "2026-09-16 04:00", id="at midnight there"),
        pytest.param("2026-09-18 12:00", "2026-09-18 04:00", "2026-09-21 04:00", id="Friday waits for Monday"),
        pytest.param("2026-09-20 12:00", "2026-09-18 04:00", "2026-09-21 04:00", id="Sunday looks back to Friday"),
        pytest.param("2026-03-08 12:00", "2026-03-06 05:00", "2026-03-09 04:00", id="the spring change"),
        pytest.param("2026-11-01 12:00", "2026-10-30 04:00", "2026-11-02 05:00", id="the autumn change"),
        pytest.param("2026-09-08 12:00", "2026-09-07 04:00", "2026-09-09 04:00", id="no announcement on Labor Day"),
        pytest.param("2026-11-27 12:00", "2026-11-26 05:00", "2026-11-30 05:00", id="nor on Thanksgiving"),
        pytest.param("2027-01-01 12:00", "2026-12-31 05:00", "2027-01-04 05:00", id="nor around New Year"),
        pytest.param("2027-01-19 12:00", "2027-01-18 05:00", "2027-01-20 05:00", id="nor on the third Monday of 2027"),
        pytest.param("2027-11-26 12:00", "2027-11-25 05:00", "2027-11-29 05:00", id="nor on Thanksgiving of 2027"),
        pytest.param("2027-11-19 12:00", "2027-11-19 05:00", "2027-11-22 05:00", id="but on the Thursday before"),
    ],
)
def test_an_arxiv_batch_is_due_at_the_eastern_midnight_after_its_announcement(
    now: str, last: str, following: str
) -> None:
    assert (utc(last), utc(following)) == (last_expected("arxiv", utc(now)), next_expected("arxiv", utc(now)))


@pytest.mark.parametrize(
    ("now", "last", "following"),
    [
        ("2026-09-15 00:00", "2026-09-15 00:00", "2026-09-16 00:00"),
        ("2026-09-18 23:59", "2026-09-18 00:00", "2026-09-21 00:00"),
        ("2026-09-20 12:00", "2026-09-18 00:00", "2026-09-21 00:00"),
    ],
)
def test_a_weekday_list_is_due_from_its_utc_day_on(now: str, last: str, following: str) -> None:
    assert (utc(last), utc(following)) == (last_expected("weekdays", utc(now)), next_expected("weekdays", utc(now)))


@pytest.mark.parametrize(
    ("calendar", "day", "expected"),
    [
        ("arxiv", date(2026, 9, 14), ""),
        ("arxiv", date(2026, 9, 19), "weekend"),
        ("arxiv", date(2026, 9, 20), "weekend"),
        ("arxiv", date(2026, 9, 7), ""),
        ("arxiv", date(2026, 9, 8), "holiday"),
        ("arxiv", date(2026, 12, 30), "holiday"),
        ("arxiv", date(2026, 6, 20), "weekend"),
        ("arxiv", date(2031, 12, 26), "holiday"),
        ("weekdays", date(2026, 9, 8), ""),
        ("weekdays", date(2026, 9, 19), "weekend"),
        (None, date(2026, 9, 19), ""),
    ],
)
def test_a_day_without_batch_has_a_reason(calendar: Calendar | None, day: date, expected: Silence) -> None:
    """The reason is that of the evening before: what is announced on Monday evening is Tuesday's batch."""
    assert expected == why_none(calendar, day)


def test_a_source_without_calendar_expects_nothing() -> None:
    now = utc("2026-09-15 06:00")

    assert (None, None) == (last_expected(None, now), next_expected(None, now))


def test_the_batch_day_is_the_date_in_the_calendars_own_zone() -> None:
    now = utc("2026-09-15 03:00")

    assert (date(2026, 9, 14), date(2026, 9, 15)) == (batch_day("arxiv", now), batch_day("weekdays", now))


@given(CALENDARS, MOMENTS)
def test_now_lies_between_the_last_batch_and_the_next(calendar: Calendar, now: datetime) -> None:
    last, following = last_expected(calendar, now), next_expected(calendar, now)

    assert last is not None
    assert following is not None
    assert last <= now < following
    assert following == last_expected(calendar, following)
    assert last == last_expected(calendar, following - timedelta(microseconds=1))
    assert "" == why_none(calendar, batch_day(calendar, following))
