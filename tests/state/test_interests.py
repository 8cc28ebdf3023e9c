"""What readers brought is kept by item, and forgotten when they want."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from digest.state.interests import StoredDirection, StoredInterest
from digest.state.store import State
from tests.makers import HOSTILE_TITLE, NOW, paper, subscriber

ADA, BOB = "ada@example.org", "bob@example.org"
ONE = StoredInterest(ADA, paper(1).key, "On the Number 1", "We study it.", paper(1).key, 1.0, "mine.bib", NOW)
TWO = StoredInterest(ADA, "title:on bees", "On Bees", "", None, 0.5, "list.txt", NOW + timedelta(days=1))


AS_ONE = StoredDirection(ADA, 1, 300, (paper(7).key,), "bee number", b"\0\xff" * 8)


def test_items_come_back_by_reader_oldest_first(state: State) -> None:
    bobs = replace(ONE, email=BOB)
    state.interests.put([TWO, ONE, bobs])

    assert {ADA: (ONE, TWO), BOB: (bobs,)} == state.interests.of([ADA, BOB, "nobody@example.org"])


def test_an_item_brought_again_is_replaced(state: State) -> None:
    again = replace(ONE, title="On the Number 1, Revised", source="new.bib")
    state.interests.put([ONE])
    state.interests.put([again])
    state.interests.put([])

    assert {ADA: (again,)} == state.interests.of([ADA])


def test_those_who_brought_anything_are_told_from_those_who_did_not(state: State) -> None:
    state.interests.put([ONE, TWO])

    assert {ADA} == state.interests.readers()


def test_clear_forgets_all_or_one_file(state: State) -> None:
    state.interests.put([ONE, TWO, replace(ONE, email=BOB)])

    assert 1 == state.interests.clear(ADA, source="mine.bib")
    assert {ADA: (TWO,)} == state.interests.of([ADA])
    assert (1, 0) == (state.interests.clear(ADA), state.interests.clear(ADA))
    assert [BOB] == [*state.interests.of([ADA, BOB])]


def test_a_reader_who_leaves_takes_them_along(state: State) -> None:
    state.subscribers.put(subscriber(ADA), now=NOW)
    state.interests.put([ONE, replace(ONE, email=BOB)])

    assert state.subscribers.remove(ADA)

    assert [BOB] == [*state.interests.of([ADA, BOB])]


def test_what_was_brought_is_kept_as_one_until_more_is_brought_or_some_is_cleared(state: State) -> None:
    state.interests.put([ONE, TWO, replace(ONE, email=BOB)])
    kept = [(AS_ONE, (ONE, TWO)), (replace(AS_ONE, email=BOB), (replace(ONE, email=BOB),))]
    state.interests.keep(kept)
    state.interests.keep(kept)
    before = state.interests.directions([ADA, BOB, "nobody@example.org"])
    state.interests.put([ONE])
    brought = state.interests.directions([ADA, BOB])
    state.interests.clear(BOB, source="another.bib")

    assert {ADA: AS_ONE, BOB: replace(AS_ONE, email=BOB)} == before
    assert [BOB] == [*brought]
    assert {} == state.interests.directions([ADA, BOB])


def test_as_one_is_not_kept_what_is_no_longer_all(state: State) -> None:
    """Somebody brings a list while a run reads the one before."""
    state.interests.put([ONE])
    state.interests.put([TWO])
    state.interests.keep([(AS_ONE, (ONE,)), (replace(AS_ONE, email=BOB), (replace(ONE, email=BOB),))])

    assert {} == state.interests.directions([ADA, BOB])


def test_who_leaves_takes_that_along_too(state: State) -> None:
    state.subscribers.put(subscriber(ADA), now=NOW)
    state.interests.put([ONE])
    state.interests.keep([(AS_ONE, (ONE,))])
    state.subscribers.remove(ADA)

    assert {} == state.interests.directions([ADA])


def test_a_hostile_title_does_no_harm(state: State) -> None:
    state.interests.put([replace(ONE, title=HOSTILE_TITLE)])

    (found,) = state.interests.of([ADA])[ADA]

    assert HOSTILE_TITLE.replace("\0", "\ufffd") == found.title
