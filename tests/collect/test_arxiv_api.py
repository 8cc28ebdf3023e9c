"""Searches at arXiv."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collect.arxiv_api import is_incomplete, parse_arxiv_api
from digest.model import Paper, Problem, Source
from tests.collect.feeds import API_ERROR, CAPTCHA, api_entry, api_feed
from tests.collect.net import pull
from tests.http_server import HttpServer, Reply, in_turn

if TYPE_CHECKING:
    from tests.http_server import Handler, Request


def source(server: HttpServer, max_results: int = 200) -> Source:
    return Source("arxiv-api", "search", query='ti:"count" AND cat:cs.CL', base_url=server.url, max_results=max_results)


def test_an_entry_becomes_a_paper() -> None:
    more = (
        "<arxiv:comment>12 pages</arxiv:comment><arxiv:journal_ref>J. Num. 1</arxiv:journal_ref>"
        "<arxiv:doi>10.1000/ABC</arxiv:doi>"
    )

    papers, problems = parse_arxiv_api(api_feed(api_entry(version=2, title="On\n  Numbers", more=more)), source="s")

    expected = Paper(
        key="arxiv:2609.00001",
        title="On Numbers",
        abstract="We count on fingers.",
        authors=("Ada Lovelace", "Emmy Noether"),
        url="https://arxiv.org/abs/2609.00001",
        aliases=("doi:10.1000/abc",),
        version=2,
        published=datetime(2026, 9, 13, 17, 59, 49, tzinfo=UTC),
        categories=("math.CO", "cs.CL"),
        sources=("s",),
        comment="12 pages",
        journal_ref="J. Num. 1",
        pdf_url="https://arxiv.org/pdf/2609.00001",
    )
    assert ((expected,), ()) == (papers, problems)


def test_old_ids_have_their_archive_in_the_key() -> None:
    papers, _ = parse_arxiv_api(api_feed(api_entry("hep-ex/0307015")), source="s")

    assert [("arxiv:hep-ex/0307015", "https://arxiv.org/abs/hep-ex/0307015")] == [(p.key, p.url) for p in papers]


def test_no_results_are_no_failure() -> None:
    assert ((), ()) == parse_arxiv_api(api_feed(), source="s")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (API_ERROR, "says: incorrect id format for abc"),
        (CAPTCHA, "is not a feed but a web page titled “Are you human?”"),
        (api_feed(total=7), "announces 7 results on this page and has 0"),
    ],
)
def test_what_is_no_page_of_results_is_said_in_words(data: bytes, message: str) -> None:
    papers, problems = parse_arxiv_api(data, source="s")

    assert ((), message) == (papers, problems[0].message)


def test_a_page_shorter_than_announced_is_a_problem_beside_its_papers() -> None:
    papers, problems = parse_arxiv_api(api_feed(api_entry(), total=500, start=200, size=100), source="s")

    assert 1 == len(papers)
    assert (Problem("the answer", "announces 100 results on this page and has 1"),) == problems


GOOD = api_feed(api_entry(), api_entry("2609.00002"))


@given(st.binary() | st.integers(0, len(GOOD)).map(lambda end: GOOD[:end]))
def test_no_bytes_raise(data: bytes) -> None:
    papers, problems = parse_arxiv_api(data, source="s")

    assert all(paper.key.startswith("arxiv:") and paper.title for paper in papers)
    assert all(problem.message for problem in problems)


# --- over the network


def paging(total: int) -> Handler:
    """A server with `total` results."""

    def handler(request: Request) -> Reply:
        start, size = int(request.query["start"]), int(request.query["max_results"])
        entries = (api_entry(f"2609.{number:05}") for number in range(start + 1, min(start + size, total) + 1))
        return Reply(body=api_feed(*entries, total=total, start=start, size=size))

    return handler


@pytest.mark.parametrize(
    ("max_results", "total", "pages", "expected"),
    [(200, 5, 1, 5), (450, 1000, 3, 450), (600, 401, 3, 401), (600, 400, 3, 400)],
)
def test_results_come_in_pages_of_200_until_enough_or_the_end(
    http_server: HttpServer, max_results: int, total: int, pages: int, expected: int
) -> None:
    http_server.routes["/api/query"] = paging(total)

    (batch,) = pull(source(http_server, max_results))

    assert ("", expected, pages) == (batch.failure, len(batch.papers), batch.requests)
    assert "arxiv:2609.00001" == batch.papers[0].key


def test_the_query_goes_out_as_typed_newest_first(http_server: HttpServer) -> None:
    http_server.routes["/api/query"] = Reply(body=api_feed())

    pull(source(http_server, 50))

    assert {
        "search_query": 'ti:"count" AND cat:cs.CL',
        "start": "0",
        "max_results": "50",
        "sortBy": "submittedDate",
        "sortOrder": "descending",
    } == http_server.requests[0].query


@pytest.mark.parametrize("nothing", [b"", b" \n", api_feed(total=1)])
def test_a_hollow_answer_is_asked_for_again(http_server: HttpServer, nothing: bytes) -> None:
    http_server.routes["/api/query"] = in_turn(Reply(body=nothing), Reply(body=api_feed(api_entry())))

    (batch,) = pull(source(http_server))

    assert ("", 1, 2) == (batch.failure, len(batch.papers), batch.requests)


def test_an_answer_that_stays_hollow_is_a_failure(http_server: HttpServer) -> None:
    http_server.routes["/api/query"] = Reply()

    (batch,) = pull(source(http_server))

    assert f"{http_server.url}/api/query: the answer is empty" == batch.failure
    assert 3 == batch.requests


def test_a_later_page_that_fails_leaves_the_earlier_ones(http_server: HttpServer) -> None:
    first = api_feed(*(api_entry(f"2609.{number:05}") for number in range(1, 201)), total=300)
    http_server.routes["/api/query"] = in_turn(Reply(body=first), Reply(404))

    (batch,) = pull(source(http_server, 300))

    assert 200 == len(batch.papers)
    assert "results from 201: the server answers 404 Not Found" == batch.failure


def test_an_error_entry_is_quoted(http_server: HttpServer) -> None:
    http_server.routes["/api/query"] = Reply(400, API_ERROR)

    (batch,) = pull(source(http_server))

    assert batch.failure.endswith("the server answers 400: arXiv says: incorrect id format for abc")
    assert "query" in batch.hint


def test_counters_without_an_end_are_not_looked_for_again_and_again() -> None:
    """Five megabytes of them would have stopped everything, signals too, for longer than anybody waits."""
    assert not is_incomplete(b"<opensearch:totalResults " * 200_000)
