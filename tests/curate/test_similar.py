"""Which papers are alike, and which are nearly the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.curate.similar import Copies, Neighbours, is_near_copy
from tests.makers import paper

_ABSTRACT = "We measure how sand moves over dunes in winter and compare the grains with those of a warm summer."


def test_papers_that_share_rare_words_are_alike_and_a_paper_is_no_neighbour_of_itself() -> None:
    texts = ["dune sand wind", "dune sand sea", "whale song sea", "whale song deep"]
    terms = [(word, number, 1.0) for number, text in enumerate(texts) for word in text.split()]
    neighbours = Neighbours(terms, len(texts))

    assert [1] == list(neighbours.of(0))
    assert [2] == list(neighbours.of(3))
    assert all(0 < likeness <= 1 for number in range(4) for likeness in neighbours.of(number).values())


def test_a_paper_without_words_is_like_no_other() -> None:
    assert {} == Neighbours([], 2).of(1)


def test_a_lightly_edited_abstract_is_a_copy() -> None:
    one = paper(1, title="Sand in Winter", abstract=_ABSTRACT)
    other = paper(2, title="Sand in the Winter", abstract=_ABSTRACT.replace("compare", "contrast") + " Code is public.")

    assert is_near_copy(one, other)
    assert not is_near_copy(one, paper(3, title="Sand in Winter", abstract="Whales sing in deep water all year."))


def test_without_abstracts_only_the_same_title_is_a_copy() -> None:
    one = paper(1, title="A Survey of Large Models for Sand", abstract="")

    assert is_near_copy(one, paper(2, title="A survey of large models for sand", abstract=_ABSTRACT))
    assert not is_near_copy(one, paper(3, title="A Survey of Large Models for Whales", abstract=""))


_TEXTS = st.lists(st.sampled_from("dune sand wind sea whale song deep salt".split()), max_size=8).map(" ".join)  # noqa: SIM905


@given(st.lists(st.tuples(_TEXTS.filter(bool), _TEXTS), max_size=8))
def test_the_copies_of_every_paper_are_found_without_comparing_it_with_all_others(texts: list[tuple[str, str]]) -> None:
    papers = [paper(number, title=title, abstract=abstract) for number, (title, abstract) in enumerate(texts)]
    copies = Copies(papers)

    assert [
        {n for n, other in enumerate(papers) if other is not one and is_near_copy(one, other)} for one in papers
    ] == [copies.of(number) for number in range(len(papers))]
