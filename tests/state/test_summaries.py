"""What machines wrote is kept by what they were given, and how much they were asked is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from digest.state.store import State
from digest.state.summaries import StoredSummary, Usage
from tests.makers import NOW, TODAY

ONE = StoredSummary("arxiv:2609.00001", "a" * 64, "en", "small-1", "It counts.", NOW)


def test_a_summary_is_found_while_the_text_is_the_same(state: State) -> None:
    state.summaries.put([ONE, replace(ONE, hash="b" * 64, text="It counted."), replace(ONE, paper="arxiv:2609.00002")])

    found = state.summaries.get({ONE.paper: "a" * 64, "arxiv:2609.00002": "c" * 64}, language="en", model="small-1")

    assert {ONE.paper: ONE} == found


def test_each_language_and_machine_has_its_own(state: State) -> None:
    state.summaries.put([ONE, replace(ONE, language="de", text="Es zählt.")])

    texts = [
        [one.text for one in state.summaries.get({ONE.paper: ONE.hash}, language=language, model=model).values()]
        for language, model in (("en", "small-1"), ("de", "small-1"), ("fr", "small-1"), ("en", "large-2"))
    ]

    assert [["It counts."], ["Es zählt."], [], []] == texts


def test_a_new_summary_of_the_same_text_replaces_the_old_one(state: State) -> None:
    state.summaries.put([ONE])
    state.summaries.put([replace(ONE, text="Better.", at=NOW + timedelta(days=1))])
    state.summaries.put([])

    found = state.summaries.get({ONE.paper: ONE.hash}, language="en", model="small-1")

    assert "Better." == found[ONE.paper].text


def test_what_is_spent_adds_up_within_a_day_and_a_machine(state: State) -> None:
    state.summaries.spend(TODAY, "small-1", calls=1, tokens=300)
    state.summaries.spend(TODAY, "small-1", calls=2, tokens=50)
    state.summaries.spend(TODAY, "large-2", calls=7, tokens=7)

    assert Usage(3, 350) == state.summaries.spent(TODAY, "small-1")
    assert Usage() == state.summaries.spent(TODAY + timedelta(days=1), "small-1")


def test_summaries_are_forgotten_after_four_hundred_days_and_counts_after_sixty(state: State) -> None:
    old, new = (replace(ONE, language=lang, at=NOW - timedelta(days=age)) for lang, age in (("de", 401), ("en", 399)))
    state.summaries.put([old, new])
    for age in (61, 60):
        state.summaries.spend(TODAY - timedelta(days=age), "small-1", calls=1, tokens=1)

    pruned = state.prune(now=NOW)

    assert {"summaries": 1, "usage": 1}.items() <= pruned.items()
    assert {} == state.summaries.get({ONE.paper: ONE.hash}, language="de", model="small-1")
    assert Usage(1, 1) == state.summaries.spent(TODAY - timedelta(days=60), "small-1")
