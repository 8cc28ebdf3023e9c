"""Asking a language model, against a real server on the loopback that answers well, badly or never."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from digest.collect.llm import Asked, Machine, ask
from tests.http_server import Reply, in_turn

if TYPE_CHECKING:
    from tests.http_server import Handler, HttpServer, Request

PATH = "/v1/chat/completions"
QUESTIONS = {name: [{"role": "user", "content": name}] for name in ("one", "two", "three")}
KEY = "sk-very-secret"


def completion(text: object, **more: Any) -> Reply:
    return Reply(body=json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]} | more).encode())


def echo(request: Request) -> Reply:
    """Answers with what was asked; each costs ten tokens."""
    return completion(json.loads(request.body)["messages"][0]["content"].upper(), usage={"total_tokens": 10})


def asked(server: HttpServer, route: Reply | Handler, **limits: Any) -> Asked:
    server.routes[PATH] = route
    machine = Machine(f"{server.url}/v1/", "small-1", KEY, timeout_s=limits.pop("timeout_s", 5.0), connections=1)
    limits = {"answer_tokens": 100, "most_tokens": 1000, "deadline_s": 5.0} | limits
    return ask(machine, QUESTIONS, **limits)


def test_every_question_has_its_answer(http_server: HttpServer) -> None:
    found = asked(http_server, echo)

    assert {"one": "ONE", "two": "TWO", "three": "THREE"} == found.answers
    assert (3, 30, "") == (found.calls, found.tokens, found.trouble)
    request = http_server.requests[0]
    assert {"model": "small-1", "messages": QUESTIONS["one"], "max_completion_tokens": 100} == json.loads(request.body)
    assert f"Bearer {KEY}" == request.headers["authorization"]


def test_no_further_question_is_asked_once_so_many_tokens_were_used(http_server: HttpServer) -> None:
    found = asked(http_server, echo, most_tokens=15)

    assert ({"one": "ONE", "two": "TWO"}, 20, "") == (found.answers, found.tokens, found.trouble)


def test_tokens_are_guessed_where_a_server_does_not_count(http_server: HttpServer) -> None:
    assert 3 * 20 < asked(http_server, completion("It counts.")).tokens < 3 * 60


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (Reply(401, b"no"), "the server answers 401"),
        (Reply(429), "the server answers 429"),
        (Reply(302, headers={"Location": "https://evil.example/"}), "the server answers 302"),
        (Reply(body=b"<html>"), "the answer is not one of chat completions"),
        (Reply(body=b"[]"), "the answer is not one of chat completions"),
        (Reply(body=b'{"choices": []}'), "the answer is not one of chat completions"),
        (Reply(body=b"[" * 100_000), "the answer is not one of chat completions"),
        (Reply(body=b" " * (2**20 + 1)), "the answer is larger than 1 MiB and was not read further"),
    ],
)
def test_at_the_first_sign_of_trouble_it_stops_and_keeps_what_it_has(
    http_server: HttpServer, reply: Reply, trouble: str
) -> None:
    found = asked(http_server, in_turn(completion("It counts."), reply))

    assert {"one": "It counts."} == found.answers
    assert (2, f"{http_server.url}{PATH}: {trouble}") == (found.calls, found.trouble)


@pytest.mark.parametrize("status", [200, 400])
def test_what_an_answer_without_use_says_it_cost_is_counted(http_server: HttpServer, status: int) -> None:
    body = json.dumps({"error": {"message": "content filter"}, "usage": {"total_tokens": 70}}).encode()

    good = completion("It counts.", usage={"total_tokens": 10})
    found = asked(http_server, in_turn(good, Reply(status, body)))

    assert ({"one": "It counts."}, 2, 80) == (found.answers, found.calls, found.tokens)
    assert found.trouble


@pytest.mark.parametrize("usage", [[], "many", {"total_tokens": "10"}, {"total_tokens": -5}, {}])
def test_a_count_that_is_none_is_not_believed(http_server: HttpServer, usage: object) -> None:
    """An error that counts so costs nothing; an answer costs what its length tells."""
    failed = asked(http_server, Reply(400, json.dumps({"usage": usage}).encode()))
    answered = asked(http_server, completion("It counts.", usage=usage))

    assert 0 == failed.tokens
    assert 0 < answered.tokens < 3 * 60


def test_a_count_beyond_all_reason_costs_a_million(http_server: HttpServer) -> None:
    """A state keeps 32 bits of it."""
    assert 10**6 == asked(http_server, completion("It counts.", usage={"total_tokens": 10**30})).tokens


def test_an_answer_without_a_text_is_empty(http_server: HttpServer) -> None:
    assert {""} == set(asked(http_server, completion(None)).answers.values())


def test_a_server_that_hangs_or_drips_is_left_in_time(http_server: HttpServer) -> None:
    hung = asked(http_server, http_server.hang, timeout_s=0.1)
    dripped = asked(http_server, Reply(pieces=http_server.drip()), timeout_s=0.1)
    late = asked(http_server, http_server.hang, deadline_s=0.1)

    assert [1, 1, 1] == [one.calls for one in (hung, dripped, late)]
    assert "no complete answer within 0.1 seconds" in hung.trouble
    assert "no complete answer within 0.1 seconds" in dripped.trouble
    assert "not all was answered within 0.1 seconds" in late.trouble


def test_a_proxy_is_used_if_one_is_named_and_its_password_is_not_told(http_server: HttpServer) -> None:
    http_server.routes[PATH] = echo
    proxies = http_server.url.replace("://", "://ada:geheim@"), "http://ada:geheim@127.0.0.1:1"
    through, dead = (Machine("http://llm.invalid/v1", "small-1", proxy=proxy) for proxy in proxies)

    answered, unanswered = (
        ask(machine, QUESTIONS, answer_tokens=100, most_tokens=10, deadline_s=5.0) for machine in (through, dead)
    )

    assert "ONE" == answered.answers["one"]
    assert ("llm.invalid", "Basic YWRhOmdlaGVpbQ==") == (
        http_server.requests[0].headers["host"],
        http_server.requests[0].headers["proxy-authorization"],
    )
    assert "no connection through the proxy http://127.0.0.1:1, or it broke off" in unanswered.trouble
    assert "geheim" not in unanswered.trouble + repr(dead)


def test_a_server_that_is_not_there_is_named_and_the_key_is_not() -> None:
    machine = Machine("http://user:pass@127.0.0.1:1/v1", "small-1", f"{KEY}\nX: y")
    found = ask(machine, QUESTIONS, answer_tokens=1, most_tokens=1, deadline_s=5.0)

    assert found.trouble.startswith("http://127.0.0.1:1/v1/chat/completions: no connection")
    assert KEY not in found.trouble + repr(machine)
    assert "pass" not in found.trouble
