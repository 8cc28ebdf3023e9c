"""`digest feedback`: what is said is kept, changes the digest, and can be taken back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place

ADA = "ada@example.org"
FOR = ("--for", ADA)


@pytest.fixture
def papers(place: Place, cli: Callable[..., Said]) -> None:
    """Two papers on mixtures of experts, one of them by Bo Li."""
    lines = [
        {"id": "2609.00001", "title": "A Mixture of Experts for Bridges", "abstract": "Bridges.", "authors": ["Bo Li"]},
        {"id": "2609.00002", "title": "A Mixture of Experts for Poetry", "abstract": "Poetry.", "authors": ["Ann Ro"]},
    ]
    (place.folder / "papers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    cli("pull")


@pytest.mark.usefixtures("papers")
def test_what_is_muted_is_gone_until_it_is_taken_back(cli: Callable[..., Said]) -> None:
    muted = cli("feedback", "mute", "author:Bo  Li", *FOR)
    without = cli("preview", ADA).out
    undone = cli("feedback", "mute", "author:Bo Li", *FOR, "--undo")

    assert "ada@example.org: never again papers by “Bo Li”. Take it back with --undo.\n" == muted.out
    assert ("Bridges" in without, "Poetry" in without) == (False, True)
    assert "ada@example.org: taken back: never again papers by “Bo Li”.\n" == undone.out
    assert "Bridges" in cli("preview", ADA).out


@pytest.mark.usefixtures("papers")
@pytest.mark.parametrize("spelling", ["arxiv:2609.00001", "2609.00001v2", "https://arxiv.org/pdf/2609.00001"])
def test_a_paper_goes_by_any_of_its_identifiers(cli: Callable[..., Said], spelling: str) -> None:
    assert "more like “A Mixture of Experts for Bridges”" in cli("feedback", "more", spelling, *FOR).out

    (said,) = cli("feedback", "log", *FOR, "--json").json
    assert ("more", "paper", "arxiv:2609.00001", None) == (said["verb"], said["kind"], said["what"], said["undone_at"])


@pytest.mark.usefixtures("papers")
def test_the_log_tells_all_that_was_said_and_taken_back(cli: Callable[..., Said]) -> None:
    empty = cli("feedback", "log", *FOR).out
    cli("feedback", "less", "2609.00002", *FOR)
    cli("feedback", "more", "word:bridges", *FOR)
    cli("feedback", "less", "2609.00002", *FOR, "--undo")

    log = cli("feedback", "log", *FOR).out

    assert "ada@example.org has said nothing yet.\n" == empty
    assert ["less", "more"] == [line.split()[2] for line in log.splitlines()[1:]]
    assert "A Mixture of Experts for Poetry" in log
    assert "taken back" in log.splitlines()[1]
    assert "word:bridges" in log.splitlines()[2]


@pytest.mark.usefixtures("papers")
def test_only_what_was_said_last_can_be_taken_back(cli: Callable[..., Said]) -> None:
    cli("feedback", "less", "2609.00002", *FOR)

    said = cli("feedback", "more", "2609.00002", *FOR, "--undo")

    assert 1 == said.code
    assert "has not said “more” of “A Mixture of Experts for Poetry”; what counts is “less”" in said.err
    assert "digest feedback log --for ada@example.org" in said.err


@pytest.mark.usefixtures("papers")
@pytest.mark.parametrize(
    ("what", "code", "reason"),
    [
        ("2401.01234", 1, "the paper arxiv:2401.01234 is not known here"),
        ("some words", 2, "'some words' is no paper, author or word"),
        ("author:", 2, "'author:' names no author"),
        ("word:…", 2, "'word:…' names no word"),
    ],
)
def test_what_cannot_be_meant_is_refused(cli: Callable[..., Said], what: str, code: int, reason: str) -> None:
    said = cli("feedback", "more", what, *FOR)

    assert (code, "") == (said.code, said.out)
    assert reason in said.err
    assert [] == cli("feedback", "log", *FOR, "--json").json


def test_a_stranger_is_no_reader(cli: Callable[..., Said]) -> None:
    said = cli("feedback", "mute", "word:bees", "--for", "adda@example.org")

    assert 1 == said.code
    assert "did you mean ada@example.org?" in said.err
