from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.sentences import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("One", ("One",)),
        ("One. Two.", ("One.", "Two.")),
        (
            "Really? Yes! “Quite.” So (it is said.) we go.",
            ("Really?", "Yes!", "“Quite.”", "So (it is said.)", "we go."),
        ),
        ("Sparse models, e.g. MoE, i.e. a few. Next", ("Sparse models, e.g. MoE, i.e. a few.", "Next")),
        ("Doe et al. We and J. Smith, Fig. 3, Eq. (4). End.", ("Doe et al. We and J. Smith, Fig. 3, Eq. (4).", "End.")),
        ("It gains 2.5 points in v1.2. arXiv lists it. GPT-4.5 fails.", None),
        ("For $x. Y$ we gain $5. Then $z$ costs.", None),
        ("We pay $a. B$ here. Then stop.", ("We pay $a. B$ here.", "Then stop.")),
        ("Under i.i.d. Gaussian noise w.r.t. The norm. End", ("Under i.i.d. Gaussian noise w.r.t. The norm.", "End")),
        ("本文提出方法。实验表明！好", ("本文提出方法。", "实验表明！", "好")),
    ],
)
def test_sentences_of_papers(text: str, expected: tuple[str, ...] | None) -> None:
    found = sentences(text)

    assert text == " ".join(found) if expected is None else expected == found


def test_a_number_with_a_unit_ends_a_sentence_and_an_initial_does_not() -> None:
    assert ("It has 13B.", "J. Doe does not.") == sentences("It has 13B. J. Doe does not.")


def test_numbers_and_versions_are_not_cut() -> None:
    assert ("It gains 2.5 points in v1.2.", "GPT-4.5 fails.") == sentences(
        "It gains 2.5 points in v1.2. GPT-4.5 fails."
    )


@given(st.text(alphabet="aB .!?$\\\n\t()。“”é🚀1", max_size=80))
def test_nothing_is_lost_and_nothing_is_empty(text: str) -> None:
    found = sentences(text)

    assert "".join(text.split()) == "".join("".join(found).split())
    assert all(one and one == one.strip() for one in found)
