"""Texts by their stems."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.curate.bags import Bags
from digest.curate.rank import Ranking
from tests.makers import HOSTILE_TITLE, paper


def test_forms_of_a_word_are_one_stem_and_titles_count_more() -> None:
    assert [{"optim": 4.0, "an": 1.0}, {}] == Bags().of([("Optimizers", "An optimizer"), ("", "")])


@given(title=st.text(min_size=1, max_size=40), abstract=st.text(max_size=80))
def test_the_stems_are_those_by_which_papers_are_ranked(title: str, abstract: str) -> None:
    one = paper(title=title, abstract=abstract)
    ranked: dict[str, float] = {}
    for stem, _, weight in Ranking([one]).terms():
        ranked[stem] = ranked.get(stem, 0.0) + weight

    assert [ranked] == Bags().of([(title, abstract)])


def test_a_hostile_title_is_a_title() -> None:
    (bag,) = Bags().of([(HOSTILE_TITLE, 'x" OR NEAR(')])

    assert {"script", "near", "x"} <= bag.keys()
