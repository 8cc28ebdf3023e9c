"""Which papers of a run are alike."""

from __future__ import annotations

from digest.curate.neighbours import MOST_NEIGHBOURS, Neighbours


def test_papers_that_share_rare_words_are_alike_and_a_paper_is_no_neighbour_of_itself() -> None:
    texts = ["dune sand wind", "dune sand sea", "whale song sea", "whale song deep"]
    terms = [(word, number, 1.0) for number, text in enumerate(texts) for word in text.split()]
    neighbours = Neighbours(terms, len(texts))

    assert [1] == neighbours.of(0)[0].tolist()
    assert [2] == neighbours.of(3)[0].tolist()
    assert all(0 < likeness <= 1 for number in range(4) for likeness in neighbours.of(number)[1].tolist())


def test_a_paper_without_words_is_like_no_other() -> None:
    assert [0, 0] == [len(part) for part in Neighbours([], 2).of(1)]


def test_only_so_many_are_remembered_and_equal_ones_are_in_their_order() -> None:
    count = MOST_NEIGHBOURS + 20
    terms = [(word, number, 1.0) for number in range(count) for word in ("sand", "dune")]
    rare = [("whale", number, 1.0) for number in range(count, 4 * count)]

    assert list(range(1, MOST_NEIGHBOURS + 1)) == Neighbours([*terms, *rare], 4 * count).of(0)[0].tolist()
