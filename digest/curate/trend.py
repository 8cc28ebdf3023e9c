"""What sources said of papers, day by day → how each paper is doing with everybody. Pure.

    score  = heat / the greatest heat of the batch                                    0..1
    heat   = 2^(-age / 7 days) · level · sources^¼ + pace                             bits
    level  = ‖ rarity of votes, of comments, of stars, of the place in the list ‖     bits
    pace   = ‖ 2^(-silence / 1 day) · rarity of the gain of votes, comments, stars ‖  bits, a gain being per 24 hours
    rarity = log2(1 / the share of the source's numbers of that kind which are as high)
    ‖ … ‖  = the fourth root of the sum of fourth powers

- What is much is learned, for each source and each thing it counts, from all it said of the batch on all days on
  record: a number at b bits is reached by one in 2^b. So votes, stars and places add up, and so does what a source
  of tomorrow counts, without weights to settle.
- The norm lets the strongest signal count nearly alone: one that is weak takes nothing away, and one that is missing
  costs 1.5 % if it would have been half as strong as the strongest, 16 % if as strong, nothing if the source says 0.
- Age is the time since the paper appeared, or since a week before it became known here if it is older: level halves
  every week, while pace keeps an older paper up as long as it moves.
- A gain is what came in the 24 hours before the source last spoke of the paper; silence is the time since then. Counts
  are taken to grow evenly between two readings. When a source speaks of a paper for the first time, votes and comments
  began at nothing when the source was read before, or if it was not, when the paper appeared, at least a day ago. Stars
  did not, for a repository may be years older than its paper: those it had at first are no gain. A place is never one,
  for lists begin anew; and without votes it is none.
- For the digest of a week (`days = 7`) a gain is what came in 7 days, and silence fades at that pace.
- A number that falls is no gain, and what a source does not say counts as nothing. So more votes, comments, stars or
  sources, and a better place, never lower a paper's score.
- All times are in seconds, rounded down: nothing happens at midnight.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

import numpy as np

from digest.curate.course import DAY_S, Course, course, rarity
from digest.model import DaySignals, Signals, Trend

if TYPE_CHECKING:
    from datetime import datetime

    from digest.curate.vector import Mask, Numbers, Values
    from digest.model import Source, StoredPaper

#: days in which the level of a paper loses half its weight
HALF_LIFE = 7
#: a paper is at most so many days older than what is known of it here
_HEAD_START = 7
#: seconds between two readings of which the later tells a change: with less, a change "since yesterday" could be one
#: since a minute before midnight
_APART_S = DAY_S / 2
#: seconds by which a word may be ahead of now: it was said at an hour unknown, or the clock was set back
_AHEAD_S = DAY_S / 2
#: as rows hold them; the place is negative, so that more is better as it is of all others
_KINDS = ("upvotes", "comments", "stars", "position")
#: what begins with the paper, at nothing
_FROM_NOTHING = frozenset({"upvotes", "comments"})
#: a gain of fewer votes, comments or stars is no rise
_LEAST_RISE = 5
_EPOCH = 719_163  # the ordinal of 1970-01-01
_NO_ORIGINS: Mapping[str, str] = MappingProxyType({})

#: (kind, source): sources of a kind are next to each other when sorted
_Courses: TypeAlias = Mapping[tuple[str, str], Course]


def trends(
    papers: Sequence[StoredPaper],
    history: Mapping[str, Sequence[DaySignals]],
    *,
    now: datetime,
    origins: Mapping[str, str] = _NO_ORIGINS,
    days: int = 1,
) -> Mapping[str, Trend]:
    """A trend for every paper, by key, in the order of the papers.

    Args:
        papers: the batch within which scores are compared.
        history: what sources said about each paper, by key, in any order; what was said more than half a day
            after `now` is ignored. A paper without history is taken at the signals it was stored with.
        now: aware; the moment as of which changes and ages are counted.
        origins: by source, who is behind it (see `origins_of`); sources with the same origin are one. A source that
            is not named here is its own.
        days: how long a time gains and changes are counted over; 1: since about yesterday.
    """
    present = _second(now)
    courses = _courses(papers, history, present)
    sources = [len({origins.get(name, name) for name in stored.paper.sources}) for stored in papers]
    scores = _scores(papers, courses, np.maximum(1.0, sources), present, days).tolist()
    rising = _rising_again(courses, len(papers), present).tolist()
    shown = _shown(courses, len(papers), present, days)
    return {
        stored.paper.key: Trend(
            score=scores[number],
            upvotes=shown["upvotes"][number],
            upvotes_change=shown["upvotes_change"][number],
            comments=shown["comments"][number],
            stars=shown["stars"][number],
            stars_change=shown["stars_change"][number],
            change_days=shown["change_days"][number],
            sources=sources[number],
            known_days=max(0, round((present - _second(stored.first_seen_at)) / DAY_S)),
            rising_again=rising[number],
        )
        for number, stored in enumerate(papers)
    }


def origins_of(sources: Iterable[Source]) -> Mapping[str, str]:
    """By name of a source, who is behind it: arXiv, Hugging Face, else the host of its address, else itself.

    Two feeds of one journal's site, or arXiv's feed and a search of arXiv, are not two who found a paper worth
    listing.
    """
    return {source.name: _origin(source) for source in sources}


def _origin(source: Source) -> str:
    if source.type in {"arxiv", "arxiv-api"}:
        return "arxiv.org"
    if source.type == "huggingface":
        return "huggingface.co"
    host = (urlsplit(source.url).hostname or "").removeprefix("www.")
    return "arxiv.org" if host.endswith(".arxiv.org") else host or source.name


# --- what was said --------------------------------------------------------------------------------------------------


def _courses(papers: Sequence[StoredPaper], history: Mapping[str, Sequence[DaySignals]], now: float) -> _Courses:
    """What each source counted of the papers, which go by their number."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    for number, stored in enumerate(papers):
        for entry in history.get(stored.paper.key) or [_first_word(stored)]:
            at = _said_at(entry, now)
            if at <= now:
                rows.setdefault(entry.source, []).append((number, at, *_counts(entry.signals)))
    courses = {}
    for source, said in rows.items():
        columns = np.array(said, np.float64).T
        for kind, counts in zip(_KINDS, columns[2:], strict=True):
            if not np.isnan(counts).all():
                courses[kind, source] = course(columns[0], columns[1], counts)
    # sums are in this order, so that none depends on what came first
    return dict(sorted(courses.items()))


def _first_word(stored: StoredPaper) -> DaySignals:
    source = next(iter(stored.paper.sources), "")
    return DaySignals(source, stored.first_seen_at.date(), stored.paper.signals, stored.first_seen_at)


def _said_at(entry: DaySignals, now: float) -> float:
    """At noon of its day if the hour is unknown. What was said a little later than now was said now."""
    noon = (entry.day.toordinal() - _EPOCH) * DAY_S + DAY_S / 2
    at = noon if entry.at is None else _second(entry.at)
    return now if now < at <= now + _AHEAD_S else at


def _second(at: datetime) -> float:
    """Since 1970."""
    return float(math.floor(at.timestamp()))


def _counts(signals: Signals) -> tuple[float, ...]:
    """By the order of `_KINDS`; NaN: not said."""
    place = signals.position if signals.upvotes != 0 else None
    counts = (signals.upvotes, signals.comments, signals.stars, None if place is None else -place)
    return tuple([math.nan if count is None else count for count in counts])


# --- the formula ----------------------------------------------------------------------------------------------------


def _scores(papers: Sequence[StoredPaper], courses: _Courses, sources: Values, now: float, days: int) -> Values:
    born = np.array([_born(stored) for stored in papers])
    level, pace = _Norm(len(papers)), _Norm(len(papers))
    for (kind, source), one in courses.items():
        last = one.latest()
        known = one.papers[last]
        reached = rarity(one.counts[last], one.counts)
        level.add(known, np.where(one.counts[last] == 0, 0.0, reached))
        if kind != "position":
            starts = _starts(one, _readings(courses, source), born[known], from_nothing=kind in _FROM_NOTHING)
            gains = one.gains(starts, days=days)
            fading = np.exp2((one.moments[last] - now) / (days * DAY_S))
            pace.add(known, np.where(gains[last] > 0, fading * rarity(gains[last], gains), 0.0))
    age = np.maximum(0.0, now - born) / DAY_S
    heat = np.exp2(-age / HALF_LIFE) * level.sums() * _fourth_root(sources) + pace.sums()
    hottest = heat.max(initial=0.0)
    return heat / hottest if hottest else heat


def _born(stored: StoredPaper) -> float:
    """Since when its age counts."""
    known = _second(stored.first_seen_at)
    published = known if stored.paper.published is None else _second(stored.paper.published)
    return min(known, max(published, known - _HEAD_START * DAY_S))


def _readings(courses: _Courses, source: str) -> Values:
    """When the source counted anything, ascending."""
    return np.unique(np.concatenate([one.moments for (_, name), one in courses.items() if name == source]))


def _starts(one: Course, readings: Values, born: Values, *, from_nothing: bool) -> Values:
    """For each paper of the course, when it had nothing; NaN: unknown."""
    if not from_nothing:
        return np.full(len(born), np.nan)
    first = one.moments[np.unique(one.papers, return_index=True)[1]]
    before = np.searchsorted(readings, first) - 1
    return np.where(before >= 0, readings[before], np.minimum(born, first - DAY_S))


class _Norm:
    """Bits of several signals for each of some papers, as one number."""

    def __init__(self, papers: int) -> None:
        self._sums = np.zeros(papers)

    def add(self, numbers: Numbers, bits: Values) -> None:
        """One signal of some papers, each of them once."""
        self._sums[numbers] += (bits * bits) * (bits * bits)

    def sums(self) -> Values:
        """0 without any signal."""
        return _fourth_root(self._sums)


def _fourth_root(numbers: Values) -> Values:
    """By roots of roots, which unlike powers are rounded right everywhere, and so never fall as the number grows."""
    return np.sqrt(np.sqrt(numbers))


# --- in numbers to show ---------------------------------------------------------------------------------------------


def _rising_again(courses: _Courses, papers: int, now: float) -> Mask:
    """Whether each paper had come to rest and moves again.

    It moves if a source that spoke of it within a day counted at least 5 votes, comments or stars more in 24 hours,
    and a tenth of what there were. It had come to rest if there were as many as 5 before, and in the two days before
    came less than a quarter of what came since.
    """
    rising = np.zeros(papers, np.bool_)
    for (kind, _), one in courses.items():
        if kind == "position":
            continue
        last = one.latest()
        known, moments, count = one.papers[last], one.moments[last], one.counts[last]
        had, earlier = (one.between(known, moments - days * DAY_S) for days in (1, 3))
        gain = count - had
        moves = (moments > now - DAY_S) & (gain >= _LEAST_RISE) & (gain >= had / 10)
        said_then = ~np.isnan(one.said(known, moments - 3 * DAY_S))
        rising[known] |= moves & said_then & (had >= _LEAST_RISE) & (had - earlier < gain / 4)
    return rising


def _shown(courses: _Courses, papers: int, now: float, days: int) -> Mapping[str, list[int | None]]:
    """The fields of a Trend that are counts and changes of counts, and `change_days`, for each paper.

    Where sources differ, the highest of their last counts, and how that one changed.
    """
    before = _before(courses.values(), papers, days)
    fields = {f"{kind}{what}": np.full(papers, np.nan) for kind in _KINDS[:-1] for what in ("", "_change")}
    for (kind, _), one in courses.items():
        if kind == "position":
            continue
        last = one.latest()
        known, count = one.papers[last], one.counts[last]
        best = ~(count <= fields[kind][known])
        fields[kind][known[best]] = count[best]
        fields[f"{kind}_change"][known[best]] = (count - one.said(known, before[known]))[best]
    fields["change_days"] = np.where(before > -np.inf, np.maximum(1, np.round((now - before) / DAY_S)), np.nan)
    return {
        name: [None if math.isnan(number) else int(number) for number in column.tolist()]
        for name, column in fields.items()
    }


def _before(courses: Collection[Course], papers: int, days: int) -> Values:
    """For each paper the moment its changes are counted from; -inf: nothing was counted so early.

    Of what was counted `days` before the last reading, or half a day less, the last; if nothing was, the first of all.
    """
    latest, before = np.full(papers, -np.inf), np.full(papers, -np.inf)
    first = np.full(papers, np.inf)
    for one in courses:
        np.maximum.at(latest, one.papers, one.moments)
        np.minimum.at(first, one.papers, one.moments)
    for one in courses:
        early = one.moments <= latest[one.papers] - (days - 1) * DAY_S - _APART_S
        np.maximum.at(before, one.papers[early], one.moments[early])
    young = (before == -np.inf) & (first <= latest - _APART_S)
    before[young] = first[young]
    return before
