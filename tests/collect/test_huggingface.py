"""Hugging Face daily papers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collect.huggingface import parse_daily_papers
from digest.model import Paper, Problem, Signals, Source, SourceMemory, Validators
from tests.collect.feeds import CAPTCHA
from tests.collect.net import pull
from tests.http_server import HttpServer, Reply

if TYPE_CHECKING:
    from tests.http_server import Request


def listed(
    number: str = "2609.00001", upvotes: object = 10, outer: dict[str, Any] | None = None, **inner: Any
) -> dict[str, Any]:
    """One item of a day's list; `inner` are fields of its `paper`."""
    paper = {
        "id": number,
        "authors": [
            {
                "_id": "a",
                "name": "Ada Lovelace",
                "hidden": False,
                "user": {"user": "ada"},
                "status": "claimed_verified",
            },
            {"_id": "b", "name": "Charles Babbage", "hidden": True},
            {"_id": "c", "name": "Emmy Noether", "hidden": False},
        ],
        "publishedAt": "2026-09-10T17:08:18.000Z",
        "submittedOnDailyAt": "2026-09-15T00:00:00.000Z",
        "title": "On Numbers,\n  Letters, and Signs",
        "summary": "We count.\nThen we stop.",
        "upvotes": upvotes,
        "discussionId": "d",
    }
    around = {
        "publishedAt": "2026-09-10T12:08:18.000Z",
        "title": "On Numbers",
        "summary": "We count.",
        "thumbnail": f"https://thumbnails.example/{number}.png",
        "numComments": 2,
        "isAuthorParticipating": False,
    }
    return {"paper": paper | inner} | around | (outer or {})


def as_json(*items: object) -> bytes:
    return json.dumps(items).encode()


def source(server: HttpServer, days: int = 1) -> Source:
    return Source("huggingface", "hf", base_url=server.url, days=days)


def test_an_item_becomes_a_paper_with_its_signals() -> None:
    item = listed(
        githubRepo="https://github.com/ada/numbers",
        githubStars=9,
        projectPage="https://ada.example/numbers",
        ai_summary="A machine counts.",
        ai_keywords=["counting", "numbers", "counting"],
        organization={"name": "aes", "fullname": "Analytical Engine Society"},
    )

    expected = Paper(
        key="arxiv:2609.00001",
        title="On Numbers, Letters, and Signs",
        abstract="We count. Then we stop.",
        authors=("Ada Lovelace", "Emmy Noether"),
        url="https://arxiv.org/abs/2609.00001",
        published=datetime(2026, 9, 10, 17, 8, 18, tzinfo=UTC),
        sources=("hf",),
        organization="Analytical Engine Society",
        code_url="https://github.com/ada/numbers",
        project_url="https://ada.example/numbers",
        discussion_url="https://huggingface.co/papers/2609.00001",
        thumbnail_url="https://thumbnails.example/2609.00001.png",
        ai_summary="A machine counts.",
        ai_keywords=("counting", "numbers"),
        signals=Signals(upvotes=10, comments=2, stars=9, position=1),
    )
    assert ((expected,), ()) == parse_daily_papers(as_json(item), source="hf")


def test_fields_that_are_missing_null_or_odd_are_simply_not_known() -> None:
    odd: dict[str, Any] = dict.fromkeys(
        ["authors", "publishedAt", "summary", "githubRepo", "githubStars", "projectPage", "ai_summary", "ai_keywords"]
    )
    item = listed(upvotes="many", outer={"summary": None, "thumbnail": "javascript:x", "numComments": -1}, **odd)

    (found,), problems = parse_daily_papers(as_json(item), source="hf")

    assert () == problems
    assert Signals() == found.signals
    assert ((), None, "", "") == (found.authors, found.published, found.thumbnail_url, found.abstract)


def test_zero_votes_are_votes() -> None:
    (found,), _ = parse_daily_papers(as_json(listed(upvotes=0)), source="hf")

    assert Signals(upvotes=0, comments=2, position=1) == found.signals


def test_positions_go_by_votes_whatever_the_order_of_the_list() -> None:
    """The API lists by time; the page and the mail of the day list by votes."""
    items = [listed(f"2609.0000{number}", votes) for number, votes in enumerate([2, 9, None, 9], 1)]

    papers, _ = parse_daily_papers(as_json(*items), source="hf", before=100)

    assert [
        ("arxiv:2609.00001", 103),
        ("arxiv:2609.00002", 101),
        ("arxiv:2609.00003", None),
        ("arxiv:2609.00004", 102),
    ] == [(paper.key, paper.signals.position) for paper in papers]


def test_the_organization_may_stand_inside_or_outside() -> None:
    outside = listed(outer={"organization": {"name": "aes"}})

    assert "aes" == parse_daily_papers(as_json(outside), source="hf")[0][0].organization


def test_an_id_that_is_not_from_arxiv_goes_by_its_page() -> None:
    (found,), _ = parse_daily_papers(as_json(listed("numbers-in-bloom")), source="hf")

    page = "https://huggingface.co/papers/numbers-in-bloom"
    assert (f"url:{page}", page, page) == (found.key, found.url, found.discussion_url)


def test_a_bad_item_costs_that_item() -> None:
    bad: list[object] = [
        None,
        7,
        [],
        {},
        {"paper": None},
        listed(""),
        listed("2609.00002", title=None, outer={"title": ""}),
    ]
    bad.append(listed("2609.00003", withdrawnAt="2026-09-15T00:00:00.000Z"))

    papers, problems = parse_daily_papers(as_json(*bad, listed()), source="hf")

    assert ["arxiv:2609.00001"] == [paper.key for paper in papers]
    assert (
        *(Problem(f"item {number}", "has no paper") for number in range(1, 6)),
        Problem("item 6", "has no identifier"),
        Problem("2609.00002", "has no title"),
        Problem("2609.00003", "was withdrawn"),
    ) == problems


def test_a_weekend_is_an_empty_list_and_no_failure() -> None:
    assert ((), ()) == parse_daily_papers(b"[]\n", source="hf")


@pytest.mark.parametrize(
    ("data", "where", "message"),
    [
        (
            b'{"error":"Too big: expected number to be <=100"}',
            "Hugging Face",
            "says: Too big: expected number to be <=100",
        ),
        (b'{"error":{"a":1}}', "Hugging Face", "says: error"),
        (b'{"papers":[]}', "the answer", "is not a list of papers"),
        (b"null", "the answer", "is not a list of papers"),
        (CAPTCHA, "the answer", "is not JSON"),
        (b"", "the answer", "is not JSON"),
        (b"[" * 100_000, "the answer", "is not JSON"),
        (b"[" + b"9" * 5_000 + b"]", "the answer", "is not JSON"),
        (b"\xff\xfe\xfa", "the answer", "is not JSON"),
    ],
)
def test_what_is_no_list_is_said_in_words(data: bytes, where: str, message: str) -> None:
    assert ((), (Problem(where, message),)) == parse_daily_papers(data, source="hf")


def test_half_characters_do_not_reach_the_papers() -> None:
    (found,), _ = parse_daily_papers(as_json(listed(title="lone \ud800 half")), source="hf")

    assert "lone half" == found.title


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["paper", "id", "title", "authors", "name", "upvotes", "organization", "ai_keywords"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(st.binary() | st.lists(JSON, max_size=3).map(lambda items: json.dumps(items).encode()))
def test_no_bytes_raise(data: bytes) -> None:
    papers, problems = parse_daily_papers(data, source="hf")

    assert all(paper.title for paper in papers)
    assert all(problem.message for problem in problems)


@given(
    JSON,
    st.sampled_from(["id", "authors", "title", "summary", "upvotes", "organization", "ai_keywords", "publishedAt"]),
)
def test_a_field_that_is_anything_at_all_costs_one_item_at_most(value: object, field: str) -> None:
    papers, problems = parse_daily_papers(
        as_json(listed() | {"paper": listed()["paper"] | {field: value}}), source="hf"
    )

    assert 1 == len(papers) + len(problems)
    assert not any("cannot be read" in problem.message for problem in problems)


# --- over the network


def test_the_last_days_are_asked_for_newest_first_and_never_tomorrow(http_server: HttpServer) -> None:
    def list_of_the_day(request: Request) -> Reply:
        return Reply(body=as_json(listed(f"2609.000{request.query['date'][-2:]}")))

    http_server.routes["/api/daily_papers"] = list_of_the_day

    (batch,) = pull(source(http_server, days=3))

    assert [
        {"date": "2026-09-15", "limit": "100"},
        {"date": "2026-09-14", "limit": "100"},
        {"date": "2026-09-13", "limit": "100"},
    ] == [request.query for request in http_server.requests]
    assert ["arxiv:2609.00015", "arxiv:2609.00014", "arxiv:2609.00013"] == [paper.key for paper in batch.papers]


def test_the_day_is_that_of_utc_wherever_the_machine_is(http_server: HttpServer) -> None:
    """A date ahead of UTC is answered with 400."""
    http_server.routes["/api/daily_papers"] = Reply(body=b"[]")

    pull(source(http_server), now=datetime(2026, 9, 16, 8, 0, tzinfo=timezone(timedelta(hours=14))))

    assert ["2026-09-15"] == [request.query["date"] for request in http_server.requests]


def test_a_long_day_has_pages(http_server: HttpServer) -> None:
    def pages(request: Request) -> Reply:
        first = 1 + 100 * int(request.query.get("p", "0"))
        return Reply(body=as_json(*(listed(f"2609.{number:05}", 5) for number in range(first, min(first + 100, 131)))))

    http_server.routes["/api/daily_papers"] = pages

    (batch,) = pull(source(http_server))

    assert (130, 2) == (len(batch.papers), batch.requests)
    assert list(range(1, 131)) == [paper.signals.position for paper in batch.papers]


def test_one_bad_day_costs_that_day(http_server: HttpServer) -> None:
    def refuses_today(request: Request) -> Reply:
        if request.query["date"] == "2026-09-15":
            return Reply(400, b'{"error":"Date is in the future"}')
        return Reply(body=as_json(listed()))

    http_server.routes["/api/daily_papers"] = refuses_today

    (batch,) = pull(source(http_server, days=2))

    assert ["arxiv:2609.00001"] == [paper.key for paper in batch.papers]
    assert "2026-09-15: the server answers 400: Hugging Face says: Date is in the future" == batch.failure
    assert "clock" in batch.hint


def test_votes_are_read_again_even_if_the_list_did_not_change(http_server: HttpServer) -> None:
    """A day without a count would make "since yesterday" mean since some earlier day."""
    http_server.routes["/api/daily_papers"] = Reply(body=as_json(listed()), headers={"ETag": '"1"'})
    url = f"{http_server.url}/api/daily_papers?date=2026-09-15&limit=100"
    memory = SourceMemory("hf", validators={url: Validators('"1"')})

    pull(source(http_server), memories={"hf": memory})

    assert url.endswith("?" + urlencode(http_server.requests[0].query))
    assert not any("if-none-match" in request.headers for request in http_server.requests)


def test_a_server_that_wants_peace_is_not_asked_for_the_other_days(http_server: HttpServer) -> None:
    http_server.routes["/api/daily_papers"] = Reply(429, headers={"RateLimit": '"api";r=0;t=290'})

    (batch,) = pull(source(http_server, days=7))

    assert 1 == batch.requests
    assert batch.failure.startswith("2026-09-15, 2026-09-14, ")
    assert batch.failure.endswith("the server asks not to be asked again before 06:04 UTC on 15 September")
