"""What counts as the same word."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import digest.curate.words
from digest.curate.words import singular, spans, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mixture-of-Experts", ["mixture", "of", "experts"]),
        (r"$\beta$-VAE", ["beta", "vae"]),
        ("β-VAE", ["beta", "vae"]),
        ("𝛽-VAE", ["beta", "vae"]),
        ("S$^{2}$FT", ["s2ft"]),
        ("S²FT", ["s2ft"]),
        ("S^2FT", ["s2ft"]),
        ("L_1 and $L_{1}$", ["l1", "and", "l1"]),
        (r"$\mathcal{L}_1$", ["l1"]),
        (r"Andr\'e, Andr{\'e} and André", ["andre", "andre", "and", "andre"]),
        (r"Erd\H{o}s", ["erdos"]),
        ("Łukasz Søren Müller", ["lukasz", "soren", "muller"]),
        (r"\textbf{Bold} claims", ["bold", "claims"]),
        ("don't", ["dont"]),
        ("Newton’s", ["newtons"]),
        ("C++, C# and g++", ["c++", "c#", "and", "g++"]),
        ("LoRA+DPO", ["lora", "dpo"]),
        ("the .NET runtime. Next", ["the", "dotnet", "runtime", "next"]),
        ("k-NN, Q&A, GPT-4o", ["k", "nn", "q", "a", "gpt", "4o"]),
        ("snake_case", ["snake", "case"]),
        ("ﬁne\u00adtuning cafe\u0301", ["finetuning", "cafe"]),
        ("10% of $5", ["10", "of", "5"]),
        ("\x00 \ud800 — !", []),
    ],
)
def test_words_are_folded(text: str, expected: list[str]) -> None:
    assert expected == words(text)


def test_spans_point_at_the_words_in_the_text() -> None:
    text = r"An S$^{2}$FT for $\beta$-VAE"

    assert ["An", "S$^{2}$FT", "for", r"\beta", "VAE"] == [text[start:end] for start, end in spans(text)]


@given(st.text())
@example("Ꭰ")
def test_every_word_has_one_span_and_holds_only_letters_and_digits(text: str) -> None:
    """Words are put into a query language in quotation marks, so nothing else may be in them."""
    found = words(text)

    assert len(found) == len(list(spans(text)))
    assert all(word.rstrip("+#").isalnum() and word == word.lower() for word in found)


@given(st.text())
def test_folding_words_again_changes_nothing(text: str) -> None:
    folded = words(text)

    assert folded == words(" ".join(folded))


@pytest.mark.parametrize(
    ("plural", "expected"),
    [("experts", "expert"), ("queries", "query"), ("losses", "loss"), ("batches", "batch"), ("analysis", "analysis")],
)
def test_regular_plurals_are_one_word_with_their_singular(plural: str, expected: str) -> None:
    assert expected == singular(plural)


def test_the_examples_in_the_documentation_hold() -> None:
    assert 0 == doctest.testmod(digest.curate.words).failed


@given(st.text(st.sampled_from("ab Z9.()-'\\{}$^_`+#\n,")))
def test_words_are_the_same_whatever_else_is_in_the_text(text: str) -> None:
    """A text of ASCII letters and digits alone is read by a shorter way."""
    assert [*words(text), "beta"] == words(f"{text} β")
    assert list(spans(text)) == list(spans(f"{text} β"))[:-1]
