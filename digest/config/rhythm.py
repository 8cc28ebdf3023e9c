"""How often, and on which days: `frequency` and `days` together, of [digest] and of each subscriber.

What is written nearer to the reader wins. A table with `frequency` and without `days` means the frequency's own days; a
table with `days` alone keeps the frequency of [digest], and gets one digest for each of them unless that is weekly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.errors import ConfigProblem
from digest.model import WEEKDAYS, Frequency, Subscriber, Weekday

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from digest.config.schema import DigestSection, SubscriberEntry

#: the keys that make it, which are chosen or inherited together
RHYTHM = ("frequency", "days")
_WORKDAYS: tuple[Weekday, ...] = WEEKDAYS[:5]
#: the days of a frequency for which none are named
_DAYS: Mapping[Frequency, tuple[Weekday, ...]] = {"daily": WEEKDAYS, "weekdays": _WORKDAYS, "weekly": ("fri",)}

# in words that fit a configuration, a command line and a list alike
_EACH = "for a digest on each of these choose the frequency daily"
_ONE_DAY = f"name one day, like fri; {_EACH}"


def rhythm(entry: SubscriberEntry, defaults: DigestSection) -> tuple[Frequency, tuple[Weekday, ...]]:
    """Frequency and days of one subscriber."""
    frequency = entry.frequency or defaults.frequency
    if entry.days is not None:
        return _named(frequency, entry.days)
    if entry.frequency is None or entry.frequency == defaults.frequency == "weekly":
        return _named(frequency, _days_of_all(defaults))
    return frequency, _DAYS[frequency]


def kept(entry: SubscriberEntry, known: Subscriber) -> dict[str, object]:
    """What `entry` leaves as it is of the rhythm of a subscriber who is there already."""
    if entry.frequency not in {None, known.frequency}:
        return {}
    # on other days than from Monday to Friday, `weekdays` would contradict itself
    frequency = entry.frequency or ("weekly" if known.frequency == "weekly" else "daily")
    return {"frequency": frequency, "days": known.days if entry.days is None else entry.days}


def mistakes_of_all(defaults: DigestSection) -> Iterator[ConfigProblem]:
    """Contradictions within [digest]."""
    written = defaults.model_fields_set
    if {"frequency", "days"} <= written:
        yield from _contradictions("digest.days", defaults.frequency, defaults.days)


def mistakes_of_one(entry: SubscriberEntry, defaults: DigestSection, key: str) -> Iterator[ConfigProblem]:
    """Contradictions of one subscriber; `key` is the dotted prefix of its keys, with a dot at its end."""
    if entry.days is None:
        return
    if entry.frequency is not None:
        yield from _contradictions(f"{key}days", entry.frequency, entry.days)
    elif defaults.frequency == "weekly" and len(entry.days) > 1:
        yield ConfigProblem(
            f"{key}days",
            f"a weekly digest, as [digest] says, has one day and not {len(entry.days)}",
            _ONE_DAY,
        )


def _contradictions(key: str, frequency: Frequency, days: tuple[Weekday, ...]) -> Iterator[ConfigProblem]:
    if frequency == "weekly" and len(days) > 1:
        yield ConfigProblem(key, f"a weekly digest has one day and not {len(days)}", _ONE_DAY)
    if frequency == "weekdays" and (weekend := [day for day in days if day not in _WORKDAYS]):
        hint = f"leave days out; {_EACH}"
        yield ConfigProblem(key, f"weekdays are Monday to Friday, without {' and '.join(weekend)}", hint)


def _days_of_all(defaults: DigestSection) -> tuple[Weekday, ...]:
    return defaults.days if "days" in defaults.model_fields_set else _DAYS[defaults.frequency]


def _named(frequency: Frequency, days: tuple[Weekday, ...]) -> tuple[Frequency, tuple[Weekday, ...]]:
    """A digest for each of some days is called after them: `weekdays` is every one of these, and `daily` the rest."""
    if frequency == "weekly":
        return frequency, days
    return "weekdays" if days == _WORKDAYS else "daily", days
