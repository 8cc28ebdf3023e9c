"""Stars of repositories, from a GitHub that is sometimes not well."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from digest.collect.github import Allowance, Reading, read_allowance, read_stars, repository
from digest.errors import FetchError
from digest.model import Problem, Validators
from tests.collect.net import policy
from tests.http_server import HttpServer, Reply, with_etag
from tests.makers import NOW

if TYPE_CHECKING:
    from collections.abc import Mapping

NEW = Validators()


def body(stars: object) -> bytes:
    return json.dumps({"full_name": "ada/numbers", "stargazers_count": stars}).encode()


def read(
    server: HttpServer, *names: str, known: Mapping[str, Validators] | None = None, token: str = "", **more: Any
) -> tuple[tuple[Reading, ...], tuple[Problem, ...]]:
    wanted = known or dict.fromkeys(names, NEW)
    return asyncio.run(read_stars(wanted, policy(attempts=1), token=token, base_url=server.url, now=NOW, **more))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/Ada/Numbers", "ada/numbers"),
        ("http://www.github.com/ada/numbers.git", "ada/numbers"),
        ("https://github.com/ada/numbers/tree/main/src?x=1#readme", "ada/numbers"),
        ("https://github.com/ada/nu.m-b_ers", "ada/nu.m-b_ers"),
        ("https://github.com/ada", ""),
        ("https://github.com/ada/..", ""),
        ("https://github.com/ada/%2e%2e%2fuser", ""),
        ("https://github.com/-ada/x", ""),
        ("https://github.com.example.org/ada/numbers", ""),
        ("https://gitlab.com/ada/numbers", ""),
        ("https://[github.com/ada/numbers", ""),
        ("", ""),
    ],
)
def test_only_addresses_on_github_name_a_repository(url: str, expected: str) -> None:
    assert expected == repository(url)


def test_stars_come_with_what_to_send_back_next_time(http_server: HttpServer) -> None:
    http_server.routes["/repos/ada/numbers"] = with_etag(body(9))

    first = read(http_server, "ada/numbers")
    again = read(http_server, known={"ada/numbers": Validators('"1"')})

    assert ((Reading("ada/numbers", 9, Validators('"1"')),), ()) == first
    assert ((Reading("ada/numbers", None, Validators('"1"')),), ()) == again


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(404), "the server answers 404 Not Found"),
        (Reply(403), "the server answers 403 Forbidden"),
        (Reply(502), "the server answers 502 Bad Gateway"),
        (Reply(body=b"<html>"), "the answer tells no number of stars"),
        (Reply(body=body("many")), "the answer tells no number of stars"),
        (Reply(body=body(-1)), "the answer tells no number of stars"),
        (Reply(body=b"[" * 100_000), "the answer tells no number of stars"),
        (Reply(304), "the server answers “not modified” to a first request"),
    ],
    ids=["gone", "blocked", "busy", "a page", "no number", "negative", "a bomb", "not modified"],
)
def test_a_bad_repository_costs_one_line(http_server: HttpServer, reply: Reply, message: str) -> None:
    http_server.routes |= {"/repos/bad/one": reply, "/repos/ada/numbers": Reply(body=body(9))}

    readings, problems = read(http_server, "bad/one", "ada/numbers")

    assert (Problem("bad/one", message),) == problems
    assert [("ada/numbers", 9)] == [(reading.repository, reading.stars) for reading in readings]


def test_the_token_goes_to_github_and_nowhere_else(http_server: HttpServer) -> None:
    """A renamed repository is followed there; whoever it may lead to elsewhere learns nothing."""
    with HttpServer() as elsewhere:
        elsewhere.routes["/stolen"] = Reply(body=body(1))
        http_server.routes |= {
            "/repos/ada/old": Reply(301, headers={"Location": "/repositories/17"}),
            "/repositories/17": Reply(body=body(9)),
            "/repos/ada/evil": Reply(302, headers={"Location": f"{elsewhere.url}/stolen"}),
        }

        readings, _ = read(http_server, "ada/old", "ada/evil", token="geheim")

    assert [9, 1] == [reading.stars for reading in readings]
    assert {"Bearer geheim"} == {request.headers["authorization"] for request in http_server.requests}
    assert ["application/vnd.github+json"] == [request.headers["accept"] for request in elsewhere.requests]
    assert "authorization" not in elsewhere.requests[0].headers


def test_without_a_token_none_is_sent(http_server: HttpServer) -> None:
    read(http_server, "ada/numbers")

    assert "authorization" not in http_server.requests[0].headers


_RESET = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW.timestamp()) + 3000)}


@pytest.mark.parametrize(
    ("reply", "read_until_then"),
    [
        (Reply(body=body(9), headers=_RESET), 1),
        (Reply(304, headers=_RESET), 1),
        (Reply(403, headers=_RESET), 0),
        (Reply(403, headers={"Retry-After": "600"}), 0),
        (Reply(429, headers={"Retry-After": "600"}), 0),
        (Reply(401), 0),
    ],
    ids=["the last one", "the last one again", "none left", "too fast", "too many", "a bad token"],
)
def test_when_nothing_is_left_no_more_is_asked(http_server: HttpServer, reply: Reply, read_until_then: int) -> None:
    http_server.routes |= {"/repos/ada/one": reply, "/repos/ada/two": Reply(body=body(9))}

    readings, problems = read(
        http_server, known=dict.fromkeys(["ada/one", "ada/two"], Validators('"1"')), token="geheim"
    )

    assert read_until_then == len(readings)
    (problem,) = problems
    assert "GitHub" == problem.where
    assert problem.message.endswith(f"; {read_until_then} of 2 repositories were read")
    assert "geheim" not in problem.message
    assert ["/repos/ada/one"] == [request.path for request in http_server.requests]


@pytest.mark.parametrize("status", [503, 403])
def test_a_github_that_is_down_or_refuses_is_not_asked_for_everything(http_server: HttpServer, status: int) -> None:
    names = [f"ada/{number}" for number in range(9)]
    http_server.routes |= {f"/repos/{name}": Reply(status) for name in names}

    assert [*names[:2], "GitHub"] == [problem.where for problem in read(http_server, *names)[1]]
    assert 3 == len(http_server.requests)


def test_a_github_that_is_slow_holds_nothing_up(http_server: HttpServer) -> None:
    problem = Problem("GitHub", "not done within 0 seconds; 0 of 1 repositories were read")

    assert ((), (problem,)) == read(http_server, "ada/numbers", deadline_s=0)


# --- what it grants ---------------------------------------------------------------------------------------------


def allowance(server: HttpServer, token: str = "") -> Allowance | None:
    return asyncio.run(read_allowance(policy(attempts=1), token=token, base_url=f"{server.url}/", now=NOW))


def test_github_tells_what_it_grants(http_server: HttpServer) -> None:
    granted = {"resources": {"core": {"limit": 5000, "remaining": 4999, "reset": 1}}, "rate": {}}
    http_server.routes["/rate_limit"] = Reply(body=json.dumps(granted).encode())

    assert Allowance(5000, 4999) == allowance(http_server, "geheim")
    assert "Bearer geheim" == http_server.requests[0].headers["authorization"]


@pytest.mark.parametrize(
    ("reply", "reason", "hint"),
    [
        (Reply(401), "the token is not accepted", "make a new one and put it where github.token_file says"),
        (Reply(body=b"<html>"), "the answer tells no limit", "check github.base_url"),
        (Reply(body=b'{"resources": []}'), "the answer tells no limit", "check github.base_url"),
        (Reply(body=b'{"resources": {"core": 5000}}'), "the answer tells no limit", "check github.base_url"),
        (
            Reply(body=b'{"resources": {"core": {"limit": "many"}}}'),
            "the answer tells no limit",
            "check github.base_url",
        ),
    ],
)
def test_a_token_that_is_not_accepted_is_found_out(
    http_server: HttpServer, reply: Reply, reason: str, hint: str
) -> None:
    http_server.routes["/rate_limit"] = reply

    with pytest.raises(FetchError) as caught:
        allowance(http_server, "geheim")

    assert (reason, hint) == (caught.value.reason, caught.value.hint)
    assert "geheim" not in str(caught.value)


def test_an_enterprise_server_may_count_nothing(http_server: HttpServer) -> None:
    assert allowance(http_server) is None
