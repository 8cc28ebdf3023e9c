"""`digest interests` and `digest keywords suggest`: a reader's own list moves their digest and proposes keywords."""

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
BIBTEX = "".join(
    f"@article{{b{n}, title = {{Suspension bridges {word}}}, abstract = {{We build suspension bridges {word}.}}}}\n"
    for n, word in enumerate(("of steel", "in wind", "over rivers", "under load"))
)


@pytest.fixture
def papers(place: Place, cli: Callable[..., Said]) -> None:
    """Two papers that match, one of them about bridges, and some that do not."""
    lines = [
        {"id": "2609.00001", "title": "A Mixture of Experts for Poetry", "abstract": "Poetry."},
        {"id": "2609.00002", "title": "A Mixture of Experts for Suspension Bridges", "abstract": "Suspension bridges."},
        *({"id": f"2609.001{n}", "title": f"Rice {n}", "abstract": "Rice in water."} for n in range(10, 30)),
    ]
    (place.folder / "papers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    cli("pull")


def bring(place: Place, cli: Callable[..., Said], text: str = BIBTEX, *more: str, name: str = "mine.bib") -> Said:
    (place.folder / name).write_text(text, encoding="utf-8")
    return cli("interests", "import", name, *FOR, *more)


@pytest.mark.usefixtures("papers")
def test_a_list_proposes_keywords_and_lifts_papers_like_it(place: Place, cli: Callable[..., Said]) -> None:
    before = cli("preview", ADA).out
    said = bring(place, cli)
    after = cli("preview", ADA).out

    assert (0, "") == (said.code, said.err)
    assert "ada@example.org: 4 papers of mine.bib (BibTeX).\n" in said.out
    assert "  suspension bridges  4         0.1         4.5%" in said.out
    assert "Try one: digest keywords test 'suspension bridges'" in said.out
    assert before.index("Poetry") < before.index("Bridges")
    assert after.index("Bridges") < after.index("Poetry")


@pytest.mark.usefixtures("papers")
def test_what_was_brought_is_listed_and_can_be_forgotten(place: Place, cli: Callable[..., Said]) -> None:
    nothing = cli("interests", "list", *FOR).out
    bring(place, cli)
    bring(place, cli, "2609.00001\n2401.01234\n", name="ids.txt")

    listed = cli("interests", "list", *FOR)

    assert "ada@example.org has brought nothing." in nothing
    assert 7 == len(listed.out.splitlines())
    assert "A Mixture of Experts for Poetry" in listed.out
    assert "ada@example.org: 4 papers forgotten.\n" == cli("interests", "clear", *FOR, "--file", "mine.bib").out
    assert ["arxiv:2401.01234", "arxiv:2609.00001"] == [
        one["paper"] for one in cli("interests", "list", *FOR, "--json").json
    ]
    assert "ada@example.org: 2 papers forgotten.\n" == cli("interests", "clear", *FOR).out


@pytest.mark.usefixtures("papers")
def test_proposed_keywords_are_written_as_they_are_pasted(place: Place, cli: Callable[..., Said]) -> None:
    """Into the configuration, or after the command that keeps readers in the state; these may have no keywords yet."""
    configured = bring(place, cli)
    cli("subscribers", "add", "bob@example.org")
    joined = cli("interests", "import", "mine.bib", "--for", "bob@example.org")
    cli("subscribers", "add", "bob@example.org", "-k", "rice")
    suggested = cli("keywords", "suggest", "--for", "bob@example.org")

    assert '"suspension bridges"' in configured.out
    assert "(into their keywords)" in configured.out
    assert "has no keywords" not in configured.out
    assert "bob@example.org has no keywords, so there is no For-you part yet" in joined.out
    assert "digest subscribers add bob@example.org -k 'suspension bridges'" in joined.out
    assert "digest subscribers add bob@example.org -k rice -k 'suspension bridges'" in suggested.out


def test_to_clear_a_file_that_was_never_brought_names_those_that_were(place: Place, cli: Callable[..., Said]) -> None:
    bring(place, cli)

    said = cli("interests", "clear", *FOR, "--file", "other.bib")

    assert (1, "digest: ada@example.org has brought nothing from other.bib\n  → name one of mine.bib\n") == (
        said.code, said.err,
    )  # fmt: skip


@pytest.mark.usefixtures("papers")
def test_a_file_brought_again_is_what_it_is_now(place: Place, cli: Callable[..., Said]) -> None:
    bring(place, cli)
    bring(place, cli, "@misc{one, title = {Only this}}")

    assert ["Only this"] == [one["title"] for one in cli("interests", "list", *FOR, "--json").json]


@pytest.mark.usefixtures("papers")
def test_files_of_one_name_in_two_folders_are_two(place: Place, cli: Callable[..., Said]) -> None:
    """The other list of that name stays, and each is named by its folder until one of them is alone."""
    (place.folder / "old").mkdir()
    bring(place, cli, "@misc{one, title = {From old days}}", name="old/mine.bib")
    bring(place, cli, "@misc{two, title = {From now on}}")
    both = cli("interests", "list", *FOR).out
    unclear = cli("interests", "clear", *FOR, "--file", "elsewhere/mine.bib")
    gone = cli("interests", "clear", *FOR, "--file", "old/mine.bib")
    left = cli("interests", "list", *FOR).out

    assert f"{place.folder / 'old' / 'mine.bib'} " in both
    assert f"{place.folder / 'mine.bib'} " in both
    assert f"name one of {place.folder / 'mine.bib'}, {place.folder / 'old' / 'mine.bib'}\n" in unclear.err
    assert "ada@example.org: 1 paper forgotten.\n" == gone.out
    assert "From now on" in left
    assert "From old days" not in left
    assert str(place.folder) not in left


@pytest.mark.usefixtures("papers")
def test_ids_of_papers_that_nobody_knows_count_later(place: Place, cli: Callable[..., Said]) -> None:
    said = bring(place, cli, "2401.01234\n", "--json")
    told = bring(place, cli, "2401.01234\n")

    assert {"format": "plain", "papers": 1, "problems": [], "keywords": []} == said.json
    assert "1 of them only by their ids; they begin to count when a source brings them." in told.out


def test_a_bad_entry_costs_one_line(place: Place, cli: Callable[..., Said]) -> None:
    said = bring(place, cli, "@misc{good, title = {Good}}\n@misc{bad, year = 1999}\n")

    assert (0, "digest: mine.bib: bad: has no title and no identifier\n") == (said.code, said.err)
    assert ["Good"] == [one["title"] for one in cli("interests", "list", *FOR, "--json").json]


def test_a_file_without_references_is_refused(place: Place, cli: Callable[..., Said]) -> None:
    (place.folder / "paper.pdf").write_bytes(b"%PDF-1.7")

    said, missing = cli("interests", "import", "paper.pdf", *FOR), cli("interests", "import", "no.bib", *FOR)

    assert (1, 1) == (said.code, missing.code)
    assert said.err.startswith("digest: paper.pdf: the file is no text\n  → give a list of references: BibTeX, RIS,")
    assert "no.bib: No such file or directory" in missing.err


@pytest.mark.usefixtures("papers")
def test_keywords_are_proposed_from_feedback_too(cli: Callable[..., Said]) -> None:
    nothing = cli("keywords", "suggest", *FOR)
    cli("feedback", "more", "2609.00002", *FOR)
    cli("feedback", "less", "2609.00001", *FOR)

    entries = [one["entry"] for one in cli("keywords", "suggest", *FOR, "-n", "3", "--json").json]

    assert "Nothing is known of what ada@example.org likes" in nothing.out
    assert "suspension bridges" in entries[0]
    assert not any("poetry" in entry or entry == "mixture of experts" for entry in entries)
