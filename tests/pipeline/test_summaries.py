"""What stands below a title: the abstract, or a sentence or two."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from digest.pipeline.plan import preview
from tests.installation import item
from tests.makers import NOW

if TYPE_CHECKING:
    from tests.installation import Installation

ABSTRACT = "Experts are many. We propose to count experts with a very small abacus. Nothing else is known of them."
SENTENCE = "We propose to count experts with a very small abacus."


def body(home: Installation) -> str:
    part = message_from_bytes(home.letters()[0], policy=policy.default).get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())


def test_abstracts_are_shown_unless_sentences_are_wanted(home: Installation) -> None:
    home.publish(item(1, abstract=ABSTRACT))
    home.pull()
    home.send()

    assert ABSTRACT in body(home)


def test_a_sentence_takes_the_place_of_the_abstract(any_home: Installation) -> None:
    any_home.sections["digest"] += '\nsummaries = "sentence"'
    any_home.publish(item(1, abstract=ABSTRACT))
    any_home.pull()
    settings = any_home.settings()
    with any_home.state() as state:
        (pick,) = preview(settings, state, settings.subscribers[0], now=NOW).picks

    any_home.send()

    assert (SENTENCE, "extract") == (pick.summary, pick.summary_by)
    assert SENTENCE in body(any_home)
    assert "Nothing else is known" not in body(any_home)


def test_a_paper_without_an_abstract_has_no_summary(home: Installation) -> None:
    home.sections["digest"] += '\nsummaries = "sentence"'
    home.publish(item(1))
    home.pull()
    settings = home.settings()
    with home.state() as state:
        (pick,) = preview(settings, state, settings.subscribers[0], now=NOW).picks

    assert ("", "") == (pick.summary, pick.summary_by)
