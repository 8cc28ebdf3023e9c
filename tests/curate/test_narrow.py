"""Phrases that would narrow an entry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.curate.narrow import Narrower, narrower
from digest.model import Paper
from tests.makers import paper


def titled(*titles: str) -> list[Paper]:
    return [paper(number, title=title, abstract="") for number, title in enumerate(titles)]


def test_a_phrase_that_many_matching_papers_have_and_few_others_comes_first() -> None:
    matching = titled(*["Diffusion of sharp videos"] * 3, *["Diffusion in old rocks"] * 3, "Diffusion")
    others = titled(*["Old rocks sing"] * 9, *["Sand"] * 9)

    found = narrower("diffusion", matching, [*matching, *others], n=5)

    assert [Narrower("diffusion in old", 3), Narrower("diffusion of sharp", 3)] == found[:2]
    assert Narrower("sharp video", 3) in found
    assert "old rock" not in [one.phrase for one in found]


def test_phrases_of_most_of_the_papers_or_of_two_do_not_narrow() -> None:
    matching = titled(*["Wool socks"] * 4, "Wool socks, red hats", "Red hats", "Green", "Blue")

    assert [] == narrower("wool", matching, matching, n=5)


def test_forms_of_the_entry_and_what_is_commoner_than_it_do_not_narrow() -> None:
    matching = titled(*["Fine-tuned models, wide tests"] * 3, *["Fine-tuning wool", "Wool, fine-tuning", "Fine-tuning"])

    found = narrower("fine-tuning", matching, [*matching, *titled(*["Wide tests"] * 4)], n=5)

    assert "fine tuned model" in {one.phrase for one in found}
    assert {"fine tuned", "wide test"}.isdisjoint(one.phrase for one in found)


def test_of_phrases_within_each_other_one_is_told() -> None:
    matching = titled(*["Warm wool socks"] * 3, *"abcd")

    assert [Narrower("warm wool sock", 3)] == narrower("wool", matching, matching, n=5)


def test_nothing_narrows_nothing() -> None:
    assert [] == narrower("x", [], titled("Sand"), n=5) == narrower("x", [], [], n=5)


@given(st.lists(st.text("ab c", max_size=12), max_size=12), st.integers(0, 12))
def test_every_phrase_leaves_some_papers_and_not_all(texts: list[str], count: int) -> None:
    papers = titled(*texts)
    matching = papers[:count]

    found = narrower("a", matching, papers, n=3)

    assert len(found) <= 3
    assert all(3 <= one.papers <= len(matching) / 2 for one in found)
