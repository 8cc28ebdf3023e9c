"""One or two of a paper's own sentences that say what is new."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.sentences import sentences
from digest.curate.summary import LONGEST, extract

BEES = (
    "Pollination matters, e.g. for almonds. However, existing counters of bees (Doe et al. 2020) are slow. "
    "To close this gap, we introduce BeeMeter, a counter of bees that runs on a phone. It is described in Sec. 3. "
    "Experiments in 12 fields show that BeeMeter is 3.5 times faster than the best earlier counter. "
    "Code is available at https://example.org/bees."
)


def test_the_sentence_that_says_what_is_new_and_the_one_that_tells_what_came_of_it() -> None:
    assert (
        "We introduce BeeMeter, a counter of bees that runs on a phone. … "
        "Experiments in 12 fields show that BeeMeter is 3.5 times faster than the best earlier counter."
    ) == extract("Counting Bees", BEES)


@pytest.mark.parametrize(
    ("abstract", "summary"),
    [
        ("", ""),
        ("A single sentence.", "A single sentence."),
        (
            "Bees fly. Honey is sweet and golden, and counting bees is hard.",
            "Honey is sweet and golden, and counting bees is hard.",
        ),
        (
            "We study bees in this long sentence about what they do. We release our code, data and all models of bees.",
            None,
        ),
        ("This paper proposes a way of counting bees by ear. This is the first of its kind in the world.", None),
        (
            "Background: bees are hard to count in the open field. Objective: to count bees by means of cameras.",
            "Objective: to count bees by means of cameras.",
        ),
        (
            "We prove that $P. Q$ bounds the number of bees in $n$ hives. So be it then, in every case.",
            "We prove that $P. Q$ bounds the number of bees in $n$ hives.",
        ),
    ],
)
def test_what_is_said_of_other_things_is_left_out(abstract: str, summary: str | None) -> None:
    assert extract("Counting Bees", abstract) == (sentences(abstract)[0] if summary is None else summary)


@pytest.mark.parametrize(
    ("opening", "left_out"),
    [
        ("To close this gap, we", True),
        ("Inspired by such hives, we", True),
        ("In this paper, we", True),
        ("Moreover, we", True),
        ("To overcome these limits, this work", True),
        ("Inspired by hives, we", False),
        ("In this paper we", False),
        ("With this, bees are counted, and we", False),
        ("This is why, as said, we", False),
    ],
)
def test_an_opening_that_points_back_is_left_out(opening: str, left_out: bool) -> None:
    rest = "introduces a counter of bees for use in the open field."
    subject = opening.rpartition(", ")[2]

    summary = extract("Counting Bees", f"Bees fly. {opening} {rest}")

    assert (subject[0].upper() + subject[1:] if left_out else opening) + f" {rest}" == summary


def test_words_of_the_title_decide_between_equals() -> None:
    abstract = "We present a model of ants and of their long roads. We present a model of bees and of their long roads."

    assert ["ants", "bees"] == [extract(f"On {it}", abstract).split(" of ")[1].split()[0] for it in ("Ants", "Bees")]


@given(
    st.lists(st.sampled_from([*sentences(BEES), "We show $x. y$.", "It costs $5.", "word " * 90 + "end."]), max_size=9)
)
def test_a_summary_is_sentences_of_the_abstract_in_its_order(parts: list[str]) -> None:
    found = extract("Counting Bees", " ".join(parts))
    kept = found.split(" … ") if " … " in found else [found]

    # what follows an opening begins with a capital
    assert all(piece.lower() in " ".join(" ".join(parts).split()).lower() for piece in kept)
    assert bool(found) == bool(parts)
    assert len(found) <= LONGEST or any(part.endswith(found[1:]) for part in sentences(" ".join(parts)))


@given(st.text(max_size=300), st.text(max_size=2000))
def test_whatever_a_source_sends_is_summarised(title: str, abstract: str) -> None:
    assert bool(extract(title, abstract)) == bool(abstract.split())
