"""A small real HTTP server on the loopback, for everything that fetches.

    with HttpServer() as server:
        server.routes["/feed"] = Reply(body=b"<rss/>", headers={"ETag": '"1"'})
        server.routes["/busy"] = in_turn(Reply(503), Reply(body=b"ok"))
        fetch(server.url + "/feed")
        assert ["/feed"] == [request.path for request in server.requests]

Routes may be changed between requests. Unknown paths answer 404.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the server saw it."""

    #: without the query
    path: str
    query: Mapping[str, str]
    #: names in lower case
    headers: Mapping[str, str]
    #: when it arrived and when its answer was complete, on `time.monotonic`
    began: float
    body: bytes = b""
    ended: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    #: sent one by one after `body`, as long as the client listens; without Content-Length
    pieces: Iterable[bytes] | None = None
    #: Content-Length to claim instead of the true one
    claimed_length: int | None = None


Handler = Callable[[Request], Reply]


class HttpServer:
    """Serves `routes` while used as a context manager. With a TLS context, `url` begins with https."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.routes: dict[str, Reply | Handler] = {}
        self.requests: list[Request] = []
        #: set when the server ends: what hangs should wait for it
        self.ending = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def hang(self, _request: Request) -> Reply:
        """A route that answers nothing until the server ends."""
        self.ending.wait()
        return Reply(503)

    def drip(self, piece: bytes = b"x", every_s: float = 0.02) -> Iterable[bytes]:
        """Pieces without end, for `Reply.pieces`."""
        while not self.ending.wait(every_s):
            yield piece

    def answer(self, request: Request) -> Reply:
        """Record a request and find its answer."""
        self.requests.append(request)
        route = self.routes.get(request.path, Reply(404))
        return route if isinstance(route, Reply) else route(request)


def in_turn(*replies: Reply) -> Handler:
    """The first reply to the first request, and so on; the last one for ever."""
    left = list(replies)
    return lambda _request: left.pop(0) if len(left) > 1 else left[0]


def with_etag(body: bytes, etag: str = '"1"') -> Handler:
    """A body, or 304 for those who have it (RFC 9110 §13.1.2)."""

    def handler(request: Request) -> Reply:
        headers = {"ETag": etag}
        return (
            Reply(304, headers=headers) if request.headers.get("if-none-match") == etag else Reply(200, body, headers)
        )

    return handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Without the base class's search for a host name, which may wait for DNS."""
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up early are what some tests are about."""


def _handler(server: HttpServer) -> type[BaseHTTPRequestHandler]:
    class Recorder(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.do_GET(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def do_GET(self, body: bytes = b"") -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(parts.path, dict(parse_qsl(parts.query)), headers, time.monotonic(), body)
            reply = server.answer(request)
            request.ended.append(time.monotonic())
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            self.close_connection = True
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.pieces is None and reply.status != 304:
                length = len(reply.body) if reply.claimed_length is None else reply.claimed_length
                self.send_header("Content-Length", str(length))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(reply.body)
            for piece in reply.pieces or ():
                self.wfile.write(piece)
                self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
            """Nothing: tests look at `requests`."""

    return Recorder
