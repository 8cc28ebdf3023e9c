"""Which papers are nearly the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.curate.copies import Copies
from tests.curate.near_copy import is_near_copy
from tests.makers import paper

_ABSTRACT = "We measure how sand moves over dunes in winter and compare the grains with those of a warm summer."


def test_a_lightly_edited_abstract_is_a_copy() -> None:
    one = paper(1, title="Sand in Winter", abstract=_ABSTRACT)
    other = paper(2, title="Sand in the Winter", abstract=_ABSTRACT.replace("compare", "contrast") + " Code is public.")

    another = paper(3, title="Sand in Winter", abstract="Whales sing in deep water all year.")

    assert {1} == Copies([one, other, another]).of(0)


def test_without_abstracts_only_the_same_title_is_a_copy() -> None:
    one = paper(1, title="A Survey of Large Models for Sand", abstract="")
    same = paper(2, title="A survey of large models for sand", abstract=_ABSTRACT)
    another = paper(3, title="A Survey of Large Models for Whales", abstract="")

    assert {1} == Copies([one, same, another]).of(0)


_TEXTS = st.lists(st.sampled_from("dune sand wind sea whale song deep salt".split()), max_size=8).map(" ".join)  # noqa: SIM905


@given(st.lists(st.tuples(_TEXTS.filter(bool), _TEXTS), max_size=8))
def test_the_copies_of_every_paper_are_found_without_comparing_it_with_all_others(texts: list[tuple[str, str]]) -> None:
    papers = [paper(number, title=title, abstract=abstract) for number, (title, abstract) in enumerate(texts)]
    copies = Copies(papers)

    assert [
        {n for n, other in enumerate(papers) if other is not one and is_near_copy(one, other)} for one in papers
    ] == [copies.of(number) for number in range(len(papers))]
