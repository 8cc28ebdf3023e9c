"""Adding up keywords' evidence over the papers: the same as one paper at a time, whatever is shared and remembered."""

from __future__ import annotations

import doctest
import math
import statistics
from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import digest.curate.vector
from digest.curate.evidence import Evidence, EvidenceIndex
from digest.curate.neighbours import Neighbours, by_subjects_too
from digest.curate.offer import TREND_SHARE, Offer, Request
from digest.curate.query import Query, parse
from digest.curate.rank import Ranking
from digest.curate.subjects import Subjects
from digest.curate.vector import added_up, greatest, greatest_of_each, vector
from digest.model import Digest, Paper, StoredPaper, Trend
from tests.curate.near_copy import is_near_copy
from tests.makers import NOW, TODAY, paper, subscriber

_TEXTS = [
    ("Whales Sing", "Songs of whales in cold fjords, one song a year, heard from a boat."),
    ("Sand and Dunes", "A dune moves over sand; songs of sand are heard at night in the desert."),
    ("A Gate Routes Tokens", "Experts are chosen by a learned gate, and tokens are routed to few experts."),
    ("Whales Sing Again", "Songs of whales in cold fjords, one song a year, heard from a boat."),
    ("Mixture of Experts", "Tokens and experts; a mixture of gates for whales, and a song."),
    ("Dunes of Snow", "Snow moves like sand, and a boat of whales watches the cold dune."),
    ("Songs", "A learned model of songs: tokens of sound, a gate for silence."),
    ("On Boats", "Boats in fjords, boats on sand, boats at night."),
]
PAPERS = [paper(number, title=title, abstract=text) for number, (title, text) in enumerate(_TEXTS * 2)]
ENTRIES = [
    "whales",
    "song",
    "sand^3",
    "tokens",
    "gate AND experts",
    "cold fjords",
    "dune OR boat",
    "whal*",
    "night^0.5",
]
EXCLUSIONS = ["-snow", "-silence", "+songs", "+sand OR tokens"]


class Plainly:
    """The digest of one reader, one paper at a time, with nothing shared: the rules as `rank` and `offer` tell them."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self.papers = papers
        self.evidence = EvidenceIndex(papers)
        neighbours = Neighbours(self.evidence.text.terms(), len(papers))
        near = by_subjects_too(neighbours.of, Subjects(papers), len(papers))
        alike = [dict(zip(*map(np.ndarray.tolist, near(n)), strict=True)) for n in range(len(papers))]
        popularity = [sum(one.get(n, 0.0) for one in alike) for n in range(len(papers))]
        worth = [max(0.05, one / statistics.median(popularity)) ** -0.75 for one in popularity]
        self.likeness = [{n: value * worth[n] for n, value in one.items()} for one in alike]

    def totals(self, queries: Sequence[Query]) -> Mapping[int, float]:
        found = [(query, self.evidence.of(query.node)) for query in queries if not query.excludes]
        optional = [evidence.matched for query, evidence in found if not query.required]
        required = [evidence.matched for query, evidence in found if query.required]
        unwanted = [self.evidence.exactly(query.node) for query in queries if query.excludes]
        matched = [
            number
            for number in range(len(self.papers))
            if any(number in one for one in optional or required)
            and all(number in one for one in required)
            and not any(number in one for one in unwanted)
        ]
        sums = [math.fsum(evidence.values.get(n, 0.0) for _, evidence in found) for n in range(len(self.papers))]
        voters = sorted(matched, key=lambda number: (-round(sums[number], 10), number))[:20]
        votes = [0.0] * len(self.papers)
        for voter in voters:
            for number, likeness in {**self.likeness[voter], voter: 0.1}.items():
                votes[number] += likeness * sums[voter] / sums[voters[0]]
        share = 1.5 * len(voters) / 20 * sums[voters[0]] / (max(votes) or 1.0) if voters else 0.0
        return {number: sums[number] + share * votes[number] for number in matched}

    def digest(self, request: Request, trends: Mapping[str, Trend]) -> tuple[list[tuple[str, float]], list[str], int]:
        """For you with its scores, the titles missed, and how many matched, Trending being none of the reader's."""
        reader = request.subscriber
        totals = self.totals(request.queries)
        relevance = {n: 1 - math.exp(-min(total, 60) / 2) for n, total in totals.items()}
        had = [one for one in self.papers if one.key in request.seen]
        interest = {
            n: (1 - TREND_SHARE) * value + TREND_SHARE * trends[self.papers[n].key].score
            for n, value in relevance.items()
            if not any(self.papers[n] is one or is_near_copy(self.papers[n], one) for one in had)
        }
        chosen: list[int] = []
        missed: list[int] = []
        for number in sorted(interest, key=lambda number: (-round(interest[number], 9), number)):
            copy = any(is_near_copy(self.papers[number], self.papers[other]) for other in chosen)
            free = len(chosen) < reader.max_papers and relevance[number] >= reader.min_score and not copy
            (chosen if free else missed).append(number)
        titles = [self.papers[number].key for number in missed[:5]]
        return [(self.papers[number].key, interest[number]) for number in chosen], titles, len(totals)


def shown(digest: Digest) -> tuple[list[str], list[str], int]:
    return [pick.paper.key for pick in digest.picks], [missed.key for missed in digest.missed], digest.matched


TRENDS = {one.key: Trend(score=number % 5 / 4) for number, one in enumerate(PAPERS)}
RANKING = Ranking(PAPERS)
OFFER = Offer(RANKING, [StoredPaper(one, NOW, TODAY) for one in PAPERS], TRENDS, trending_from=frozenset(TRENDS))
PLAINLY = Plainly(PAPERS)

_READERS = st.tuples(
    st.lists(st.sampled_from(ENTRIES), max_size=6, unique=True),
    st.lists(st.sampled_from(EXCLUSIONS), max_size=1),
    st.integers(1, 9),
    st.sampled_from([0.0, 0.2, 0.5, 0.7]),
    st.frozensets(st.sampled_from([one.key for one in PAPERS]), max_size=4),
)


@given(st.lists(_READERS, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_what_readers_share_changes_nobodys_digest(
    readers: list[tuple[list[str], list[str], int, float, frozenset[str]]],
) -> None:
    requests = [
        Request(
            subscriber(keywords=(*wanted, *conditions), max_papers=most, min_score=floor, trending=0),
            [parse(entry) for entry in (*wanted, *conditions)],
            since=NOW - timedelta(days=1),
            seen=seen,
            local_date=TODAY,
            planned_at=NOW,
        )
        for wanted, conditions, most, floor, seen in readers
        if wanted
    ]

    for request, selected in zip(requests, OFFER.select_all(requests), strict=True):
        picks, missed, matched = PLAINLY.digest(request, TRENDS)
        assert ([key for key, _ in picks], missed, matched) == shown(selected)
        assert [value for _, value in picks] == pytest.approx(selected.scores, abs=1e-8)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 7.0])), st.integers(0, 12))
def test_the_greatest_are_in_order_and_equal_ones_in_their_own(values: list[float], count: int) -> None:
    expected = sorted(range(len(values)), key=lambda place: -values[place])[:count]
    assert expected == greatest(np.array(values, np.float64), count).tolist()


@given(
    st.integers(0, 9).flatmap(
        lambda papers: st.lists(
            st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 7.0]), min_size=papers, max_size=papers),
            min_size=1,
            max_size=5,
        )
    ),
    st.integers(1, 6),
)
def test_the_greatest_of_each_are_those_of_each_alone(values: list[list[float]], count: int) -> None:
    expected = [
        (row, column)
        for row, own in enumerate(values)
        for column in greatest(np.array(own), count).tolist()
        if own[column]
    ]

    rows, columns = greatest_of_each(np.array(values), count)
    assert expected == list(zip(rows.tolist(), columns.tolist(), strict=True))


@given(st.permutations([{0: 0.1, 2: 0.7}, {0: 0.2}, {0: 0.3, 1: 1e-9}, {2: 1e300}]))
def test_sums_are_the_same_in_whatever_order_keywords_are_typed(values: list[dict[int, float]]) -> None:
    vectors = [vector(Evidence(set(one), one)) for one in values]

    one, nobody, same, reverse = added_up([[vector(Evidence({0}, {0: 0.6}))], [], vectors, vectors[::-1]], 4).tolist()
    assert [pytest.approx(one[0], abs=1e-11), pytest.approx(1e-9, abs=1e-12), pytest.approx(1024.7), 0.0] == same
    assert same == reverse
    assert [0.0] * 4 == nobody


def test_the_examples_in_the_documentation_are_true() -> None:
    assert 0 == doctest.testmod(digest.curate.vector).failed
