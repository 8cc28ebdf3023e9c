"""Which papers of a run are alike."""

from __future__ import annotations

import numpy as np
import pytest

from digest.curate import subjects
from digest.curate.neighbours import MOST_NEIGHBOURS, Neighbours, by_subjects_too
from digest.curate.subjects import Subjects
from tests.makers import paper


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


def test_papers_of_one_subject_are_alike_without_a_word_in_common(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "_SUBJECTS", 1)
    both = [("whale song", "cetacean voice"), ("dune sand", "barchan grain")]
    texts = [" ".join(pair) for pair in both] * 9 + [text for pair in both for text in pair]
    papers = [paper(n, title=text, abstract="") for n, text in enumerate(texts)]
    words = Neighbours([(word, n, 1.0) for n, text in enumerate(texts) for word in text.split()], len(texts)).of
    song, voice = 18, 19

    near = by_subjects_too(words, Subjects(papers), len(papers))

    assert voice not in words(song)[0]
    assert {*range(0, 18, 2), voice} == {*near(song)[0].tolist()}
    found, likeness = near(song)
    assert np.all(np.diff(likeness) <= 0)
    assert likeness[found == voice] < likeness[found == 0]


def test_by_subjects_too_a_paper_without_words_is_like_no_other() -> None:
    papers = [paper(n, title="∎", abstract="") for n in range(2)]

    near = by_subjects_too(Neighbours([], 2).of, Subjects(papers), 2)

    assert [[], []] == [near(n)[0].tolist() for n in range(2)]
