"""What was said of a paper day by day → small charts of its votes and stars, and the same as a table. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from digest.languages.language import Language
    from digest.model import DaySignals

_WIDTH, _HEIGHT = 320, 140
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 314, 12, 110


@dataclass(frozen=True, slots=True)
class Point:
    """One day."""

    x: float
    y: float
    #: `15 Sep: 142 upvotes`
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A line from the first day to the last, above nothing; lengths in units of the drawing, from its top left."""

    title: str
    #: the whole chart in a sentence, for who does not see it
    told: str
    points: tuple[Point, ...]
    #: labels of the axes: the greatest count, the first day and the last
    most: str
    first: str
    last: str
    width: int = _WIDTH
    height: int = _HEIGHT
    left: int = _LEFT
    right: int = _RIGHT
    top: int = _TOP
    bottom: int = _BOTTOM

    @property
    def line(self) -> str:
        """The points as SVG has them."""
        return " ".join(f"{point.x:g},{point.y:g}" for point in self.points)


def charts(history: Sequence[DaySignals], language: Language) -> tuple[Chart, ...]:
    """A chart of the votes and one of the stars; each only if it is known for two days or more, and not nothing."""

    def votes(count: int) -> str:
        return language.counted(count, "%(count)s upvote", "%(count)s upvotes")

    def stars(count: int) -> str:
        return language.counted(count, "%(count)s star", "%(count)s stars")

    made = (
        _chart(language.say("Votes"), votes, _by_day(history, "upvotes"), language),
        _chart(language.say("Stars"), stars, _by_day(history, "stars"), language),
    )
    return tuple(chart for chart in made if chart)


def table(history: Sequence[DaySignals], language: Language) -> tuple[tuple[str, str, str, str], ...]:
    """Day, votes, comments and stars, the newest day first; empty cells: nobody said."""
    votes, comments, stars = (_by_day(history, kind) for kind in ("upvotes", "comments", "stars"))
    days = sorted({*votes, *comments, *stars}, reverse=True)

    def cell(counts: Mapping[date, int], day: date) -> str:
        return language.number(counts[day]) if day in counts else ""

    return tuple((day.isoformat(), cell(votes, day), cell(comments, day), cell(stars, day)) for day in days)


def _by_day(history: Sequence[DaySignals], kind: str) -> dict[date, int]:
    """Where sources differ, the highest count of the day."""
    found: dict[date, int] = {}
    for said in history:
        if (count := getattr(said.signals, kind)) is not None:
            found[said.day] = max(count, found.get(said.day, 0))
    return found


def _chart(title: str, counted: Callable[[int], str], counts: Mapping[date, int], language: Language) -> Chart | None:
    days = sorted(counts)
    if len(days) < 2 or not any(counts.values()):
        return None
    first, last, most = days[0], days[-1], max(counts.values())
    points = tuple(
        Point(
            x=round(_LEFT + (_RIGHT - _LEFT) * (day - first).days / (last - first).days, 1),
            y=round(_BOTTOM - (_BOTTOM - _TOP) * counts[day] / most, 1),
            text=language.say("%(day)s: %(what)s", day=language.short_day(day), what=counted(counts[day])),
        )
        for day in days
    )
    since, until = language.short_day(first), language.short_day(last)
    told = language.say(
        "%(title)s: %(before)s on %(since)s, %(now)s on %(until)s",
        title=title,
        before=counted(counts[first]),
        since=since,
        now=language.number(counts[last]),
        until=until,
    )
    return Chart(title, told, points, language.compact(most), since, until)
