"""What readers brought and said changes what they are mailed, and nobody else's mail."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from digest.curate.profile import DIRECTION_VERSION
from digest.model import StoredPaper
from digest.pipeline.plan import plan, preview
from digest.state.feedback import StoredFeedback
from digest.state.interests import StoredDirection, StoredInterest
from tests.installation import ADA, BOB, item, reader
from tests.makers import NOW, paper

if TYPE_CHECKING:
    from digest.model import FeedbackKind, FeedbackVerb
    from tests.installation import Installation

WEEK_AGO = NOW - timedelta(days=7)


def said(verb: FeedbackVerb, kind: FeedbackKind, what: str, email: str = ADA) -> StoredFeedback:
    return StoredFeedback(email, WEEK_AGO, verb, kind, what)


def mailed(home: Installation, email: str = ADA) -> list[str]:
    """Keys of what the reader would be mailed now, in order."""
    settings = home.settings()
    (who,) = (one for one in settings.subscribers if one.email == email)
    with home.state() as state:
        return [pick.paper.key for pick in preview(settings, state, who, now=NOW).picks]


def key(number: int) -> str:
    return f"arxiv:2609.{number:05d}"


def published(home: Installation) -> None:
    home.publish(
        item(1, "Mixture of experts for poetry"),
        item(2, "Mixture of experts for bridges"),
        item(3, "Bees", upvotes=40),
        *(item(n, f"Rice {n}") for n in range(10, 20)),
    )
    home.pull()


def test_what_a_reader_brought_brings_papers_like_it_to_the_top(home: Installation) -> None:
    published(home)
    before = mailed(home)
    bridges = StoredInterest(ADA, "title:bridges", "Bridges and more bridges", "", None, 1.0, "mine.bib", WEEK_AGO)
    with home.state() as state:
        state.interests.put([bridges])

    assert ([key(1), key(2), key(3)], [key(2), key(1), key(3)]) == (before, mailed(home))


def test_the_mail_says_that_a_paper_is_like_what_its_reader_chose(home: Installation) -> None:
    published(home)
    with home.state() as state:
        state.feedback.record([said("more", "word", "bridges")])
    settings = home.settings()
    with home.state() as state:
        picks = preview(settings, state, settings.subscribers[0], now=NOW).picks

    assert {key(1): False, key(2): True} == {
        pick.paper.key: "; like papers you chose" in pick.why for pick in picks if pick.part == "for_you"
    }


def test_a_paper_brought_by_its_key_alone_counts_once_a_source_brings_it(home: Installation) -> None:
    published(home)
    with home.state() as state:
        state.interests.put([StoredInterest(ADA, key(900), key(900), "", key(900), 1.0, "ids.txt", WEEK_AGO)])
    before = mailed(home)
    with home.state() as state:
        state.papers.store([StoredPaper(paper(900, title="Bridges", abstract="Bridges."), NOW, None)])

    assert ([key(1), key(2), key(3)], [key(2), key(1), key(3)]) == (before, mailed(home))


def test_a_plan_keeps_what_a_reader_brought_as_one_and_a_preview_writes_nothing(home: Installation) -> None:
    published(home)
    with home.state() as state:
        state.interests.put(
            [
                StoredInterest(ADA, "title:bridges", "Bridges", "", None, 1.0, "mine.bib", WEEK_AGO),
                StoredInterest(ADA, key(900), key(900), "", key(900), 1.0, "ids.txt", WEEK_AGO),
            ]
        )
    mailed(home)
    with home.state() as state:
        before = state.interests.directions([ADA])
        planned = [*plan(home.settings(), state, now=NOW, any_hour=True)]
        after = state.interests.directions([ADA])

    assert {} == before
    assert [key(2), key(1), key(3)] == [pick.paper.key for pick in planned[0].digests[0].picks]
    assert [("bridg", (key(900),))] == [(one.stems, one.waiting) for one in after.values()]


def kept(home: Installation, *, version: int = DIRECTION_VERSION, waiting: tuple[str, ...] = ()) -> None:
    """What Ada brought is kept as if it were about poetry; it is about bridges."""
    with home.state() as state:
        state.interests.put([StoredInterest(ADA, "title:bridges", "Bridges", "", None, 1.0, "mine.bib", WEEK_AGO)])
        poetry = StoredDirection(ADA, version, 100, waiting, "poetri", np.array([0.2, 0.04], "<f4").tobytes())
        state.interests.keep([(poetry, state.interests.of([ADA])[ADA])])


def test_what_was_kept_is_used_until_it_was_made_in_another_way(home: Installation) -> None:
    published(home)
    kept(home)
    used = mailed(home)
    kept(home, version=DIRECTION_VERSION + 1)

    assert ([key(1), key(2), key(3)], [key(2), key(1), key(3)]) == (used, mailed(home))


def test_what_was_kept_is_made_anew_once_a_source_brings_what_it_waits_for(home: Installation) -> None:
    published(home)
    kept(home, waiting=(key(900),))
    waiting = mailed(home)
    with home.state() as state:
        state.papers.store([StoredPaper(paper(900, title="Bees", abstract=""), NOW - timedelta(days=99), None)])

    assert ([key(1), key(2), key(3)], [key(2), key(1), key(3)]) == (waiting, mailed(home))


def test_less_of_a_paper_puts_those_like_it_behind(home: Installation) -> None:
    published(home)
    old = paper(900, title="Poetry and poetry again", abstract="Poetry.")
    with home.state() as state:
        state.papers.store([StoredPaper(old, NOW, None)])
        state.feedback.record([said("less", "paper", old.key)])

    assert [key(2), key(1), key(3)] == mailed(home)


def test_what_is_muted_stands_nowhere_in_the_mail_until_it_is_taken_back(home: Installation) -> None:
    published(home)
    with home.state() as state:
        state.feedback.record([said("mute", "word", "poetry"), said("mute", "paper", key(3))])
    muted = mailed(home)
    with home.state() as state:
        state.feedback.undo(ADA, now=NOW, kind="word", what="poetry")

    assert ([key(2)], [key(1), key(2)]) == (muted, mailed(home))


def test_a_paper_muted_under_another_identifier_is_muted(home: Installation) -> None:
    published(home)
    with home.state() as state:
        state.feedback.record([said("mute", "paper", "doi:10.1234/never"), said("mute", "paper", key(1))])

    assert [key(2), key(3)] == mailed(home)


def test_others_get_what_they_would_get_anyway(home: Installation) -> None:
    home.readers = (reader(ADA), reader(BOB))
    published(home)
    before = mailed(home, BOB)
    with home.state() as state:
        state.feedback.record([said("mute", "word", "poetry"), said("less", "word", "bridges")])

    assert before == mailed(home, BOB)
