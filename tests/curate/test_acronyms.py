"""What an acronym stands for is read from the papers themselves."""

from __future__ import annotations

import doctest

import pytest

import digest.curate.acronyms
from digest.curate.acronyms import acronyms


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("A mixture-of-experts (MoE) layer", "moe", "mixture of expert"),
        ("two Large Language Models (LLMs) and", "llm", "large language model"),
        ("Reinforcement Learning from Human Feedback (RLHF)", "rlhf", "reinforcement learning from human feedback"),
        ("the chain of thought (CoT)", "cot", "chain of thought"),
        ("questions and answers (QA)", "qa", "question and answer"),
    ],
)
def test_both_forms_know_each_other(text: str, short: str, long: str) -> None:
    assert {(short,): {tuple(long.split())}, tuple(long.split()): {(short,)}} == acronyms([text])


@pytest.mark.parametrize("text", ["nothing (here)", "two models (GPU)", "(MoE)", "experts (e.g. A)", "(" * 500, ""])
def test_other_parentheses_say_nothing(text: str) -> None:
    assert {} == acronyms([text])


def test_an_acronym_may_stand_for_several_things() -> None:
    found = acronyms(["sparse fine-tuning (SFT)", "supervised fine-tuning (SFT)"])

    assert {("sparse", "fine", "tuning"), ("supervised", "fine", "tuning")} == found[("sft",)]


def test_the_examples_in_the_documentation_hold() -> None:
    assert 0 == doctest.testmod(digest.curate.acronyms).failed
