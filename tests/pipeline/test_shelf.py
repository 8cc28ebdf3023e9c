"""Who had a digest lately is planned from fewer papers; without a limit and a floor it has the same ones in it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from digest.curate.offer import Request
from digest.curate.query import parse
from digest.model import DaySignals, StoredPaper
from digest.pipeline.shelf import Pool, Shelf, Span
from tests.makers import NOW, TODAY, paper, signals, subscriber

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from digest.model import Digest

DAY = timedelta(days=1)
READER = subscriber(keywords=("moss", "gears", "-iron"), max_papers=100, trending=100, min_score=0.0)
WORDS = ("moss", "gears", "iron", "sand", "bees", "snow", "glass", "ferns")


def stored(number: int, days_ago: int, *, about: int, votes: int = 0, copy_of: int | None = None) -> StoredPaper:
    """A paper of a day; one with `copy_of` has the words of that paper."""
    named = number if copy_of is None else copy_of
    abstract = " ".join(f"{WORDS[about]} {word}{named}" for word in ("alpha", "beta", "gamma", "delta", "epsilon"))
    one = paper(number, title=f"{WORDS[about]} {named}", abstract=abstract, signals=signals(upvotes=votes))
    at = NOW - days_ago * DAY
    return StoredPaper(one, at, at.date())


def shelf(papers: Sequence[StoredPaper], *, enough: int = 1) -> Shelf:
    def said() -> dict[str, list[DaySignals]]:
        return {one.paper.key: [DaySignals("arxiv", TODAY, one.paper.signals, NOW)] for one in papers}

    oldest_first = tuple(sorted(papers, key=lambda one: (one.first_seen_at, one.paper.key)))
    return Shelf(oldest_first, said, {}, NOW, lookback_days=8, trending_days=7, enough=enough)


def selected(span: Span, pool: Pool, *, since: datetime, seen: Collection[str] = ()) -> Digest:
    queries = [parse(keyword) for keyword in READER.keywords]
    request = Request(READER, queries, since=since, seen=frozenset(seen), local_date=TODAY, planned_at=NOW)
    (digest,) = span.select(pool, [request])
    return digest


def parts(digest: Digest) -> set[tuple[str, str]]:
    return {(pick.part, pick.paper.key) for pick in digest.picks}


PAPERS = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, len(WORDS) - 1), st.sampled_from((0, 0, 0, 9, 70)), st.booleans()),
    min_size=1,
    max_size=25,
)


@given(PAPERS, st.sets(st.integers(0, 60)), st.integers(0, 2))
def test_a_digest_of_the_latest_papers_has_what_one_of_all_has(
    drawn: list[tuple[int, int, int, bool]], mailed: set[int], days_ago: int
) -> None:
    """The same papers in the same parts, the same counts, and no copy of a paper that was mailed days ago."""
    papers = [stored(number, 7, about=4) for number in range(100, 140)]  # nobody wants to know of these
    for number, (age, about, votes, is_copy) in enumerate(drawn):
        _, first_about, _, _ = drawn[0]
        papers.append(
            stored(number, age, about=first_about if is_copy else about, votes=votes, copy_of=0 if is_copy else None)
        )
    since = NOW - days_ago * DAY
    seen = {one.paper.key for number, one in enumerate(papers[40:]) if number in mailed and one.first_seen_at <= since}
    span = (laid_out := shelf(papers)).span(READER)

    latest = selected(span, span.pool(since, returned=False), since=since, seen=seen)
    whole = selected(span, laid_out.whole, since=since, seen=seen)

    assert parts(whole) == parts(latest)
    assert (whole.considered, whole.matched, whole.seen_before) == (
        latest.considered,
        latest.matched,
        latest.seen_before,
    )


def test_the_latest_papers_are_fewer_and_the_popular_and_the_copied_are_among_them() -> None:
    old = [stored(number, 6, about=4) for number in range(100, 140)]
    trending, copied, today = stored(1, 5, about=4, votes=50), stored(2, 5, about=0), stored(3, 0, about=0, copy_of=2)
    span = shelf([*old, trending, copied, today]).span(READER)

    pool = span.pool(NOW - DAY, returned=False)

    assert {trending.paper.key, copied.paper.key, today.paper.key} == {one.paper.key for one in pool.papers}


def test_who_needs_older_papers_is_planned_from_all() -> None:
    """New readers, those who come back from a pause, and those whose mail was given up."""
    laid_out = shelf([*(stored(number, 6, about=4) for number in range(100, 140)), stored(1, 0, about=0)])
    span = laid_out.span(READER)
    weekly = subscriber(frequency="weekly")

    assert laid_out.whole is span.pool(NOW - 3 * DAY, returned=False)
    assert laid_out.whole is span.pool(NOW - DAY, returned=True)
    assert laid_out.whole is laid_out.span(weekly).pool(NOW - 7 * DAY, returned=False)
    assert laid_out.whole is not span.pool(NOW - DAY, returned=False)


def test_few_papers_are_all_looked_at() -> None:
    laid_out = shelf([*(stored(number, 6, about=4) for number in range(100, 140)), stored(1, 0, about=0)], enough=41)

    assert laid_out.whole is laid_out.span(READER).pool(NOW - DAY, returned=False)
