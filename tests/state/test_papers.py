"""Papers, their identifiers and signals, sources' memories."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from digest.model import DaySignals, Signals, SourceMemory, StoredPaper, Validators
from digest.state.store import State
from tests.makers import HOSTILE_TITLE, NOW, TODAY, digest, paper, pick

YESTERDAY = TODAY - timedelta(days=1)


def stored(number: int = 1, *, edition: date | None = TODAY, **fields: object) -> StoredPaper:
    return StoredPaper(paper(number, **fields), NOW, edition)


def said(upvotes: int, day: date = TODAY, source: str = "hf") -> DaySignals:
    return DaySignals(source, day, Signals(upvotes=upvotes, position=0))


def test_a_paper_is_known_by_each_of_its_identifiers(state: State) -> None:
    one, two = stored(1, aliases=("doi:10.1/a", "openreview:x")), stored(2)
    state.papers.store([one, two])

    known = state.papers.known(["openreview:x", one.paper.key, two.paper.key, "doi:10.9/unknown"])

    assert {"openreview:x": one, one.paper.key: one, two.paper.key: two} == known
    assert one == state.papers.get("doi:10.1/a")
    assert state.papers.get("doi:10.9/unknown") is None


def test_thousands_of_identifiers_can_be_asked_for_at_once(state: State) -> None:
    many = [stored(number) for number in range(1, 2501)]
    state.papers.store(many)

    assert {one.paper.key: one for one in many} == state.papers.known(one.paper.key for one in many)


def test_whatever_a_source_sends_is_kept_as_sent(state: State) -> None:
    one = stored(title=HOSTILE_TITLE, abstract="\x00\ud83d lone surrogate", authors=("\u202e",))

    state.papers.store([one])

    assert one == state.papers.get(one.paper.key)


def test_an_identifier_that_no_database_can_hold_fails_nothing(state: State) -> None:
    one = stored(key="url:http://x/\x00\ud83d")

    state.papers.store([one], signals=[(one.paper.key, said(1))])

    assert (one,) == state.papers.since(NOW)
    assert {one.paper.key: one} == state.papers.known([one.paper.key])
    assert {one.paper.key: (said(1),)} == state.papers.signals([one.paper.key], TODAY)


def test_a_paper_stored_again_is_replaced(state: State) -> None:
    first = stored()
    second = replace(first, paper=replace(first.paper, version=2), edition=YESTERDAY)
    state.papers.store([first])

    state.papers.store([second])

    assert (second,) == state.papers.since(NOW)


def test_since_is_inclusive_and_oldest_first(state: State) -> None:
    old, middle, new = (replace(stored(n), first_seen_at=NOW + timedelta(hours=h)) for n, h in ((3, 0), (2, 1), (1, 2)))
    state.papers.store([new, old, middle])

    assert (middle, new) == state.papers.since(NOW + timedelta(hours=1))


def test_an_edition_holds_the_papers_of_its_day_and_no_baseline(state: State) -> None:
    today, yesterday, baseline = stored(1), stored(2, edition=YESTERDAY), stored(3, edition=None)
    state.papers.store([baseline, yesterday, today])

    assert (today,) == state.papers.edition(TODAY)
    assert baseline == state.papers.get(baseline.paper.key)


def test_of_several_readings_a_day_the_last_is_kept_with_its_hour(state: State) -> None:
    one = stored()
    morning, evening = replace(said(1), at=NOW), replace(said(2), at=NOW + timedelta(hours=12))
    state.papers.store([one], signals=[(one.paper.key, morning)])

    state.papers.store([], signals=[(one.paper.key, evening)])

    assert {one.paper.key: (evening,)} == state.papers.signals([one.paper.key], TODAY)


def test_signals_are_the_last_word_of_each_source_and_day_oldest_first(state: State) -> None:
    one, two = stored(1), stored(2)
    key = one.paper.key
    state.papers.store([one, two], signals=[(key, said(1, YESTERDAY)), (key, said(2)), (key, said(9, source="a"))])

    state.papers.store([], signals=[(key, said(5))])

    assert {key: (said(1, YESTERDAY), said(9, source="a"), said(5)), two.paper.key: ()} == state.papers.signals(
        [key, two.paper.key], YESTERDAY
    )
    assert {key: (said(9, source="a"), said(5))} == state.papers.signals([key], TODAY)


def test_memories_of_sources_are_replaced_whole(state: State) -> None:
    first = SourceMemory("hf", NOW, NOW, None, "f", {"https://x/": Validators('W/"1"', "")}, failures=2)
    state.papers.store([], memories=[first, SourceMemory("arxiv")])

    state.papers.store([], memories=[SourceMemory("hf", NOW)])

    assert {"hf": SourceMemory("hf", NOW), "arxiv": SourceMemory("arxiv")} == state.papers.memories()


def test_an_absorbed_paper_lives_on_under_the_other_key(state: State) -> None:
    preprint, article = stored(1), stored(2, key="doi:10.1/a", aliases=("openreview:x",))
    key, old = preprint.paper.key, article.paper.key
    state.papers.store(
        [preprint, article],
        signals=[(old, said(1, YESTERDAY)), (old, said(2)), (key, said(7)), (old, said(3, source="a"))],
    )
    merged = replace(preprint, paper=replace(preprint.paper, aliases=(old, "openreview:x")))

    state.papers.store([merged], absorbed={old: key})

    assert dict.fromkeys([key, old, "openreview:x"], merged) == state.papers.known([key, old, "openreview:x"])
    assert (merged,) == state.papers.since(NOW)
    assert {key: (said(1, YESTERDAY), said(3, source="a"), said(7)), old: ()} == state.papers.signals(
        [key, old], YESTERDAY
    )


def test_a_failing_transaction_leaves_nothing_behind(state: State) -> None:
    def fail() -> None:
        with state.transaction():
            state.papers.store([stored()], memories=[SourceMemory("arxiv")])
            assert state.papers.get(stored().paper.key) == stored()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert state.papers.get(stored().paper.key) is None
    assert state.papers.memories() == {}


def test_what_a_transaction_has_read_stays_true_until_it_has_written(state: State) -> None:
    """Two pulls at the same moment: the second decides on what the first has stored."""
    key = stored().paper.key
    found: list[bool] = []
    inside = threading.Event()

    def pull() -> None:
        inside.wait()
        with state.transaction():
            found.append(key in state.papers.known([key]))

    other = threading.Thread(target=pull)
    other.start()
    with state.transaction():
        assert state.papers.known([key]) == {}
        inside.set()
        other.join(0.05)
        state.papers.store([stored()])
    other.join()

    assert found == [True]


def test_a_paper_that_comes_after_a_digest_is_younger_whatever_the_clock_says(state: State) -> None:
    """The clock was set back: by its own time the paper would be older than what every reader was told about."""
    known = StoredPaper(paper(1), NOW - timedelta(days=1), TODAY)
    state.papers.store([known])
    state.ledger.plan([(digest(pick(1)), "<1@x>")], now=NOW)

    state.papers.store(
        [known, *(StoredPaper(paper(number), NOW - timedelta(hours=3), TODAY) for number in (2, 3))],
        signals=[(paper(2).key, DaySignals("hf", TODAY, Signals(upvotes=1)))],
    )

    assert NOW - timedelta(days=1) == first_seen(state, 1)
    assert NOW + timedelta(microseconds=1) == first_seen(state, 2) == first_seen(state, 3)
    state.papers.store([StoredPaper(paper(4), NOW + timedelta(hours=1), TODAY)])
    assert NOW + timedelta(hours=1) == first_seen(state, 4)


def first_seen(state: State, number: int) -> datetime | None:
    stored = state.papers.get(paper(number).key)
    return None if stored is None else stored.first_seen_at
