"""One polite request, against servers that are anything but."""

from __future__ import annotations

import asyncio
import gzip
import threading
import traceback
from itertools import pairwise
from socketserver import StreamRequestHandler, ThreadingTCPServer

import pytest
from structlog.testing import capture_logs

from digest import __version__
from digest.collect.http import Http, HttpPolicy, PassingError, Response, Traffic, shown
from digest.errors import FetchError
from digest.model import Source, Validators
from tests.collect.net import get, policy, pull
from tests.http_server import HttpServer, Reply, with_etag
from tests.makers import NOW


def test_the_answer_is_the_body_with_what_to_send_back_next_time(http_server: HttpServer) -> None:
    headers = {"ETag": '"1"', "Last-Modified": "Tue, 15 Sep 2026 04:00:00 GMT"}
    http_server.routes["/feed"] = Reply(200, b"<rss/>", headers)
    traffic = Traffic()

    response = get(f"{http_server.url}/feed", traffic=traffic)

    validators = Validators('"1"', "Tue, 15 Sep 2026 04:00:00 GMT")
    assert Response(200, b"<rss/>", validators, address=f"{http_server.url}/feed") == response
    assert Traffic(requests=1, bytes_received=6) == traffic


def test_every_request_says_who_asks_and_wants_no_stale_copy(http_server: HttpServer) -> None:
    http_server.routes["/"] = Reply(body=b"x")

    get(http_server.url + "/")

    headers = http_server.requests[0].headers
    assert f"paper-digest/{__version__} (+admin@example.org)" == headers["user-agent"]
    assert "no-cache" == headers["cache-control"]


def test_a_contact_in_any_script_is_named_in_ascii(http_server: HttpServer) -> None:
    """Header values are ASCII; percent-encoding is how addresses go there (RFC 6068 §2)."""
    http_server.routes["/"] = Reply(body=b"x")

    get(http_server.url + "/", contact="jörg@bücher.example")

    assert http_server.requests[0].headers["user-agent"].endswith("(+j%C3%B6rg@b%C3%BCcher.example)")


def test_what_did_not_change_is_not_sent_again(http_server: HttpServer) -> None:
    http_server.routes["/feed"] = with_etag(b"<rss/>")

    first = get(f"{http_server.url}/feed")
    second = get(f"{http_server.url}/feed", validators=first.validators)

    assert Response(304, b"", Validators('"1"'), not_modified=True, address=f"{http_server.url}/feed") == second


def test_not_modified_is_no_answer_to_a_first_request(http_server: HttpServer) -> None:
    http_server.routes["/feed"] = Reply(304)

    with pytest.raises(FetchError, match="first request"):
        get(f"{http_server.url}/feed")


def test_validators_that_could_not_be_sent_back_are_forgotten(http_server: HttpServer) -> None:
    http_server.routes["/feed"] = Reply(
        body=b"x", headers={"ETag": '"' + "e" * 600 + '"', "Last-Modified": "gestern ü"}
    )

    assert Validators() == get(f"{http_server.url}/feed").validators


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_may_be_asked_again(http_server: HttpServer, status: int) -> None:
    http_server.routes["/"] = Reply(status)

    with pytest.raises(PassingError, match=f"the server answers {status}"):
        get(http_server.url + "/")


@pytest.mark.parametrize(
    ("status", "hint"), [(403, "login"), (404, "check the address"), (410, "check"), (418, ""), (799, "")]
)
def test_other_answers_are_final(http_server: HttpServer, status: int, hint: str) -> None:
    http_server.routes["/"] = Reply(status)

    with pytest.raises(FetchError) as caught:
        get(http_server.url + "/")

    assert not isinstance(caught.value, PassingError)
    assert status == caught.value.status
    assert hint in caught.value.hint


def test_a_bad_request_is_handed_back_because_its_body_says_what_was_wrong(http_server: HttpServer) -> None:
    http_server.routes["/"] = Reply(400, b"Feed error")

    assert Response(400, b"Feed error", Validators(), address=f"{http_server.url}/") == get(http_server.url + "/")


def test_nobody_listening_is_a_passing_failure() -> None:
    with HttpServer() as server:
        url = server.url

    with pytest.raises(PassingError, match="no connection"):
        get(url)


def test_a_connection_that_breaks_off_gives_no_half_answer(http_server: HttpServer) -> None:
    http_server.routes["/"] = Reply(body=b"<rss>half", claimed_length=1000)

    with pytest.raises(PassingError, match="broke off"):
        get(http_server.url + "/")


# --- redirects


def test_redirects_are_followed_and_cookies_kept_on_the_way(http_server: HttpServer) -> None:
    """Publishers send readers to a login host and back; without the cookie they go round in circles."""
    http_server.routes["/a"] = Reply(301, headers={"Location": "b?x=1", "Set-Cookie": "seen=yes"})
    http_server.routes["/b"] = Reply(302, headers={"Location": f"{http_server.url}/c"})
    http_server.routes["/c"] = Reply(body=b"here")
    traffic = Traffic()

    assert b"here" == get(f"{http_server.url}/a", traffic=traffic).body
    assert Traffic(requests=3, bytes_received=4) == traffic
    assert "seen=yes" == http_server.requests[2].headers["cookie"]


def test_a_circle_of_redirects_ends_after_five(http_server: HttpServer) -> None:
    http_server.routes["/a"] = Reply(302, headers={"Location": "/a"})

    with pytest.raises(FetchError, match="more than 5 redirects"):
        get(f"{http_server.url}/a")

    assert 6 == len(http_server.requests)


@pytest.mark.parametrize(
    "place",
    [
        "file:///etc/passwd",
        "ftp://example.org/x",
        "gopher://127.0.0.1:25/_x",
        "javascript:alert(1)",
        "http://",
        "http://127.0.0.1:99999/",
        "data:,x",
    ],
)
def test_redirects_lead_to_proper_http_addresses_only(http_server: HttpServer, place: str) -> None:
    http_server.routes["/a"] = Reply(302, headers={"Location": place})

    with pytest.raises(FetchError):
        get(f"{http_server.url}/a")


@pytest.mark.parametrize(
    "place",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://0.0.0.0/",
        "http://2852039166/",
        "http://0xa9.0xfe.0xa9.0xfe/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
    ],
)
def test_redirects_never_lead_into_the_private_network(http_server: HttpServer, place: str) -> None:
    http_server.routes["/a"] = Reply(302, headers={"Location": place})

    with pytest.raises(FetchError, match="not a public address") as caught:
        get(f"{http_server.url}/a")

    assert "allow_private_hosts" in caught.value.hint


def test_a_private_host_is_asked_only_if_the_operator_named_it(http_server: HttpServer) -> None:
    http_server.routes["/"] = Reply(body=b"x")

    with pytest.raises(FetchError, match=r"127\.0\.0\.1 is not a public address"):
        get(http_server.url + "/", allow_private_hosts=())
    assert [] == http_server.requests
    assert b"x" == get(http_server.url + "/", allow_private_hosts=("127.0.0.0/8",)).body


def test_a_cookie_that_cannot_be_sent_back_is_a_failure_of_that_server(http_server: HttpServer) -> None:
    http_server.routes["/a"] = Reply(302, headers={"Location": "/b", "Set-Cookie": "seen=ü"})

    with pytest.raises(FetchError, match="not proper HTTP"):
        get(f"{http_server.url}/a")


# --- size and time


def test_an_answer_ends_at_the_limit(http_server: HttpServer) -> None:
    http_server.routes["/"] = Reply(pieces=http_server.drip(b"x" * 10_000, every_s=0.0))

    with pytest.raises(FetchError, match=r"larger than 0\.0954 MiB"):
        get(http_server.url + "/", max_bytes=100_000)


def test_a_bomb_stops_at_the_limit_after_decompression(http_server: HttpServer) -> None:
    bomb = gzip.compress(bytes(50 * 2**20))
    http_server.routes["/"] = Reply(body=bomb, headers={"Content-Encoding": "gzip"})
    traffic = Traffic()

    with pytest.raises(FetchError, match="larger than 1 MiB"):
        get(http_server.url + "/", max_bytes=2**20, traffic=traffic)

    assert len(bomb) < 60_000
    assert traffic.bytes_received <= 3 * 2**20


def test_a_compressed_answer_is_read(http_server: HttpServer) -> None:
    http_server.routes["/"] = Reply(body=gzip.compress(b"<rss/>"), headers={"Content-Encoding": "gzip"})

    assert b"<rss/>" == get(http_server.url + "/").body


def test_a_body_that_cannot_be_decompressed_is_a_final_failure(http_server: HttpServer) -> None:
    http_server.routes["/"] = Reply(body=b"not gzip", headers={"Content-Encoding": "gzip"})

    with pytest.raises(FetchError, match="cannot be decompressed"):
        get(http_server.url + "/")


def test_a_byte_now_and_then_does_not_keep_a_request_alive(http_server: HttpServer) -> None:
    """Timeouts of HTTP clients count per read: at a byte per second they never fire."""
    http_server.routes["/"] = Reply(pieces=http_server.drip())

    with pytest.raises(PassingError, match=r"no complete answer within 0\.2 seconds"):
        get(http_server.url + "/", timeout_s=0.2)


def test_a_server_that_says_nothing_is_left_in_time(http_server: HttpServer) -> None:
    http_server.routes["/"] = http_server.hang

    with pytest.raises(PassingError, match=r"no complete answer within 0\.1 seconds"):
        get(http_server.url + "/", timeout_s=0.1)


def test_the_time_limit_covers_all_redirects_together(http_server: HttpServer) -> None:
    def slowly(_request: object) -> Reply:
        http_server.ending.wait(0.15)
        return Reply(302, headers={"Location": "/a"})

    http_server.routes["/a"] = slowly

    with pytest.raises(PassingError, match=r"no complete answer within 0\.4 seconds"):
        get(f"{http_server.url}/a", timeout_s=0.4)


# --- manners


async def _together(urls: list[str], manners: HttpPolicy) -> None:
    async with Http(manners, now=NOW) as http, asyncio.TaskGroup() as group:
        for url in urls:
            deadline = asyncio.get_running_loop().time() + 60
            group.create_task(http.get(url, deadline=deadline, traffic=Traffic()))


def test_a_site_gets_one_request_at_a_time_and_time_to_breathe(http_server: HttpServer) -> None:
    def slowly(_request: object) -> Reply:
        http_server.ending.wait(0.03)
        return Reply(body=b"x")

    http_server.routes["/"] = slowly

    asyncio.run(_together([http_server.url + "/"] * 4, policy(intervals={"127.0.0.1": 0.06})))

    began = [request.began for request in http_server.requests]
    ended = [request.ended[0] for request in http_server.requests]
    assert 4 == len(began)
    assert all(later - earlier >= 0.06 for earlier, later in pairwise(began))
    assert all(start >= end for end, start in zip(ended, began[1:], strict=False))


def test_all_hosts_of_a_domain_share_its_turn(http_server: HttpServer) -> None:
    """The API, the feeds and the pages of arXiv together may be asked once in three seconds. A proxy stands in."""
    http_server.routes["/"] = Reply(body=b"x")
    urls = ["http://rss.arxiv.org/", "http://export.arxiv.org/", "http://arxiv.org/", "http://notarxiv.org/"]

    asyncio.run(_together(urls, policy(intervals={"arxiv.org": 0.08}, proxy=http_server.url)))

    began = {request.headers["host"]: request.began for request in http_server.requests}
    stranger = began.pop("notarxiv.org")
    assert stranger < max(began.values())
    assert all(later - earlier >= 0.08 for earlier, later in pairwise(sorted(began.values())))


def test_by_default_arxiv_gets_three_seconds() -> None:
    assert {"arxiv.org": 3.0} == HttpPolicy(contact="x").intervals


def test_a_wait_the_server_asks_for_is_kept_by_everybody(http_server: HttpServer) -> None:
    http_server.routes["/busy"] = Reply(429, headers={"Retry-After": "0.2"})
    http_server.routes["/other"] = Reply(body=b"x")

    async def busy_then_other() -> None:
        async with Http(policy(), now=NOW) as http:
            deadline = asyncio.get_running_loop().time() + 60
            with pytest.raises(PassingError):
                await http.get(f"{http_server.url}/busy", deadline=deadline, traffic=Traffic())
            await http.get(f"{http_server.url}/other", deadline=deadline, traffic=Traffic())

    asyncio.run(busy_then_other())

    busy, other = http_server.requests
    assert other.began - busy.began >= 0.2


def test_nobody_waits_longer_than_two_minutes_or_the_deadline(http_server: HttpServer) -> None:
    http_server.routes["/hour"] = Reply(429, headers={"Retry-After": "3600"})
    http_server.routes["/minute"] = Reply(503, headers={"Retry-After": "60"})

    async def ask_twice(path: str, left_s: float) -> None:
        async with Http(policy(), now=NOW) as http:
            for _ in range(2):
                deadline = asyncio.get_running_loop().time() + left_s
                try:
                    await http.get(http_server.url + path, deadline=deadline, traffic=Traffic())
                except PassingError:
                    continue

    with pytest.raises(FetchError, match="not to be asked again before 07:00 UTC on 15 September"):
        asyncio.run(ask_twice("/hour", 9_999))
    with pytest.raises(FetchError, match="not to be asked again before 06:01 UTC"):
        asyncio.run(ask_twice("/minute", 30))
    assert ["/hour", "/minute"] == [request.path for request in http_server.requests]


# --- the way out


def test_a_proxy_is_used_only_if_the_policy_names_one(http_server: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    http_server.routes["/"] = Reply(body=b"direct")
    http_server.routes["/feed"] = Reply(body=b"through the proxy")

    assert b"direct" == get(http_server.url + "/").body
    assert b"through the proxy" == get("http://feed.invalid/feed", proxy=http_server.url).body
    assert "feed.invalid" == http_server.requests[1].headers["host"]


# --- secrets


def test_secrets_in_an_address_reach_no_message(http_server: HttpServer) -> None:
    with pytest.raises(FetchError) as caught:
        get(f"http://ada:geheim@127.0.0.1:{http_server.port}/x?token=geheim#geheim")

    assert "geheim" not in str(caught.value) + caught.value.url
    assert "authorization" in http_server.requests[0].headers


class _Echo(StreamRequestHandler):
    """Sends back what it is sent, behind what the server was given to say first."""

    def handle(self) -> None:
        request = b"".join(iter(self.rfile.readline, b"\r\n"))
        self.wfile.write(self.server.first + request)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
)
def test_a_server_that_repeats_the_request_betrays_no_secret_in_it(first: bytes) -> None:
    with ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server, capture_logs() as logs:
        server.first = first  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/feed?token=geheim"
        with pytest.raises(PassingError, match="it is not HTTP") as caught:
            get(url)
        (batch,) = pull(Source("feed", "blog", url=url))
        server.shutdown()
        thread.join()

    assert 3 == batch.requests
    assert "it is not HTTP" in batch.failure
    assert "geheim" not in "".join(traceback.format_exception(caught.value))
    assert "geheim" not in f"{batch.failure} {batch.hint} {logs}"


def test_a_header_that_cannot_be_sent_is_not_told(http_server: HttpServer) -> None:
    unfit = Validators("geheim\n")
    with pytest.raises(PassingError, match="HTTP does not allow") as caught:
        get(http_server.url + "/", validators=unfit)

    assert "geheim" not in "".join(traceback.format_exception(caught.value))


def test_the_password_of_a_proxy_is_not_printed() -> None:
    assert "geheim" not in repr(policy(proxy="http://ada:geheim@proxy.example"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ada:pw@Example.org:8080/a/b?c=d#e", "https://Example.org:8080/a/b"),
        ("http://[::1", "an unreadable address"),
        ("http://ada:pw/pw@example.org/", "an unreadable address"),
        ("https://example.org/\x1b[31m\n", "https://example.org/?[31m"),
    ],
)
def test_what_is_shown_of_an_address(url: str, expected: str) -> None:
    assert expected == shown(url)


@pytest.mark.parametrize(
    "url",
    ["", "example.org/feed", "file:///etc/passwd", "http://", "http://[::1", "http://exa\x00mple/", "http://a:b:c/"],
)
def test_an_address_that_cannot_be_asked_for_is_a_final_failure(url: str) -> None:
    with pytest.raises(FetchError) as caught:
        get(url)

    assert not isinstance(caught.value, PassingError)


def test_a_host_name_no_resolver_takes_is_a_failure() -> None:
    with pytest.raises(FetchError):
        get("http://" + "a" * 80 + ".invalid/")
