from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from digest.compose.marking import Segment, mark
from digest.compose.text import plain


def marked(text: str, *words: str) -> list[str]:
    return [segment.text for segment in mark(text, words) if segment.marked]


def test_matched_words_are_marked_in_the_case_of_the_text() -> None:
    assert (
        Segment("A "),
        Segment("Mixture-of-Experts", marked=True),
        Segment(" model"),
    ) == mark("A Mixture-of-Experts model", ["mixture-of-experts"])


def test_only_whole_words_are_marked() -> None:
    assert ["art"] == marked("smart art, party", "art")
    assert ["C++", "C++"] == marked("C++ and C++", "C++")


def test_overlapping_and_touching_pieces_are_one() -> None:
    assert ["sparse mixture of experts"] == marked(
        "a sparse mixture of experts", "sparse mixture", "mixture of experts"
    )


def test_words_of_the_raw_text_are_found_in_the_shown_text() -> None:
    assert ["β-VAE"] == marked(plain(r"A $\beta$-VAE by Andr\'e"), r"$\beta$-VAE")


def test_nothing_to_mark_leaves_the_text_in_one_piece() -> None:
    assert (Segment("text"),) == mark("text", ["", "\u200b", "other"])
    assert () == mark("", ["other"])


@given(st.text("ab c-.", max_size=30), st.lists(st.text("ab c-.", max_size=5)))
def test_the_pieces_joined_are_the_text_and_alternate(text: str, words: list[str]) -> None:
    segments = mark(text, words)

    assert text == "".join(segment.text for segment in segments)
    assert all(one.marked != other.marked for one, other in pairwise(segments))


@given(
    text=st.text(alphabet="abAB kKsSiI_-.Ä9²…\u0130\u0131\u017f\u212a", max_size=14),
    word=st.text(alphabet="abkKsiIÄ ", min_size=1, max_size=3),
)
def test_marks_are_what_a_pattern_finds_that_ignores_case(text: str, word: str) -> None:
    """Kelvin's sign is a k, the long s an s and a dotless i an i: a search in lower case would not know."""
    piece = plain(word)
    found = re.findall(rf"(?<!\w){re.escape(piece)}(?!\w)", text, re.IGNORECASE) if piece else []

    assert "".join(found) == "".join(marked(text, word))
