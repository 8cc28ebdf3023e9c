"""The English of what is no mail: pages of the archive; and how sources are called in every language. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.languages.language import ENGLISH
from digest.model import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.model import Weekday

#: sources whose configured name has a usual spelling; all others are shown as configured
_SOURCES = {"arxiv": "arXiv", "huggingface": "Hugging Face", "biorxiv": "bioRxiv", "medrxiv": "medRxiv"}

long_day, short_day = ENGLISH.long_day, ENGLISH.short_day
counted, compact, listed = ENGLISH.counted, ENGLISH.compact, ENGLISH.listed
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def weekdays(days: Sequence[Weekday]) -> str:
    """On which days, in the order of the week.

    >>> weekdays(("thu", "mon")), weekdays(WEEKDAYS)
    ('on Monday and Thursday', 'every day')
    """
    names = [name for name, day in zip(_WEEKDAYS, WEEKDAYS, strict=True) if day in days]
    if len(names) == len(WEEKDAYS):
        return "every day"
    return "on " + " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def source_name(name: str) -> str:
    """A source's usual spelling."""
    return _SOURCES.get(name, name)
