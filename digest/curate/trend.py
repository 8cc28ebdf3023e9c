"""Votes, comments and stars, day by day → how each paper is doing with everybody. Pure.

    heat  = 2^(-age / 7) · level + pace
    level = ln(1 + votes) + ½ ln(1 + comments) + ¼ ln(1 + stars)
    pace  = the same of what each gained per day since the last earlier day on record
    score = heat / the batch's greatest heat

Age is in whole days since the paper became known here, so level halves every week while pace keeps an older paper up
as long as it moves. A logarithm, because the step from 5 to 10 votes says as much as that from 50 to 100. Without an
earlier day, votes and comments count as gained evenly since then; stars do not, since a repository is often years
older than its paper. What a source does not say counts nothing, and nothing is taken away for it; a falling number
is no gain. So more votes, comments or stars never lower a paper's score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from digest.model import DaySignals, Signals, StoredPaper, Trend

#: days in which the level of a paper loses half its weight
HALF_LIFE = 7
_COMMENTS = 0.5
_STARS = 0.25


def trends(
    papers: Sequence[StoredPaper], history: Mapping[str, Sequence[DaySignals]], *, today: date
) -> Mapping[str, Trend]:
    """A trend for every paper, by key, in the order of the papers.

    Args:
        papers: the batch within which scores are compared.
        history: what sources said about each paper, by key, in any order; days after `today` are ignored. A paper
            without history is taken at the signals it was stored with.
        today: the UTC day as of which changes and ages are counted.
    """
    courses = {stored.paper.key: _course(stored, history.get(stored.paper.key, ()), today) for stored in papers}
    heats = {stored.paper.key: _heat(courses[stored.paper.key], _age(stored, today)) for stored in papers}
    hottest = max(heats.values(), default=0.0)
    return {key: _trend(course, heats[key] / hottest if hottest else 0.0) for key, course in courses.items()}


@dataclass(frozen=True, slots=True)
class _Course:
    """What is known now, and what was known on the last earlier day on record."""

    now: Signals
    before: Signals
    #: whole days from that day to today; None: there is no such day
    days: int | None


def _course(stored: StoredPaper, history: Sequence[DaySignals], today: date) -> _Course:
    days = sorted({entry.day for entry in history if entry.day <= today})
    if not days:
        return _Course(stored.paper.signals, Signals(), None)
    now = _known(history, days[-1])
    if len(days) == 1:
        return _Course(now, Signals(), None)
    return _Course(now, _known(history, days[-2]), (today - days[-2]).days)


def _known(history: Sequence[DaySignals], day: date) -> Signals:
    """The last word on each signal up to a day, the largest where sources differ."""
    past = [entry for entry in history if entry.day <= day]

    def last(read: Callable[[Signals], int | None]) -> int | None:
        said = [(entry.day, value) for entry in past if (value := read(entry.signals)) is not None]
        return max(said)[1] if said else None

    return Signals(last(lambda s: s.upvotes), last(lambda s: s.comments), last(lambda s: s.stars))


def _age(stored: StoredPaper, today: date) -> int:
    return max(0, (today - stored.first_seen_at.date()).days)


def _heat(course: _Course, age: int) -> float:
    now, before = course.now, course.before
    days = age + 1 if course.days is None else max(1, course.days)
    stars = _gain(now.stars, before.stars, days) if before.stars is not None else 0.0
    pace = _sum(_gain(now.upvotes, before.upvotes, days), _gain(now.comments, before.comments, days), stars)
    return float(2 ** (-age / HALF_LIFE)) * _sum(now.upvotes or 0, now.comments or 0, now.stars or 0) + pace


def _gain(now: int | None, before: int | None, days: int) -> float:
    """Per day, at least 0."""
    return max(0, (now or 0) - (before or 0)) / days


def _sum(upvotes: float, comments: float, stars: float) -> float:
    return math.log1p(upvotes) + _COMMENTS * math.log1p(comments) + _STARS * math.log1p(stars)


def _trend(course: _Course, score: float) -> Trend:
    now, before = course.now, course.before
    return Trend(
        score=score,
        upvotes=now.upvotes,
        upvotes_change=_change(now.upvotes, before.upvotes),
        comments=now.comments,
        comments_change=_change(now.comments, before.comments),
        stars=now.stars,
        stars_change=_change(now.stars, before.stars),
        change_days=course.days,
    )


def _change(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before
