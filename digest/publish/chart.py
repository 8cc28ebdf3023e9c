"""What was said of a paper day by day → small charts of its votes and stars, and the same as a table. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from digest.compose.words import compact, counted, short_day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

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


def charts(history: Sequence[DaySignals]) -> tuple[Chart, ...]:
    """A chart of the votes and one of the stars; each only if it is known for two days or more, and not nothing."""
    made = (
        _chart("Votes", "upvote", _by_day(history, "upvotes")),
        _chart("Stars", "star", _by_day(history, "stars")),
    )
    return tuple(chart for chart in made if chart)


def table(history: Sequence[DaySignals]) -> tuple[tuple[str, str, str, str], ...]:
    """Day, votes, comments and stars, the newest day first; empty cells: nobody said."""
    votes, comments, stars = (_by_day(history, kind) for kind in ("upvotes", "comments", "stars"))
    days = sorted({*votes, *comments, *stars}, reverse=True)
    return tuple((day.isoformat(), _cell(votes, day), _cell(comments, day), _cell(stars, day)) for day in days)


def _cell(counts: Mapping[date, int], day: date) -> str:
    return f"{counts[day]:,}" if day in counts else ""


def _by_day(history: Sequence[DaySignals], kind: str) -> dict[date, int]:
    """Where sources differ, the highest count of the day."""
    found: dict[date, int] = {}
    for said in history:
        if (count := getattr(said.signals, kind)) is not None:
            found[said.day] = max(count, found.get(said.day, 0))
    return found


def _chart(title: str, noun: str, counts: Mapping[date, int]) -> Chart | None:
    days = sorted(counts)
    if len(days) < 2 or not any(counts.values()):
        return None
    first, last, most = days[0], days[-1], max(counts.values())
    points = tuple(
        Point(
            x=round(_LEFT + (_RIGHT - _LEFT) * (day - first).days / (last - first).days, 1),
            y=round(_BOTTOM - (_BOTTOM - _TOP) * counts[day] / most, 1),
            text=f"{short_day(day)}: {counted(counts[day], noun)}",
        )
        for day in days
    )
    told = f"{title}: {counted(counts[first], noun)} on {short_day(first)}, {counts[last]:,} on {short_day(last)}"
    return Chart(title, told, points, compact(most), short_day(first), short_day(last))
