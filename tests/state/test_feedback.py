"""What readers said is kept, can be taken back, and the last word on a thing counts."""

from __future__ import annotations

from datetime import timedelta

from digest.model import FeedbackKind, FeedbackVerb, StoredPaper
from digest.state.feedback import StoredFeedback
from digest.state.store import State, open_state
from tests.makers import NOW, TODAY, paper, subscriber

ADA, BOB = "ada@example.org", "bob@example.org"
ONE, TWO = paper(1).key, paper(2).key
LATER = NOW + timedelta(days=9)


def said(minute: int, verb: FeedbackVerb, what: str, kind: FeedbackKind = "paper", email: str = ADA) -> StoredFeedback:
    return StoredFeedback(email, NOW + timedelta(minutes=minute), verb, kind, what)


def test_the_last_word_on_each_thing_counts(state: State) -> None:
    state.feedback.record([said(1, "more", ONE), said(2, "mute", "Nope", "author"), said(3, "less", TWO)])
    state.feedback.record([said(4, "less", ONE), said(5, "more", ONE, email=BOB)])

    counting = state.feedback.counting([ADA, BOB, "nobody@example.org"])

    assert {
        ADA: (said(2, "mute", "Nope", "author"), said(3, "less", TWO), said(4, "less", ONE)),
        BOB: (said(5, "more", ONE, email=BOB),),
    } == counting


def test_the_same_read_twice_is_kept_once(state: State) -> None:
    state.feedback.record([said(1, "more", ONE)])
    state.feedback.record([said(1, "more", ONE)])
    state.feedback.record([])

    assert (said(1, "more", ONE),) == state.feedback.log(ADA)


def test_undo_takes_back_the_last_and_then_the_one_before(state: State) -> None:
    state.feedback.record([said(1, "more", ONE), said(2, "less", ONE)])

    undone = state.feedback.undo(ADA, now=LATER)

    assert undone == StoredFeedback(ADA, NOW + timedelta(minutes=2), "less", "paper", ONE, LATER)
    assert {ADA: (said(1, "more", ONE),)} == state.feedback.counting([ADA])
    assert said(1, "more", ONE).what == getattr(state.feedback.undo(ADA, now=LATER), "what", None)
    assert state.feedback.undo(ADA, now=LATER) is None
    assert {} == state.feedback.counting([ADA])
    assert [LATER, LATER] == [one.undone_at for one in state.feedback.log(ADA)]


def test_what_was_said_of_a_paper_is_said_of_the_one_that_absorbed_it(state: State) -> None:
    old, new = StoredPaper(paper(1), NOW, TODAY), StoredPaper(paper(2, aliases=(ONE,)), NOW, TODAY)
    state.papers.store([old])
    state.feedback.record([said(1, "more", ONE), said(2, "mute", ONE, "word")])

    state.papers.store([new], absorbed={ONE: TWO})
    state.feedback.record([said(3, "less", TWO)])

    counting = (said(2, "mute", ONE, "word"), said(3, "less", TWO))
    assert {ADA: counting} == state.feedback.counting([ADA])
    assert (said(1, "more", TWO), *counting) == state.feedback.log(ADA)
    assert [said(3, "less", TWO).at, said(1, "more", TWO).at, None] == [
        undone and undone.at
        for undone in (state.feedback.undo(ADA, now=LATER, kind="paper", what=TWO) for _ in range(3))
    ]


def test_undo_may_name_what_it_is_about(state: State) -> None:
    state.feedback.record([said(1, "more", ONE), said(2, "mute", ONE, "word"), said(3, "less", TWO)])

    undone = state.feedback.undo(ADA, now=LATER, kind="paper", what=ONE)

    assert undone is not None
    assert ("more", "paper") == (undone.verb, undone.kind)
    assert state.feedback.undo(ADA, now=LATER, kind="paper", what=ONE) is None
    assert state.feedback.undo(BOB, now=LATER) is None


def test_those_who_said_something_that_counts_are_told_from_those_who_did_not(state: State) -> None:
    state.feedback.record([said(1, "more", ONE)])
    spoke = state.feedback.readers()
    state.feedback.undo(ADA, now=LATER)

    assert (frozenset({ADA}), frozenset()) == (spoke, state.feedback.readers())


def test_a_reader_who_leaves_takes_it_along(state: State) -> None:
    state.subscribers.put(subscriber(ADA), now=NOW)
    state.feedback.record([said(1, "more", ONE), said(2, "more", ONE, email=BOB)])

    assert state.subscribers.remove(ADA)

    assert () == state.feedback.log(ADA)
    assert (said(2, "more", ONE, email=BOB),) == state.feedback.log(BOB)
    assert (1, 0) == (state.feedback.forget(BOB), state.feedback.forget(BOB))


def test_the_secret_is_made_once_and_differs_between_states(state: State, url: str, tmp_path: object) -> None:
    first = state.feedback.secret()

    with open_state(url, now=NOW) as again, open_state(f"sqlite:///{tmp_path}/other", now=NOW) as other:
        assert first == again.feedback.secret()
        assert first != other.feedback.secret()
    assert 40 <= len(first)
