"""Pulling many sources side by side."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, get_args

import pytest
from structlog.testing import capture_logs

from digest.collect import KINDS, collect
from digest.collect.items import Answer
from digest.collect.pull import tell_failures, unite
from digest.model import Batch, Source, SourceMemory, SourceType, Validators
from tests.collect.feeds import BIORXIV, api_entry, api_feed, arxiv_entry, arxiv_feed
from tests.collect.net import policy, pull
from tests.http_server import HttpServer, Reply, in_turn
from tests.makers import NOW, paper
from tests.smtp_server import free_port

if TYPE_CHECKING:
    from tests.http_server import Request


def blog(server: HttpServer, path: str, name: str = "", deadline_s: float = 300.0) -> Source:
    return Source("feed", name or path, url=f"{server.url}/{path}", deadline_s=deadline_s)


def test_batches_come_in_the_order_of_the_sources_and_are_told_as_they_come(http_server: HttpServer) -> None:
    http_server.routes["/bio"] = Reply(body=BIORXIV)
    http_server.routes["/atom/cs.CL"] = Reply(body=arxiv_feed(arxiv_entry()))
    http_server.routes["/api/daily_papers"] = Reply(body=b"[]")
    http_server.routes["/api/query"] = Reply(body=api_feed(api_entry()))
    sources = (
        blog(http_server, "bio"),
        Source("arxiv", "arxiv", categories=("cs.CL",), base_url=http_server.url + "/"),
        Source("huggingface", "hf", base_url=http_server.url, days=2),
        Source("arxiv-api", "search", query="all:x", base_url=http_server.url),
        blog(http_server, "gone"),
    )
    told: list[Batch] = []

    batches = asyncio.run(collect(sources, {}, policy(), now=NOW, on_progress=told.append))

    assert ["bio", "arxiv", "hf", "search", "gone"] == [batch.source for batch in batches]
    assert [1, 1, 0, 1, 0] == [len(batch.papers) for batch in batches]
    assert [1, 1, 2, 1, 1] == [batch.requests for batch in batches]
    assert [True] * 4 == [batch.failure == "" for batch in batches[:4]]
    assert f"{http_server.url}/gone: the server answers 404 Not Found" == batches[4].failure
    assert sorted(batch.source for batch in batches) == sorted(batch.source for batch in told)
    assert all(0 < batch.seconds < 5 and batch.bytes_received >= 0 for batch in batches)


def test_no_sources_give_no_batches() -> None:
    assert () == pull()


def test_a_source_that_hangs_costs_itself_until_its_deadline_and_nobody_else(http_server: HttpServer) -> None:
    http_server.routes["/hang"] = http_server.hang
    with HttpServer() as other:
        other.routes["/bio"] = Reply(body=BIORXIV)
        told: list[tuple[str, float]] = []
        sources = (blog(http_server, "hang", deadline_s=0.5), blog(other, "bio"))
        began = time.monotonic()

        hang, bio = asyncio.run(
            collect(
                sources,
                {},
                policy(timeout_s=60),
                now=NOW,
                on_progress=lambda batch: told.append((batch.source, time.monotonic() - began)),
            )
        )

    assert ("not done within 0.5 seconds", "`deadline` of the source gives it more time") == (hang.failure, hang.hint)
    assert ("", 1) == (bio.failure, len(bio.papers))
    assert ["bio", "hang"] == [name for name, _ in told]
    assert told[0][1] < told[1][1] < 20


def test_what_a_source_gave_before_its_deadline_is_kept(http_server: HttpServer) -> None:
    http_server.routes["/atom/cs.CL"] = Reply(body=arxiv_feed(arxiv_entry()), headers={"ETag": '"1"'})
    http_server.routes["/atom/cs.LG"] = http_server.hang

    (batch,) = pull(
        Source("arxiv", "arxiv", categories=("cs.CL", "cs.LG"), base_url=http_server.url, deadline_s=1.5), timeout_s=60
    )

    assert (1, "not done within 1.5 seconds") == (len(batch.papers), batch.failure)
    assert {f"{http_server.url}/atom/cs.CL": Validators('"1"')} == batch.validators


def test_a_feed_that_takes_long_to_read_holds_up_nobody(http_server: HttpServer) -> None:
    """A megabyte of tags that are never closed keeps the parser busy for more than a second."""
    asked = threading.Event()

    def after_the_other(_request: Request) -> Reply:
        asked.wait(10)
        return Reply(body=BIORXIV)

    def long(_request: Request) -> Reply:
        asked.set()
        return Reply(body=b"<rss version='2.0'><channel><item><title>&nbsp;" + b"<p>" * 150_000)

    told: list[str] = []
    with HttpServer() as other:
        other.routes["/bio"] = after_the_other
        http_server.routes["/long"] = long
        sources = (blog(http_server, "long"), blog(other, "bio"))

        asyncio.run(collect(sources, {}, policy(), now=NOW, on_progress=lambda batch: told.append(batch.source)))

    assert ["bio", "long"] == told


def test_a_busy_server_is_asked_again_and_then_counts(http_server: HttpServer) -> None:
    http_server.routes["/bio"] = in_turn(Reply(503), Reply(500), Reply(body=BIORXIV))

    (batch,) = pull(blog(http_server, "bio"))

    assert ("", 1, 3) == (batch.failure, len(batch.papers), batch.requests)


def test_each_attempt_that_is_made_again_is_told_once_with_source_and_reason(http_server: HttpServer) -> None:
    http_server.routes["/bio"] = in_turn(Reply(503), Reply(body=b""), Reply(503))

    with capture_logs() as told:
        (batch,) = pull(Source("feed", "bio", url=f"{http_server.url}/bio?token=secret"))

    place = f"bio: {http_server.url}/bio"
    assert [
        f"{place}: the server answers 503 Service Unavailable; it is asked again",
        f"{place}: the answer is empty; it is asked again",
    ] == [line["event"] for line in told]
    assert "the server answers 503" in batch.failure


def test_a_server_that_is_not_there_is_asked_only_once_for_each_other_part() -> None:
    """Without a network a week of lists would take minutes."""
    source = Source("huggingface", "hf", base_url=f"http://127.0.0.1:{free_port()}", days=7)

    with capture_logs() as told:
        (batch,) = pull(source)

    assert 2 == len(told)
    assert "no connection" in batch.failure


@pytest.mark.parametrize(("status", "requests"), [(503, 3), (429, 3), (403, 1), (404, 1), (400, 1)])
def test_how_often_a_server_is_asked_depends_on_its_answer(http_server: HttpServer, status: int, requests: int) -> None:
    http_server.routes["/bio"] = Reply(status)

    (batch,) = pull(blog(http_server, "bio"))

    assert requests == batch.requests
    assert f"the server answers {status}" in batch.failure


def test_a_wait_that_is_asked_for_is_kept_before_the_next_attempt(http_server: HttpServer) -> None:
    http_server.routes["/bio"] = in_turn(Reply(429, headers={"Retry-After": "0.3"}), Reply(body=BIORXIV))

    (batch,) = pull(blog(http_server, "bio"))

    first, second = http_server.requests
    assert ("", 1) == (batch.failure, len(batch.papers))
    assert second.began - first.began >= 0.3


@pytest.mark.parametrize("wait", ["3600", "Tue, 15 Sep 2026 07:00:00 GMT"])
def test_a_long_wait_is_not_waited_for_but_told(http_server: HttpServer, wait: str) -> None:
    http_server.routes["/bio"] = Reply(429, headers={"Retry-After": wait, "Date": "Tue, 15 Sep 2026 06:00:00 GMT"})

    (batch,) = pull(blog(http_server, "bio"))

    assert 1 == batch.requests
    assert "asks not to be asked again before 07:00 UTC on 15 September" in batch.failure
    assert "less often" in batch.hint


def test_an_endless_wait_costs_one_category_and_not_the_others(http_server: HttpServer) -> None:
    """Added to today, the difference of these dates is beyond the last day of the calendar."""
    headers = {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT", "Date": "Mon, 01 Jan 0001 00:00:00 GMT"}
    http_server.routes["/atom/cs.CL"] = Reply(429, headers=headers)

    (batch,) = pull(Source("arxiv", "arxiv", categories=("cs.CL", "cs.LG"), base_url=http_server.url))

    assert batch.failure.startswith("cs.CL, cs.LG: the server asks not to be asked again before")


def test_nobody_listening_is_told_after_the_last_attempt() -> None:
    with HttpServer() as server:
        asked = blog(server, "bio")

    (batch,) = pull(asked)

    assert (3, True) == (batch.requests, "no connection, or it broke off" in batch.failure)


def test_all_that_goes_to_arxiv_goes_one_by_one(http_server: HttpServer) -> None:
    """Announcements and searches are two sources and one site."""

    def slowly(request: Request) -> Reply:
        http_server.ending.wait(0.02)
        return Reply(body=api_feed(api_entry()) if "query" in request.path else arxiv_feed(arxiv_entry()))

    for path in ("/atom/cs.CL", "/atom/cs.LG", "/api/query"):
        http_server.routes[path] = slowly

    batches = pull(
        Source("arxiv", "arxiv", categories=("cs.CL", "cs.LG"), base_url=http_server.url),
        Source("arxiv-api", "search", query="all:x", base_url=http_server.url),
        intervals={"127.0.0.1": 0.05},
    )

    seen = sorted(http_server.requests, key=lambda request: request.began)
    assert ["", ""] == [batch.failure for batch in batches]
    assert 3 == len(seen)
    assert all(later.began - earlier.began >= 0.05 for earlier, later in pairwise(seen))
    assert all(later.began >= earlier.ended[0] for earlier, later in pairwise(seen))


def test_validators_are_sent_verbatim_and_kept_if_a_304_does_not_repeat_them(http_server: HttpServer) -> None:
    known = Validators('W/"a b"', "Tue, 15 Sep 2026 04:00:00 GMT")
    http_server.routes["/bio"] = Reply(304)
    url = f"{http_server.url}/bio"

    (batch,) = pull(blog(http_server, "bio"), memories={"bio": SourceMemory("bio", validators={url: known})})

    headers = http_server.requests[0].headers
    assert ('W/"a b"', "Tue, 15 Sep 2026 04:00:00 GMT") == (headers["if-none-match"], headers["if-modified-since"])
    assert (True, {url: known}) == (batch.not_modified, batch.validators)


def test_an_answer_that_broke_off_is_fetched_again_in_full(http_server: HttpServer) -> None:
    """Its validators are those of the whole: with them the missing half would be "not modified" for ever."""
    whole = arxiv_feed(arxiv_entry(), arxiv_entry("2609.00002"))
    http_server.routes["/bio"] = Reply(body=whole[:-100], headers={"ETag": '"1"'})

    (batch,) = pull(blog(http_server, "bio"))

    assert (1, {}) == (len(batch.papers), batch.validators)


def test_a_mistake_in_a_reader_costs_that_source_and_is_named(
    http_server: HttpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A source no configuration lets through stands in for a mistake of ours."""
    http_server.routes["/bio"] = Reply(body=BIORXIV)
    broken = Source("huggingface", "broken", base_url=http_server.url, days="seven")  # type: ignore[arg-type]

    batch, bio = pull(broken, blog(http_server, "bio"))

    assert "reading it failed unexpectedly (TypeError)" == batch.failure
    assert "mistake in digest" in batch.hint
    assert ("", 1) == (bio.failure, len(bio.papers))
    assert "Traceback" in capsys.readouterr().out


def test_a_paper_of_several_answers_keeps_its_best_label_all_categories_and_its_newest_version() -> None:
    first = paper(1, announce="replace", version=1, categories=("cs.CL",), title="Old")
    second = paper(1, announce="cross", version=2, categories=("cs.LG", "cs.CL"), title="New")

    united = unite([[first, paper(2)], [second]])

    assert (paper(1, announce="cross", version=2, categories=("cs.CL", "cs.LG"), title="New"), paper(2)) == united
    assert united == unite([united])


def test_equal_failures_are_told_together() -> None:
    answers = [
        Answer("mon", failure="no connection", hint="wait"),
        Answer("tue"),
        Answer("wed", failure="no connection"),
        Answer("thu", failure="the answer is not JSON", hint="look"),
        Answer("", failure="not done within 3 seconds"),
    ]

    told = "mon, wed: no connection; thu: the answer is not JSON; not done within 3 seconds"
    assert (told, "wait") == tell_failures(answers)
    assert ("", "") == tell_failures([Answer("tue")])


# --- the table


def test_every_source_type_has_its_row() -> None:
    assert set(get_args(SourceType)) == set(KINDS)
    assert {"arxiv": None, "arxiv-api": 100, "huggingface": 50, "feed": 20, "jsonl": None} == {
        name: kind.first_run_max for name, kind in KINDS.items()
    }


def test_importing_the_room_brings_no_http_client_and_no_feed_parser() -> None:
    """`digest --help` names source types; it must not wait for what fetches them."""
    program = "import digest.collect, sys; print({'httpx2', 'feedparser', 'nh3', 'structlog'} & set(sys.modules))"

    assert (
        "set()\n" == subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    )
