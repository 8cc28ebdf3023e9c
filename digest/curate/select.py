"""A subscriber, ranked papers and trends → the subscriber's digest. Decides only; pure.

For you    new papers that match, best first: not seen, not below the floor, no near copies
Trending   what everybody reads: moving, not seen, not unwanted, not already in For you
missed     the next ones by title, each with the reason
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Literal

from digest.curate.query import parse
from digest.curate.rank import Scored
from digest.curate.reasons import why
from digest.curate.similar import is_near_copy
from digest.model import Digest, Match, Missed, Paper, Pick, StoredPaper, Subscriber, Trend

#: how much of a For-you score is the trend: enough to order papers of about equal relevance, no more
TREND_SHARE = 0.05

_UNKNOWN = Trend()


def select(
    subscriber: Subscriber,
    ranked: Sequence[Scored],
    trends: Mapping[str, Trend],
    pool: Sequence[StoredPaper],
    *,
    eligible: AbstractSet[str],
    seen: AbstractSet[str],
    unwanted: AbstractSet[str],
    local_date: date,
    planned_at: datetime,
    trending_from: AbstractSet[str],
    missed_max: int = 5,
) -> Digest:
    """One subscriber's digest; empty if there is nothing for them.

    Without a keyword that looks for something there is no For you; Trending then may be as long as For you.

    Args:
        subscriber: whose limits and floor count.
        ranked: the papers that match the subscriber's keywords, in any order.
        trends: by key; a paper without one does not trend.
        pool: every paper that may appear.
        eligible: keys that are news for the subscriber and may stand in For you.
        seen: keys delivered to the subscriber, or on their way; never picked again.
        unwanted: keys that the subscriber's keywords exclude; `ranked` has none of them.
        local_date: the subscriber's day.
        planned_at: when this is decided.
        trending_from: keys that may stand in Trending.
        missed_max: most papers named as missed.
    """
    news = [scored for scored in ranked if scored.paper.key in eligible]
    candidates = sorted(
        (scored for scored in news if scored.paper.key not in seen),
        key=lambda scored: (-_interest(scored, trends), scored.paper.key),
    )
    for_you = _for_you(subscriber, candidates)
    papers = [scored.paper for scored in for_you]
    taken = {paper.key for paper in papers}
    free = trending_from - taken - seen - unwanted
    trending = _trending(
        (stored.paper for stored in pool if stored.paper.key in free),
        trends,
        papers,
        most=subscriber.trending if _looks_for_something(subscriber) else subscriber.max_papers,
    )
    taken |= {paper.key for paper in trending}
    matches = {scored.paper.key: scored.matches for scored in ranked if scored.paper.key in taken}
    return Digest(
        subscriber=subscriber,
        local_date=local_date,
        planned_at=planned_at,
        picks=(
            *(_pick(s.paper, "for_you", _interest(s, trends), matches[s.paper.key], trends) for s in for_you),
            *(_pick(p, "trending", trends[p.key].score, matches.get(p.key, ()), trends) for p in trending),
        ),
        missed=tuple(itertools.islice(_missed(subscriber, candidates, papers, taken), missed_max)),
        considered=len(eligible),
        matched=len(news),
        seen_before=sum(scored.paper.key in seen for scored in news),
    )


def _interest(scored: Scored, trends: Mapping[str, Trend]) -> float:
    """Relevance with a share of trend, 0..1."""
    trend = trends.get(scored.paper.key, _UNKNOWN)
    return (1 - TREND_SHARE) * scored.score + TREND_SHARE * trend.score


def _for_you(subscriber: Subscriber, candidates: Iterable[Scored]) -> list[Scored]:
    chosen: list[Scored] = []
    for scored in candidates:
        if len(chosen) == subscriber.max_papers:
            break
        if not _against(scored, subscriber, [other.paper for other in chosen]):
            chosen.append(scored)
    return chosen


def _missed(
    subscriber: Subscriber, candidates: Iterable[Scored], for_you: Sequence[Paper], taken: AbstractSet[str]
) -> Iterator[Missed]:
    """The candidates that are nowhere in the digest, best first, each with the reason."""
    for scored in candidates:
        paper = scored.paper
        if paper.key not in taken:
            reason = _against(scored, subscriber, for_you) or f"below your {subscriber.max_papers} papers"
            yield Missed(paper.key, paper.title, paper.url, reason)


def _against(scored: Scored, subscriber: Subscriber, chosen: Sequence[Paper]) -> str:
    """What speaks against a paper even if there is room, in words; empty if nothing does."""
    if scored.score < subscriber.min_score:
        return f"score {scored.score:.2f} under your floor {subscriber.min_score:g}"
    copied = next((other for other in chosen if is_near_copy(scored.paper, other)), None)
    return f"very like “{copied.title}”" if copied else ""


def _trending(
    papers: Iterable[Paper], trends: Mapping[str, Trend], for_you: Sequence[Paper], *, most: int
) -> list[Paper]:
    moving = [paper for paper in papers if paper.key in trends and trends[paper.key].score > 0]
    chosen: list[Paper] = []
    for paper in sorted(moving, key=lambda paper: (-trends[paper.key].score, paper.key)):
        if len(chosen) >= most:
            break
        if not any(is_near_copy(paper, other) for other in (*for_you, *chosen)):
            chosen.append(paper)
    return chosen


def _looks_for_something(subscriber: Subscriber) -> bool:
    return any(not parse(entry).excludes for entry in subscriber.keywords)


def _pick(
    paper: Paper,
    part: Literal["for_you", "trending"],
    score: float,
    matches: tuple[Match, ...],
    trends: Mapping[str, Trend],
) -> Pick:
    trend = trends.get(paper.key, _UNKNOWN)
    # the numbers stand beside every paper already; they are the reason only for what trends
    reasons = why(matches, trend if part == "trending" else _UNKNOWN)
    return Pick(paper=paper, part=part, score=score, matches=matches, trend=trend, why=reasons)
