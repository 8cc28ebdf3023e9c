"""When a source's next batch is due: a calendar's name and a moment in, instants and reasons out.

- `arxiv`: announcements on Sunday to Thursday at 20:00 US Eastern, none on the evenings of Friday, Saturday and a few
  holidays (https://info.arxiv.org/help/availability.html). The feeds are built at the Eastern midnight after each, so
  an announcement of Sunday evening is Monday's batch; that midnight is when it should be readable.
- `weekdays`: a list per UTC day from Monday to Friday, as Hugging Face keeps it.
- None: a source without a calendar.

A *batch day* is the date of that midnight in the calendar's own time zone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

Calendar = Literal["arxiv", "weekdays"]
#: why a day has no batch; empty: it has one
Silence = Literal["weekend", "holiday", ""]

_ZONES: Mapping[Calendar, tzinfo] = {"arxiv": ZoneInfo("America/New_York"), "weekdays": UTC}
_DAY = timedelta(days=1)
_SATURDAY = 5

#: evenings without announcement by year, month and day, as arXiv published them
_QUIET_EVENINGS: Mapping[int, frozenset[tuple[int, int]]] = {
    2026: frozenset({(1, 1), (1, 19), (6, 19), (7, 3), (9, 7), (11, 26), (12, 25), (12, 29), (12, 31)}),
}
#: in other years: the ones that fall on the same date every year …
_FIXED_QUIET_EVENINGS = frozenset({(1, 1), (6, 19), (7, 4), (12, 25)})
#: … and, by month, weekday and which of the month, those of 2026 that are public holidays on a weekday of their own
#: (https://www.opm.gov/policy-data-oversight/pay-leave/federal-holidays/)
_MOVABLE_QUIET_EVENINGS = frozenset({(1, 0, 3), (9, 0, 1), (11, 3, 4)})


def batch_day(calendar: Calendar, now: datetime) -> date:
    """The batch day that `now` (aware) falls on, whether it has a batch or not."""
    return now.astimezone(_ZONES[calendar]).date()


def last_expected(calendar: Calendar | None, now: datetime) -> datetime | None:
    """When the most recent batch due by `now` (inclusive) became due, in UTC; None without a calendar."""
    if calendar is None:
        return None
    day = batch_day(calendar, now)
    while why_none(calendar, day):
        day -= _DAY
    return _midnight(calendar, day)


def next_expected(calendar: Calendar | None, now: datetime) -> datetime | None:
    """When the first batch after `now` (exclusive) becomes due, in UTC; None without a calendar."""
    if calendar is None:
        return None
    day = batch_day(calendar, now) + _DAY
    while why_none(calendar, day):
        day += _DAY
    return _midnight(calendar, day)


def end(calendar: Calendar, due: datetime) -> datetime:
    """When the list no longer holds the batch that was due then, in UTC: on days without a batch it is empty."""
    return _midnight(calendar, batch_day(calendar, due) + _DAY)


def why_none(calendar: Calendar | None, day: date) -> Silence:
    """Why the batch day `day` has no batch; empty if it has one, and always without a calendar.

    The days without announcement are arXiv's to publish, year by year; for years not listed here they are those of 2026
    that come again, so that a day on which arXiv rests for reasons of its own looks like a missing batch.
    """
    if calendar is None:
        return ""
    if day.weekday() >= _SATURDAY:
        return "weekend"
    return "holiday" if calendar == "arxiv" and _is_quiet(day - _DAY) else ""


def _is_quiet(evening: date) -> bool:
    day = (evening.month, evening.day)
    if evening.year in _QUIET_EVENINGS:
        return day in _QUIET_EVENINGS[evening.year]
    which = (evening.month, evening.weekday(), (evening.day + 6) // 7)
    return day in _FIXED_QUIET_EVENINGS or which in _MOVABLE_QUIET_EVENINGS


def _midnight(calendar: Calendar, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=_ZONES[calendar]).astimezone(UTC)
