"""Who is due when, over time zones, daylight saving and pauses."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.due import Due, due, next_due
from digest.model import WEEKDAYS, Subscriber
from tests.makers import subscriber

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def berliner(**fields: Any) -> Subscriber:
    return subscriber(timezone=BERLIN, **({"at": time(8, 0)} | fields))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-09-15 07:59:59", Due(date(2026, 9, 15), "due at 08:00 Europe/Berlin, now it is 07:59 there")),
        ("2026-09-15 08:00:00", Due(date(2026, 9, 15))),
        ("2026-09-15 23:59:59", Due(date(2026, 9, 15))),
        (
            "2026-09-19 09:00:00",
            Due(date(2026, 9, 19), "Saturday is not one of the days chosen (mon, tue, wed, thu, fri)"),
        ),
    ],
)
def test_due_from_the_chosen_time_until_midnight_on_chosen_days(moment: str, expected: Due) -> None:
    assert expected == due(berliner(), at(moment))


def test_the_day_is_the_subscribers_not_the_servers() -> None:
    """Half past midnight in Tokyo is still yesterday in UTC."""
    tokyo = subscriber(timezone="Asia/Tokyo", at=time(0, 15))

    assert Due(date(2026, 9, 15)) == due(tokyo, datetime(2026, 9, 14, 15, 30, tzinfo=UTC))


def test_a_time_skipped_in_spring_is_reached_at_the_end_of_the_gap() -> None:
    early = berliner(at=time(2, 30), days=WEEKDAYS)

    assert due(early, at("2026-03-29 01:59")).not_yet
    assert Due(date(2026, 3, 29)) == due(early, at("2026-03-29 03:30"))
    assert at("2026-03-29 03:30") == next_due(early, at("2026-03-29 01:00"))


def test_a_time_repeated_in_autumn_is_due_once_by_date() -> None:
    early = berliner(at=time(2, 30), days=WEEKDAYS)

    first, second = (due(early, at("2026-10-25 02:30", fold=fold)) for fold in (0, 1))

    assert Due(date(2026, 10, 25)) == first == second


def test_any_hour_ignores_the_clock_and_the_weekday_but_never_a_pause() -> None:
    saturday = at("2026-09-19 03:00")

    assert not due(berliner(), saturday, any_hour=True).not_yet
    assert due(berliner(paused_until=date(2026, 9, 20)), saturday, any_hour=True).paused
    assert "unsubscribed" == due(berliner(), saturday, paused="unsubscribed", any_hour=True).not_yet


def test_a_pause_ends_on_its_date() -> None:
    reader = berliner(paused_until=date(2026, 9, 16))

    assert "paused until Wed 16 Sep 2026" == due(reader, at("2026-09-15 09:00")).not_yet
    assert not due(reader, at("2026-09-16 09:00")).not_yet
    assert at("2026-09-16 08:00") == next_due(reader, at("2026-09-10 09:00"))


def test_after_todays_time_the_next_digest_is_on_the_next_chosen_day() -> None:
    assert at("2026-09-21 08:00") == next_due(berliner(), at("2026-09-18 08:00"))


def test_a_weekly_digest_is_due_on_its_day_and_says_when_that_is() -> None:
    weekly = berliner(frequency="weekly", days=("fri",))

    assert "the weekly digest is next on Friday 08:00 Europe/Berlin" == due(weekly, at("2026-09-15 09:00")).not_yet
    assert "due at 08:00 Europe/Berlin, now it is 07:59 there" == due(weekly, at("2026-09-18 07:59")).not_yet
    assert not due(weekly, at("2026-09-18 08:00")).not_yet


@pytest.mark.parametrize(
    ("last_run", "now", "not_yet"),
    [
        ("2026-09-18 07:59", "2026-09-19 08:00", ""),
        ("2026-09-18 07:59", "2026-09-24 23:59", ""),
        ("2026-09-18 07:59", "2026-09-19 07:59", "due at 08:00 Europe/Berlin, now it is 07:59 there"),
        ("2026-09-18 08:00", "2026-09-19 08:00", "the weekly digest is next on Friday 08:00 Europe/Berlin"),
    ],
)
def test_a_weekly_digest_whose_day_nothing_ran_is_due_on_the_next(last_run: str, now: str, not_yet: str) -> None:
    weekly = berliner(frequency="weekly", days=("fri",))

    assert not_yet == due(weekly, at(now), last_run=at(last_run)).not_yet


def test_a_weekly_digest_keeps_its_hour_when_the_clocks_change() -> None:
    weekly = berliner(frequency="weekly", days=("sun",))

    assert at("2026-10-25 08:00") == next_due(weekly, at("2026-10-18 08:00"))
    assert at("2026-11-01 08:00") == next_due(weekly, at("2026-10-25 08:00"))
    assert timedelta(days=7, hours=1) == at("2026-10-25 08:00") - at("2026-10-18 08:00")


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    clock=st.times().map(lambda value: value.replace(second=0, microsecond=0)),
    days=st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    zone=st.sampled_from([BERLIN, "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"]),
)
def test_what_is_announced_as_next_is_due_then_and_not_before(
    now: datetime, clock: time, days: set[str], zone: str
) -> None:
    reader = subscriber(at=clock, days=tuple(sorted(days)), timezone=zone)

    instant = next_due(reader, now)

    assert instant is not None
    assert instant > now
    assert not due(reader, instant).not_yet
    assert due(reader, instant).local_date != due(reader, instant - timedelta(days=1)).local_date
