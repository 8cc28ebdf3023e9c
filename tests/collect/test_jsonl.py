"""Lists of one JSON object per line."""

from __future__ import annotations

import doctest
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import digest.collect.jsonl
from digest.collect.jsonl import paper_id, parse_jsonl
from digest.model import Paper, Problem, Signals, Source
from tests.collect.feeds import CAPTCHA
from tests.collect.net import pull
from tests.http_server import HttpServer, Reply

if TYPE_CHECKING:
    from pathlib import Path


def lines(*items: object) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def one(**item: Any) -> Paper:
    (paper,), problems = parse_jsonl(lines({"title": "On Numbers"} | item), source="mine")
    assert () == problems
    return paper


def test_the_examples_in_the_docstrings_hold() -> None:
    assert 0 == doctest.testmod(digest.collect.jsonl).failed


def test_a_line_becomes_a_paper() -> None:
    found = one(
        id="arXiv:2609.00001v2",
        abstract="We count.\nThen we stop.",
        authors=["Ada Lovelace", {"name": "Emmy Noether"}, None],
        url="https://ada.example/numbers",
        published="2026-9-5",
        categories=["cs.CL", "cs.LG"],
        doi="10.1000/ABC",
        venue="Journal of Numbers",
        upvotes=7,
        comments=0,
        stars=3,
        code="https://github.com/ada/numbers",
        project="javascript:alert(1)",
        unknown={"is": "ignored"},
    )

    expected = Paper(
        key="arxiv:2609.00001",
        title="On Numbers",
        abstract="We count. Then we stop.",
        authors=("Ada Lovelace", "Emmy Noether"),
        url="https://ada.example/numbers",
        aliases=("doi:10.1000/abc", "list:mine/arXiv:2609.00001v2"),
        version=2,
        published=datetime(2026, 9, 5, tzinfo=UTC),
        categories=("cs.CL", "cs.LG"),
        sources=("mine",),
        journal_ref="Journal of Numbers",
        code_url="https://github.com/ada/numbers",
        signals=Signals(upvotes=7, comments=0, stars=3),
    )
    assert expected == found


def test_lists_may_be_written_as_text() -> None:
    found = one(authors="Lovelace, A.; Noether, E.", categories="cs.CL, cs.LG math.CO", date="2026-09-05")

    assert ("A. Lovelace", "E. Noether") == found.authors
    assert ("cs.CL", "cs.LG", "math.CO") == found.categories
    assert datetime(2026, 9, 5, tzinfo=UTC) == found.published


@pytest.mark.parametrize(
    ("item", "key", "typed"),
    [
        ({"id": "p000"}, "list:mine/p000", "p000"),
        ({"id": 17}, "list:mine/17", "17"),
        ({"id": "a/b: c"}, "list:mine/a/b: c", "a/b: c"),
        ({"id": "2609.00001v2"}, "arxiv:2609.00001", "2609.00001v2"),
        ({"id": "https://doi.org/10.1000/ABC"}, "doi:10.1000/abc", "https://doi.org/10.1000/ABC"),
        ({"id": "p000", "url": "https://ada.example/x"}, "list:mine/p000", "p000"),
        ({"id": "p000", "url": "https://arxiv.org/abs/2609.00001"}, "arxiv:2609.00001", "p000"),
        ({"url": "https://ada.example/x"}, "url:https://ada.example/x", "url:https://ada.example/x"),
        ({"id": "p000", "doi": "10.1000/abc"}, "doi:10.1000/abc", "p000"),
        ({"doi": "10.1000/abc"}, "doi:10.1000/abc", "doi:10.1000/abc"),
        ({"id": True}, "list:mine/On Numbers", "On Numbers"),
        ({}, "list:mine/On Numbers", "On Numbers"),
    ],
)
def test_the_id_comes_back_as_typed(item: dict[str, Any], key: str, typed: str) -> None:
    found = one(**item)

    assert (key, typed) == (found.key, paper_id(found))


def test_an_address_under_which_lines_have_other_titles_identifies_none_of_them() -> None:
    page = {"url": "https://conference.example/accepted"}
    items = [page | {"title": "One"}, page | {"title": "Two", "doi": "10.1000/two"}, page | {"title": "Three", "id": 3}]

    papers, problems = parse_jsonl(lines(*items), source="mine")

    keys = [("list:mine/One", ()), ("doi:10.1000/two", ()), ("list:mine/3", ())]
    assert (keys, ()) == ([(paper.key, paper.aliases) for paper in papers], problems)
    assert {"https://conference.example/accepted"} == {paper.url for paper in papers}


def test_a_line_that_is_there_twice_shares_its_address_with_nobody_and_is_not_told() -> None:
    papers, problems = parse_jsonl(lines(*[{"title": "One", "url": "https://ada.example/1"}] * 2), source="mine")

    assert (["url:https://ada.example/1"], ()) == ([paper.key for paper in papers], problems)


def test_a_line_that_is_left_out_because_its_id_is_taken_is_told() -> None:
    papers, problems = parse_jsonl(lines({"id": 1, "title": "One"}, {"id": 1, "title": "Two"}), source="mine")

    assert ["One"] == [paper.title for paper in papers]
    assert (Problem("line 2", "was left out: another item with the same identifier has another title"),) == problems


def test_an_arxiv_id_gives_an_address_to_a_line_that_has_none() -> None:
    assert "https://arxiv.org/abs/2609.00001" == one(id="2609.00001").url


def test_names_of_two_lists_are_two_papers() -> None:
    data = lines({"id": "1", "title": "On Numbers"})

    assert parse_jsonl(data, source="one")[0][0].key != parse_jsonl(data, source="two")[0][0].key


def test_line_ends_blank_lines_and_a_byte_order_mark_do_not_matter() -> None:
    data = (
        b"\xef\xbb\xbf"
        + lines({"title": "One"}).replace(b"\n", b"\r\n")
        + b"\r\n  \n"
        + b'{"title": "Two\xe2\x80\xa8!"}'
    )

    papers, problems = parse_jsonl(data, source="mine")

    assert (["One", "Two !"], ()) == ([paper.title for paper in papers], problems)


def test_a_bad_line_costs_that_line_and_is_named_by_its_number() -> None:
    data = b"\n".join(
        [
            b'{"title": "One"}',
            b"",
            b'{"title": ',
            b"[1]",
            b'{"id": "x"}',
            b'"\xff"',
            b"[" * 100_000,
            b'{"title": "Two"}',
        ]
    )

    papers, problems = parse_jsonl(data, source="mine")

    assert ["One", "Two"] == [paper.title for paper in papers]
    assert (
        Problem("line 3", "is not JSON: Expecting value at column 11"),
        Problem("line 4", "is not a JSON object"),
        Problem("line 5", "has no title"),
        Problem("line 6", "is not UTF-8"),
        Problem("line 7", "is not JSON"),
    ) == problems


@given(
    st.binary()
    | st.lists(st.dictionaries(st.sampled_from(["id", "title", "authors", "url"]), st.text())).map(
        lambda items: lines(*items)
    )
)
def test_no_bytes_raise(data: bytes) -> None:
    papers, problems = parse_jsonl(data, source="mine")

    assert all(paper.title and paper_id(paper) for paper in papers)
    assert not any("cannot be read" in problem.message for problem in problems)


# --- from a file and over the network


def test_a_list_is_read_from_a_file_without_any_request(tmp_path: Path) -> None:
    file = tmp_path / "papers.jsonl"
    file.write_bytes(lines({"id": "p1", "title": "On Numbers"}))

    (batch,) = pull(Source("jsonl", "mine", path=str(file)))

    assert (["list:mine/p1"], "", 0) == ([paper.key for paper in batch.papers], batch.failure, batch.requests)


def test_a_list_is_read_from_an_address(http_server: HttpServer) -> None:
    http_server.routes["/papers.jsonl"] = Reply(body=lines({"title": "On Numbers"}))

    (batch,) = pull(Source("jsonl", "mine", url=f"{http_server.url}/papers.jsonl"))

    assert (["On Numbers"], "") == ([paper.title for paper in batch.papers], batch.failure)


def test_an_empty_list_is_a_quiet_day(http_server: HttpServer, tmp_path: Path) -> None:
    (tmp_path / "papers.jsonl").touch()
    http_server.routes["/papers.jsonl"] = Reply()

    batches = pull(
        Source("jsonl", "file", path=str(tmp_path / "papers.jsonl")),
        Source("jsonl", "web", url=f"{http_server.url}/papers.jsonl"),
    )

    assert [((), ""), ((), "")] == [(batch.papers, batch.failure) for batch in batches]


def test_what_is_no_list_at_all_is_a_failure(http_server: HttpServer, tmp_path: Path) -> None:
    (tmp_path / "papers.json").write_text('[{"title": "On Numbers"}]')
    http_server.routes["/papers.jsonl"] = Reply(body=CAPTCHA)

    file, web, missing = pull(
        Source("jsonl", "file", path=str(tmp_path / "papers.json")),
        Source("jsonl", "web", url=f"{http_server.url}/papers.jsonl"),
        Source("jsonl", "missing", path=str(tmp_path / "none.jsonl")),
    )

    assert f"{tmp_path}/papers.json: line 1 is not a JSON object" == file.failure
    assert "one JSON object per line" in file.hint
    assert (0, 2) == (len(file.problems), len(web.problems))
    assert "no item could be read; the first: line 1 is not JSON" in web.failure
    assert f"{tmp_path}/none.jsonl: No such file or directory" == missing.failure
    assert "`path`" in missing.hint
