"""Which papers are most like one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.similar import ours, read_judged, read_papers, scores
from digest.curate.similar import SimilarIndex
from digest.model import Paper
from tests.makers import paper

_TEXTS = st.lists(st.sampled_from("dune sand wind sea whale song deep salt".split()), max_size=8).map(" ".join)  # noqa: SIM905


def similar(papers: list[Paper], number: int = 0, n: int = 10) -> list[int]:
    return [other for other, _ in SimilarIndex(papers).like(number, n)]


def test_judged_papers_are_found() -> None:
    """Invented papers of ten subjects, some of which share words: networks of experts, panels of experts."""
    folder = Path(__file__).parent / "similar"

    at_10 = [row[0] for row in scores(read_papers(folder), read_judged(folder, None), ours)]

    assert np.mean(at_10) > 0.9
    assert min(at_10) > 0.6


def test_the_most_similar_paper_comes_first_and_those_with_nothing_in_common_not_at_all() -> None:
    papers = [
        paper(1, title="Dunes walk in winter storms", abstract="", categories=(), authors=()),
        paper(2, title="Sea birds sing", abstract="", categories=(), authors=()),
        paper(3, title="Winter whales", abstract="", categories=(), authors=()),
        paper(4, title="Why dunes walk", abstract="", categories=(), authors=()),
    ]

    assert [3, 2] == similar(papers)
    assert [3] == similar(papers, n=1)


def test_what_the_nearest_papers_have_in_common_finds_one_that_shares_no_word() -> None:
    texts = ["dune barchan", "dune barchan sand", "sand wind", "whale song", "whale sea", "sea wave", "song bird"]
    papers = [paper(n, title=text, abstract="", categories=(), authors=()) for n, text in enumerate(texts)]

    assert [1, 2] == similar(papers)


def test_words_side_by_side_count_more_than_apart_small_words_left_out() -> None:
    texts = ["mixture of experts", "experts like a mixture", "a mixture-expert thing", "all else"]
    papers = [paper(n, title=text, abstract="", categories=(), authors=()) for n, text in enumerate(texts)]

    assert 2 == similar(papers)[0]


def test_authors_and_categories_decide_between_papers_of_about_equal_text_and_make_nothing_similar() -> None:
    papers = [
        paper(1, title="Dunes walk", abstract="", authors=("Émilie Noether",), categories=("cs.LG", "cs.AI")),
        paper(2, title="Winter dunes", abstract="", authors=("Ada",), categories=("math.AG",)),
        paper(3, title="Winter dunes", abstract="", authors=("Ada",), categories=("cs.LG",)),
        paper(4, title="Winter dunes", abstract="", authors=("Emilie Noether",), categories=("math.AG",)),
        paper(5, title="The sea", abstract="", authors=("Émilie Noether",), categories=("cs.LG", "cs.AI")),
        paper(6, title="Whales walk", abstract="", authors=(), categories=()),
    ]

    found = similar(papers)

    assert [3, 2, 1] == [number for number in found if number < 4]
    assert 4 not in found


@pytest.mark.parametrize("count", [0, 1, 3])
def test_papers_without_a_word_are_like_none(count: int) -> None:
    papers = [paper(n, title="∎", abstract="", authors=(), categories=()) for n in range(count)]
    index = SimilarIndex(papers)

    assert [[]] * count == [index.like(number, 5) for number in range(count)]


@given(st.lists(st.tuples(_TEXTS.filter(bool), _TEXTS), min_size=1, max_size=8))
def test_similarity_lies_between_0_and_1_and_the_most_similar_come_first(texts: list[tuple[str, str]]) -> None:
    index = SimilarIndex(
        [paper(number, title=title, abstract=abstract) for number, (title, abstract) in enumerate(texts)]
    )

    for number in range(len(texts)):
        values = index.similarity(number)

        assert all(0 <= value <= 1 for value in values)
        assert sorted(index.like(number, 8), key=lambda one: (-one[1], one[0])) == index.like(number, 8)
        assert {n for n, value in enumerate(values) if value and n != number} == {n for n, _ in index.like(number, 8)}


def test_what_is_a_little_like_everything_comes_behind_what_is_like_this_paper() -> None:
    """Both have half of the words; those that the one has besides are in most papers, those of the other in few."""
    usual = "model training results method learning network".split()  # noqa: SIM905
    rare = "granite harbours quays jetties piers ropes anchors cranes"
    asked = "otters build rafts of kelp"
    texts = [f"{asked} in cold bays", f"{asked} {' '.join(usual)}", f"{asked} beside {rare}", *[rare] * 10]
    texts += [f"{' '.join(usual[: n % 6 + 1])} about topic{n % 30} and field{n % 7}" for n in range(140)]
    papers = [paper(n, title="", abstract=text, categories=(), authors=()) for n, text in enumerate(texts)]

    assert [2, 1] == similar(papers, n=2)
