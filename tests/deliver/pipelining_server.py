"""An SMTP server that knows pipelining and any misdeed, on the event loop of the test, which can look at it meanwhile.

    async with PipeliningServer({"reader1@example.org": ("rcpt", "550 5.1.1 no such user")}) as server:
        ...
        assert [] == server.accepted

A mail is known by its recipient already at MAIL: tests give `envelope_from` as `bounces+RECIPIENT'S LOCAL PART@…`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from digest.deliver.settings import SmtpSettings
from tests.makers import mail
from tests.smtp_server import DROP, SILENCE

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from digest.model import Mail


def known_mail(number: int) -> Mail:
    """A mail whose envelope sender names its reader."""
    return replace(mail(number), envelope_from=f"bounces+reader{number}@example.org")


@dataclass
class PipeliningServer:
    #: recipient → step (`mail rcpt data body dot`) and reply, `DROP`, `SILENCE` or `reply|DROP`
    faults: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    pipelining: bool = True
    #: says 354 even if there is no recipient (RFC 2920 §3.1), and then 250 to an empty message
    eager: bool = False
    #: to every RSET
    rset: str = "250 2.0.0 Ok"
    #: refuse connections beyond so many at a time
    most_connections: int = 1000
    #: send each reply by itself, a turn of the loop apart
    slow_replies: bool = False
    #: called at each final dot with the mails of that connection before it and the mail itself
    at_dot: Callable[[list[str], str], None] = lambda _before, _recipient: None
    #: recipient and message of each mail for which the server took responsibility, or may have
    accepted: list[tuple[str, bytes]] = field(default_factory=list)
    #: what arrived at once, bodies left out
    chunks: list[list[str]] = field(default_factory=list)
    connects: int = 0
    #: TLS from the first byte with this certificate
    tls: ssl.SSLContext | None = None
    port: int = 0

    async def __aenter__(self) -> Self:
        self._open: set[_Client] = set()
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: _Client(self), "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        for client in list(self._open):
            client.transport.abort()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    def settings(self, **fields: object) -> SmtpSettings:
        values = {"connections": 1, "timeout_s": 10.0, "answer_timeout_s": 10.0} | fields
        return SmtpSettings("127.0.0.1", self.port, "tls" if self.tls else "none", **values)  # type: ignore[arg-type]


class _Client(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, server: PipeliningServer) -> None:
        self._server = server
        self._rest = b""
        self._over = False
        self._sender = ""
        self._recipient = ""
        self._body: list[bytes] | None = None
        self._before: list[str] = []
        self._answers: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._server.connects += 1
        self._server._open.add(self)
        if len(self._server._open) > self._server.most_connections:
            self._say("421 4.7.0 too many connections")
        else:
            self._say("220 mx.example.org ESMTP")
        self._flush()

    def connection_lost(self, _exc: Exception | None) -> None:
        self._over = True
        self._server._open.discard(self)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        chunk: list[str] = []
        for line in lines:
            if self._over:
                break
            if self._body is None:
                chunk.append(line.decode())
                self._command(*line.decode().partition(" ")[::2])
            elif line == b".":
                chunk.append(".")
                self._dot(self._body)
            else:
                self._body.append(line.removeprefix(b"."))
                if len(self._body) == 3 and self._step() == "body":
                    self._act("body", "")
        if chunk:
            self._server.chunks.append(chunk)
        self._flush()

    def _command(self, verb: str, arg: str) -> None:
        address = arg.partition("<")[2].partition(">")[0]
        if verb in {"MAIL", "RCPT", "DATA"}:
            self._envelope(verb, address)
            return
        match verb:
            case "EHLO":
                self._say("250-mx.example.org\r\n250-PIPELINING\r\n250 SIZE" if self._server.pipelining else "250 mx")
            case "RSET":
                self._sender = self._recipient = ""
                self._say(self._server.rset)
            case "QUIT":
                self._say("221 2.0.0 Bye")
                self._hang_up()
            case _:
                self._say("500 5.5.2 what?")

    def _envelope(self, verb: str, address: str) -> None:
        match verb:
            case "MAIL" if self._sender:
                self._say("503 5.5.1 nested MAIL")
            case "MAIL":
                self._who = address.replace("bounces+", "")
                if self._act("mail", "250 2.1.0 Ok"):
                    self._sender = address
            case "RCPT" if not self._sender:
                self._say("503 5.5.1 need MAIL")
            case "RCPT":
                assert address == self._who
                if self._act("rcpt", "250 2.1.5 Ok"):
                    self._recipient = address
            case "DATA":
                if self._recipient or self._server.eager:
                    # the liar has no mail to act upon, and yet waits for one
                    going_on = self._act("data", "354 go ahead") if self._recipient else self._say("354 go ahead")
                    self._body = [] if going_on else None
                else:
                    self._say("554 5.5.1 no valid recipients")

    def _dot(self, body: list[bytes]) -> None:
        recipient, self._sender, self._recipient, self._body = self._recipient, "", "", None
        if not recipient:
            self._say("250 2.0.0 accepted, nothing for nobody")
            return
        self._server.at_dot(self._before, recipient)
        self._before.append(recipient)
        step, action = self._server.faults.get(recipient, ("", ""))
        if step != "dot" or action in {DROP, SILENCE} or action.startswith("2"):
            self._server.accepted.append((recipient, b"".join(line + b"\r\n" for line in body)))
        self._act("dot", "250 2.0.0 queued")

    def _step(self) -> str:
        return self._server.faults.get(self._who, ("", ""))[0]

    def _act(self, step: str, otherwise: str) -> bool:
        """Whether the step succeeded."""
        fault, action = self._server.faults.get(self._who, ("", ""))
        if fault != step:
            self._say(otherwise)
            return True
        if action == DROP:
            self._hang_up()
            return False
        if action == SILENCE:
            self._over = True
            return False
        reply, _, then = action.partition("|")
        self._say(reply)
        if step == "body" or then == DROP:
            self._hang_up()
        return action[0] in "23"

    def _say(self, reply: str) -> bool:
        self._answers.append(reply.encode() + b"\r\n")
        if reply.startswith("421"):
            self._hang_up()
        return True

    def _hang_up(self) -> None:
        """After all that is to be said."""
        self.transport.write(b"".join(self._answers))
        self._answers = []
        self._over = True
        self.transport.close()

    def _flush(self) -> None:
        if self._server.slow_replies and len(self._answers) > 1:
            first, *later = self._answers
            self.transport.write(first)
            self._answers = later
            asyncio.get_running_loop().call_soon(self._flush)
            return
        self.transport.write(b"".join(self._answers))
        self._answers = []
