"""`digest similar`: the papers most like one paper."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from digest.model import StoredPaper
from digest.state.store import open_state
from tests.makers import NOW, TODAY, paper
from tests.word_vectors import write_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place

_PAPERS: list[dict[str, Any]] = [
    {"id": "2609.00001", "title": "Dunes in Winter Storms", "published": "2026-09-01", "upvotes": 3},
    {"id": "2609.00002", "title": "Whales in Winter", "published": "2026-09-03", "upvotes": 9},
    {"id": "2609.00003", "title": "Storms and Winter Dunes", "published": "2026-09-02"},
    {"id": "mine/4", "title": "Knitting", "abstract": "Of socks."},
]


def write(place: Place, *papers: dict[str, Any], name: str = "papers.jsonl") -> None:
    (place.folder / name).write_text("".join(json.dumps(one) + "\n" for one in papers), encoding="utf-8")


@pytest.fixture(autouse=True)
def _listed(place: Place) -> None:
    write(place, *_PAPERS)


def ids(said: Said) -> list[str]:
    return [row["id"] for row in said.json]


@pytest.mark.parametrize("key", ["2609.00001", "arXiv:2609.00001v2", "https://arxiv.org/abs/2609.00001"])
def test_papers_of_the_archive_are_listed_the_most_similar_first(key: str, cli: Callable[..., Said]) -> None:
    cli("pull")

    said = cli("similar", key)

    assert (0, "") == (said.code, said.err)
    head, columns, best, next_best = said.out.splitlines()
    assert "Like “Dunes in Winter Storms”, of 3 papers:" == head
    assert ["LIKE", "PAPER", "SINCE", "VOTES", "TITLE"] == columns.split()
    assert ["arxiv:2609.00003", "2026-09-02", "Storms", "and", "Winter", "Dunes"] == best.split()[1:]
    assert ["arxiv:2609.00002", "2026-09-03", "▲", "9", "Whales", "in", "Winter"] == next_best.split()[1:]


def test_the_similar_ones_can_be_listed_by_age_or_by_votes(cli: Callable[..., Said]) -> None:
    cli("pull")

    assert ["arxiv:2609.00003", "arxiv:2609.00002"] == ids(cli("similar", "2609.00001", "--json"))
    assert ["arxiv:2609.00002", "arxiv:2609.00003"] == ids(cli("similar", "2609.00001", "--sort", "recent", "--json"))
    assert ["arxiv:2609.00002", "arxiv:2609.00003"] == ids(cli("similar", "2609.00001", "--sort", "trending", "--json"))
    assert ["arxiv:2609.00003"] == ids(cli("similar", "2609.00001", "--sort", "recent", "-n", "1", "--json"))


def test_json_names_what_people_see(cli: Callable[..., Said]) -> None:
    cli("pull")

    (row,) = cli("similar", "2609.00001", "-n", "1", "--json").json

    assert 0 < row.pop("similarity") <= 1
    assert {
        "id": "arxiv:2609.00003",
        "since": "2026-09-02",
        "upvotes": None,
        "title": "Storms and Winter Dunes",
        "url": "https://arxiv.org/abs/2609.00003",
    } == row


def test_a_list_without_dates_is_sorted_by_its_votes(place: Place, cli: Callable[..., Said]) -> None:
    papers = [{"id": f"w{n}", "title": f"Winter dunes {'sing ' * n}", "upvotes": 10 * n} for n in range(4)]
    (place.folder / "list.jsonl").write_text("\n".join(map(json.dumps, papers)))

    found = cli("similar", "w0", "--corpus", "list.jsonl", "--sort", "trending", "--json")

    assert ["w3", "w2", "w1"] == ids(found)


def test_a_paper_of_ones_own_over_a_list_of_ones_own_needs_no_configuration(
    place: Place, cli: Callable[..., Said]
) -> None:
    (place.folder / "config.toml").unlink()
    (place.folder / "draft.json").write_text('{\n "title": "Winter Dunes",\n "abstract": "On storms."\n}\n')

    said = cli("similar", "--paper", "draft.json", "--corpus", "papers.jsonl", "--json")
    named = cli("similar", "mine/4", "--corpus", "papers.jsonl")

    assert (0, "") == (said.code, said.err)
    assert ["2609.00003", "2609.00001", "2609.00002"] == ids(said)
    assert (0, "None of 3 papers is like “Knitting”.\n") == (named.code, named.out)


def test_a_described_paper_that_is_known_is_not_like_itself(place: Place, cli: Callable[..., Said]) -> None:
    cli("pull")
    write(place, _PAPERS[0], name="one.json")

    assert ["arxiv:2609.00003", "arxiv:2609.00002"] == ids(cli("similar", "--paper", "one.json", "--json"))


def test_an_unknown_paper_is_told_which_may_have_been_meant(cli: Callable[..., Said]) -> None:
    cli("pull")

    close, far = cli("similar", "2609.00004"), cli("similar", "doi:10.1000/x")

    assert (1, "") == (close.code, close.out)
    assert close.err.startswith("digest: none of 4 papers is arxiv:2609.00004\n  → did you mean arxiv:2609.0000")
    assert "digest: none of 4 papers is doi:10.1000/x\n  → describe it in a file: --paper FILE.json\n" == far.err


def test_without_papers_it_says_how_to_get_some(cli: Callable[..., Said]) -> None:
    said = cli("similar", "2609.00001")

    assert (1, "digest: no papers are known\n  → fetch some with: digest pull\n") == (said.code, said.err)


@pytest.mark.parametrize("arguments", [(), ("2609.00001", "--paper", "papers.jsonl")])
def test_one_paper_has_to_be_named(arguments: tuple[str, ...], cli: Callable[..., Said]) -> None:
    said = cli("similar", *arguments)

    assert (2, "") == (said.code, said.out)
    assert "digest: one paper has to be named\n" in said.err


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "is not JSON: "), ("[1]", "is not a JSON object"), ('{"id": 1}', "has no title"), ("\xff", "is not JSON")],
)
def test_a_file_that_describes_no_paper_is_told(text: str, reason: str, place: Place, cli: Callable[..., Said]) -> None:
    (place.folder / "bad.json").write_bytes(text.encode("latin-1"))

    said = cli("similar", "--paper", "bad.json", "--corpus", "papers.jsonl")

    assert (1, "") == (said.code, said.out)
    assert said.err.startswith(f"digest: bad.json: {reason}")
    assert '  → write {"title": "…", "abstract": "…"}\n' in said.err


def test_a_line_of_the_list_that_is_no_paper_costs_that_line(place: Place, cli: Callable[..., Said]) -> None:
    with (place.folder / "papers.jsonl").open("a") as file:
        file.write("{\n")

    said = cli("similar", "2609.00001", "--corpus", "papers.jsonl", "--json")

    assert (0, ["2609.00003", "2609.00002"]) == (said.code, ids(said))
    assert "digest: papers.jsonl: line 5: is not JSON" in said.err


def test_a_list_without_papers_is_told(place: Place, cli: Callable[..., Said]) -> None:
    write(place, name="empty.jsonl")

    said = cli("similar", "2609.00001", "--corpus", "empty.jsonl")

    assert (1, "digest: empty.jsonl: there are no papers\n") == (said.code, said.err.splitlines(keepends=True)[0])


def test_word_vectors_find_papers_that_use_other_words(place: Place, cli: Callable[..., Said]) -> None:
    write_model(place.folder / "model")
    place.configure(more='[semantic]\nmodel = "model"\n')
    write(place, *({"id": f"{n}", "title": title} for n, title in enumerate(["Whales", "Orcas", "Dunes", "Bees"])))
    cli("pull")

    of_archive = cli("similar", "list:list/0", "--json")
    of_list = cli("similar", "0", "--corpus", "papers.jsonl", "--config", "config.toml", "--json")

    assert (["list:list/1"], ["1"]) == (ids(of_archive), ids(of_list))
    assert [] == ids(cli("similar", "0", "--corpus", "papers.jsonl", "--json"))


def test_for_a_reader_what_they_were_sent_and_the_newest_papers_are_searched(
    place: Place, cli: Callable[..., Said]
) -> None:
    config = place.configure()
    config.write_text(config.read_text().replace('["mixture of experts"]', '["storms"]'))
    write(place, *_PAPERS)
    old = StoredPaper(paper(7, title="Older Winter Dunes"), NOW - timedelta(days=300), TODAY - timedelta(days=300))
    with open_state(f"sqlite:///{place.folder / 'state.sqlite3'}", now=NOW) as state:
        state.papers.store([old])
    cli("pull")
    cli("send", "--now")

    assert {"arxiv:2609.00003", "arxiv:2609.00002"} == set(
        ids(cli("similar", "2609.00001", "--for", "ada@example.org", "--json"))
    )
    assert old.paper.key in ids(cli("similar", "2609.00001", "--json"))
    assert 1 == cli("similar", "2609.00001", "--for", "zoe@example.org").code
    assert 2 == cli("similar", "2609.00001", "--for", "ada@example.org", "--corpus", "papers.jsonl").code
