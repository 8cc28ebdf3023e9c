"""What is written for reference managers, they read back: with bibtexparser, rispy and our own reader of lists."""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from typing import Any

import pytest
import rispy
from bibtexparser.entrypoint import parse_string
from hypothesis import given
from hypothesis import strategies as st

from digest.collect.references import parse_references
from digest.model import DaySignals, Signals, StoredPaper
from digest.publish.bibliography import bibtex, ris
from digest.publish.record import Record, record
from tests.makers import HOSTILE_TITLE, NOW, TODAY, paper

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80)


def made(number: int = 1, edition: date = TODAY, **fields: Any) -> Record:
    return record(StoredPaper(paper(number, **fields), NOW, edition))


def test_an_arxiv_paper_is_an_entry_with_its_eprint() -> None:
    one = made(authors=("Ada Lovelace", "Ludwig van Beethoven"), aliases=("doi:10.1000/x_1",), title="On 10% of R&D")

    assert bibtex([one]) == (
        "@misc{lovelace202610,\n"
        "\ttitle = {{On 10\\% of R\\&D}},\n"
        "\tauthor = {Ada Lovelace and Ludwig van Beethoven},\n"
        "\tyear = {2026},\n"
        "\tmonth = {9},\n"
        "\teprint = {2609.00001},\n"
        "\tarchiveprefix = {arXiv},\n"
        "\tprimaryclass = {cs.LG},\n"
        "\tdoi = {10.1000/x\\_1},\n"
        "\turl = {https://arxiv.org/abs/2609.00001},\n"
        "\tabstract = {We study the number 1 and find it to be a number.}\n"
        "}\n"
    )


def test_a_paper_in_a_journal_is_an_article() -> None:
    assert bibtex([made(journal_ref="Nature 1, 2 (2026)")]).startswith("@article{")
    assert ris([made(journal_ref="Nature 1, 2 (2026)")]).startswith("TY  - JOUR\n")


def test_citation_keys_are_all_different() -> None:
    keys = [entry.key for entry in parse_string(bibtex([made(n, title="Same") for n in (1, 2, 3)])).entries]

    assert ["lovelace2026same", "lovelace2026same-2", "lovelace2026same-3"] == keys


def test_names_that_bibtex_would_take_apart_are_in_braces() -> None:
    one = made(authors=("Lovelace, Ada", "The Sand and Gravel Group", "others"))

    assert "author = {{Lovelace, Ada} and {The Sand and Gravel Group} and {others}}" in bibtex([one])


def test_ris_has_family_names_first_where_it_is_plain_which_they_are() -> None:
    names = ("Ludwig van Beethoven", "Noémie Charbonneau", "小林 直樹 (Naoki Kobayashi)", "Plato", "OpenAI 2 Team")
    lines = ris([made(authors=names)]).splitlines()

    assert [
        "AU  - van Beethoven, Ludwig",
        "AU  - Charbonneau, Noémie",
        "AU  - 小林 直樹 (Naoki Kobayashi)",
        "AU  - Plato",
        "AU  - OpenAI 2 Team",
    ] == [line for line in lines if line.startswith("AU")]


@pytest.mark.parametrize("write", [bibtex, ris])
def test_a_hostile_paper_is_one_entry_and_its_neighbours_are_whole(write: Any) -> None:
    hostile = HOSTILE_TITLE + "} @misc{evil, title={x}}\nER  - \nTY  - JOUR\nTI  - evil \\input{/etc/passwd}"
    records = [made(1), made(2, title=hostile, abstract=hostile, authors=(hostile[:150],)), made(3)]

    papers, problems = parse_references(write(records).encode())[1]

    assert () == tuple(problems)
    assert ["arxiv:2609.00001", "arxiv:2609.00002", "arxiv:2609.00003"] == [one.key for one in papers]


@given(title=TEXTS, abstract=TEXTS, names=st.lists(TEXTS, max_size=3), link=TEXTS)
def test_whatever_a_paper_says_of_itself_it_is_one_entry_with_the_same_texts(
    title: str, abstract: str, names: list[str], link: str
) -> None:
    one = made(1, title=title, abstract=abstract, authors=tuple(names), url=f"https://example.org/{link}")
    library = parse_string(bibtex([one, made(2)]))
    references = rispy.loads(ris([one, made(2)]))

    assert [] == library.failed_blocks
    assert 2 == len(library.entries) == len(references)
    assert collapsed(one.title) == collapsed(references[0]["title"])
    assert collapsed(one.abstract) == collapsed(references[0].get("abstract", ""))
    assert balanced(str(library.entries[0].fields_dict["title"].value))


def collapsed(text: str) -> str:
    return " ".join(text.split())


def balanced(text: str) -> bool:
    return text.count("{") == text.count("}")


def test_the_latest_counts_are_published_and_old_ones_kept_for_the_chart() -> None:

    history = (
        DaySignals("hf", date(2026, 9, 14), Signals(upvotes=5, stars=9), datetime(2026, 9, 14, tzinfo=UTC)),
        DaySignals("github", date(2026, 9, 15), Signals(stars=8)),
        DaySignals("hf", date(2026, 9, 15), Signals(upvotes=4, position=3)),
    )
    one = record(StoredPaper(paper(signals=Signals(upvotes=1, comments=2)), NOW, TODAY), history)

    assert Signals(upvotes=4, comments=2, stars=9, position=3) == one.paper.signals
    assert history == one.history


def test_titles_are_composed_text() -> None:
    assert unicodedata.is_normalized("NFC", made(title="Cafe\u0301").title)
