"""Who is due when: one subscriber, one moment, one answer. Pure; knows nothing of jobs, mail or state.

Daylight saving needs no special case here: what is compared is the subscriber's wall clock, and "one digest per
local day" is kept by the ledger's unique key, never by the moment a timer fires. A time that a spring change skips
(02:30) is reached when the clock shows 03:00; a time that an autumn change repeats is reached once and stays so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.model import WEEKDAYS

if TYPE_CHECKING:
    from digest.model import Subscriber

#: days to look ahead for the next digest: a week and a day reaches every weekday whatever the hour
_HORIZON = timedelta(days=8)
#: any one
_MONDAY = date(2026, 9, 14)


@dataclass(frozen=True, slots=True)
class Due:
    """Whether a subscriber's digest is due."""

    #: the subscriber's date now; the day a due digest is for
    local_date: date
    #: why not, in one sentence without a full stop; empty if a digest is due
    not_yet: str = ""
    #: True if the reason is a pause rather than the clock
    paused: bool = False
    #: the day on which it was due and nothing ran, for which it makes up; None: it is due today
    missed_on: date | None = None


def due(
    subscriber: Subscriber,
    now: datetime,
    *,
    paused: str = "",
    any_hour: bool = False,
    last_run: datetime | None = None,
) -> Due:
    """Is a digest for the subscriber's present day due?

    Args:
        subscriber: whose `at`, `days`, `timezone` and `paused_until` decide.
        now: aware datetime.
        paused: reason of a pause recorded elsewhere than in `subscriber`; empty if there is none.
        any_hour: ignore the hour and the weekday, never a pause.
        last_run: when digests were last planned, aware; None: not known.

    Returns:
        the local date, and the reason if nothing is due. From `subscriber.at` (inclusive) until local midnight
        (exclusive) a digest is due, so a run later in the day catches up. A weekly digest for which nothing ran in
        that time is due from the same hour of a following day; any other comes within days anyway.
    """
    local = now.astimezone(ZoneInfo(subscriber.timezone))
    today = local.date()
    if paused:
        return Due(today, paused, paused=True)
    if subscriber.paused_until is not None and today < subscriber.paused_until:
        return Due(today, f"paused until {subscriber.paused_until:%a %-d %b %Y}", paused=True)
    if any_hour:
        return Due(today)
    missed_on = None if WEEKDAYS[today.weekday()] in subscriber.days else _missed(subscriber, today, last_run)
    if WEEKDAYS[today.weekday()] not in subscriber.days and missed_on is None:
        if subscriber.frequency == "weekly":
            return Due(today, f"the weekly digest is next on {weekly_at(subscriber)}")
        return Due(today, f"{today:%A} is not one of the days chosen ({', '.join(subscriber.days)})")
    if local.time().replace(tzinfo=None) < subscriber.at:
        return Due(today, f"due at {subscriber.at:%H:%M} {subscriber.timezone}, now it is {local:%H:%M} there")
    return Due(today, missed_on=missed_on)


def _missed(subscriber: Subscriber, today: date, last_run: datetime | None) -> date | None:
    """The day of the last weekly digest, if nothing has run since it was due."""
    if subscriber.frequency != "weekly" or last_run is None:
        return None
    day = today - timedelta(days=(today.weekday() - WEEKDAYS.index(subscriber.days[0])) % 7)
    was_due = datetime.combine(day, subscriber.at, tzinfo=ZoneInfo(subscriber.timezone))
    return day if last_run < was_due else None


def weekly_at(subscriber: Subscriber) -> str:
    """When the digest of a weekly reader is due, in their own time: `Friday 08:00 Europe/Berlin`."""
    day = _MONDAY + timedelta(days=WEEKDAYS.index(subscriber.days[0]))
    return f"{day:%A} {subscriber.at:%H:%M} {subscriber.timezone}"


def next_due(subscriber: Subscriber, after: datetime) -> datetime | None:
    """The first instant (UTC) strictly later than `after` at which a digest becomes due; None if none within reach.

    A pause only moves the first day looked at. The horizon is eight days from there. Nothing becomes due for who has
    not said yet that they want mail.
    """
    if subscriber.asked_at is not None:
        return None
    zone = ZoneInfo(subscriber.timezone)
    first = after.astimezone(zone).date()
    if subscriber.paused_until is not None:
        first = max(first, subscriber.paused_until)
    for offset in range(_HORIZON.days):
        day = first + timedelta(days=offset)
        instant = datetime.combine(day, subscriber.at, tzinfo=zone).astimezone(UTC)
        if WEEKDAYS[day.weekday()] in subscriber.days and instant > after:
            return instant
    return None
