"""Dates, numbers and counts in words: the English that is not in the templates. Pure, and free of the locale."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from digest.model import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.model import Weekday

_SIX_DAYS = timedelta(days=6)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
#: sources whose configured name has a usual spelling; all others are shown as configured
_SOURCES = {"arxiv": "arXiv", "huggingface": "Hugging Face", "biorxiv": "bioRxiv", "medrxiv": "medRxiv"}


def long_day(day: date) -> str:
    """Tuesday, 15 September 2026."""
    return f"{_WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def short_day(day: date) -> str:
    """15 Sep."""
    return f"{day.day} {_MONTHS[day.month - 1][:3]}"


def week(last: date) -> str:
    """The seven days that end with a day: `9–15 September 2026`; months and years are named where they change.

    >>> week(date(2027, 1, 3)), week(date(2026, 10, 2))
    ('28 December 2026 – 3 January 2027', '26 September – 2 October 2026')
    """
    first = last - _SIX_DAYS
    if first.month == last.month:
        return f"{first.day}–{last.day} {_MONTHS[last.month - 1]} {last.year}"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{first.day} {_MONTHS[first.month - 1]}{year} – {last.day} {_MONTHS[last.month - 1]} {last.year}"


def short_week(last: date) -> str:
    """The same in a few characters: `9–15 Sep`, `26 Sep – 2 Oct`."""
    first = last - _SIX_DAYS
    return f"{first.day}–{short_day(last)}" if first.month == last.month else f"{short_day(first)} – {short_day(last)}"


def weekdays(days: Sequence[Weekday]) -> str:
    """On which days, in the order of the week.

    >>> weekdays(("thu", "mon")), weekdays(WEEKDAYS)
    ('on Monday and Thursday', 'every day')
    """
    names = [name for name, day in zip(_WEEKDAYS, WEEKDAYS, strict=True) if day in days]
    if len(names) == len(WEEKDAYS):
        return "every day"
    return "on " + " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def counted(number: int, one: str, many: str = "") -> str:
    """The number with its noun; `many` is `one` with an s unless given.

    >>> counted(1, "paper"), counted(1204, "paper"), counted(2, "matches", "match")
    ('1 paper', '1,204 papers', '2 match')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def compact(number: int) -> str:
    """A number in at most four characters and a unit, never rounded up to a rounder one.

    >>> compact(999), compact(1234), compact(86_199), compact(2_500_000)
    ('999', '1.2k', '86k', '2.5M')
    """
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            tenths = number * 10 // size
            return f"{tenths // 10}{unit}" if tenths >= 100 or tenths % 10 == 0 else f"{tenths / 10:.1f}{unit}"
    return str(number)


def since(days: int) -> str:
    """How long ago a change is counted from: `since yesterday`, `in 3 days`."""
    return "since yesterday" if days <= 1 else f"in {days} days"


def listed(names: Sequence[str], most: int) -> str:
    """The first `most` names and how many more there are.

    >>> listed(["Ada", "Emmy", "Mary", "Sofia", "Grace"], 3)
    'Ada, Emmy, Mary and 2 more'
    """
    if len(names) <= most + 1:  # "and 1 more" is no shorter than a name
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def source_name(name: str) -> str:
    """A source's usual spelling."""
    return _SOURCES.get(name, name)
