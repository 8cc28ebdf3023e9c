"""Real SMTP servers for tests: aiosmtpd with a script of misdeeds, and Postfix's smtp-sink.

with smtp_server() as server:
    server.script["rcpt"] = "550 5.1.1 no such user"     # or DROP, or SILENCE; remove the key to be nice again
    ...
    assert [] == server.accepted
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

#: actions of a script beside replies: cut the line; never answer
DROP = "drop"
SILENCE = "silence"


def patience_s(action: str) -> float:
    """Time-out for a client: short where the server is silent; where it acts, enough for the slowest machine."""
    return 0.5 if action == SILENCE else 10.0


@dataclass(frozen=True)
class Accepted:
    """A message the server has taken: the dot was answered with 2xx, or was not answered at all."""

    sender: str
    recipient: str
    data: bytes

    @property
    def message_id(self) -> str:
        return str(message_from_bytes(self.data)["Message-ID"])


@dataclass
class SmtpServer:
    """What the server does, and what it has seen."""

    port: int = 0
    #: step, or (step, recipient) → reply, `DROP` or `SILENCE`. Steps: `connect ehlo starttls auth mail rcpt data body
    #: dot rset noop quit`; `body` acts between 354 and the dot
    script: dict[str | tuple[str, str], str] = field(default_factory=dict)
    #: step → called with the recipient, if there is one yet, before the server acts; in the server's thread
    on: dict[str, Callable[[str], None]] = field(default_factory=dict)
    #: hang up after so many messages on one connection, saying `goodbye` unless it is empty; 0: never
    close_after: int = 0
    goodbye: str = ""
    accepted: list[Accepted] = field(default_factory=list)
    #: every step of every client, in order
    heard: list[str] = field(default_factory=list)
    #: what clients called themselves in EHLO
    names: list[str] = field(default_factory=list)
    #: user name → password; anybody may send without login if empty
    users: Mapping[str, str] = field(default_factory=dict)
    #: those that are connected now, and notified when one leaves
    clients: set[object] = field(default_factory=set)
    left: threading.Condition = field(default_factory=threading.Condition)

    def wait_until_left(self) -> None:
        """Until nobody is connected: what a client that died had still sent is accepted or lost by then."""
        with self.left:
            assert self.left.wait_for(lambda: not self.clients, timeout=30)

    def look(self, step: str, recipient: str) -> None:
        if step in self.on:
            self.on[step](recipient)

    def action(self, step: str, recipient: str = "") -> str:
        return self.script.get((step, recipient)) or self.script.get(step, "")


class _Session(SMTP):
    """One client of aiosmtpd; every step looks into the script first."""

    def __init__(
        self, server: SmtpServer, opened: list[asyncio.BaseTransport], *, plain_login: bool, **options: Any
    ) -> None:
        self._script = server
        self._opened = opened
        self._messages = 0
        super().__init__(_Dot(), authenticator=self._check_login, **options)
        self._auth_require_tls = not plain_login  # as an argument it would warn, which is an error in our tests
        self._smtp_methods = {
            verb: partial(self._step, verb.lower(), method) for verb, method in self._smtp_methods.items()
        }

    def _check_login(self, *args: Any) -> AuthResult:
        user, password = (part.decode() for part in args[-1])
        # handled=False makes aiosmtpd send the 535; with the default the client would wait for ever
        return AuthResult(success=password == self._script.users.get(user), handled=False)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._opened.append(transport)
        with self._script.left:
            self._script.clients.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        with self._script.left:
            self._script.clients.discard(self)
            self._script.left.notify_all()

    async def _handle_client(self) -> None:
        if not await self._scripted("connect"):
            await super()._handle_client()
        elif self.transport is not None:
            self.transport.close()

    async def _step(self, step: str, method: Callable[[str | None], Awaitable[None]], arg: str | None) -> None:
        recipient = (arg or "").partition("<")[2].partition(">")[0] if step == "rcpt" else self._recipient()
        if await self._scripted(step, recipient):
            return
        if step == "data" and self._script.action("body", recipient):
            await self.push("354 go ahead")
            await self._reader.readline()
            await self._perform(self._script.action("body", recipient))
            return
        if step == "ehlo":
            self._script.names.append(arg or "")
        await method(arg)
        if step == "data":
            await self._perhaps_hang_up()

    async def _scripted(self, step: str, recipient: str = "") -> bool:
        """Whether the script has dealt with this step."""
        self._script.heard.append(step)
        self._script.look(step, recipient)
        action = self._script.action(step, recipient)
        if action:
            await self._perform(action)
        return bool(action)

    async def _perform(self, action: str) -> None:
        assert isinstance(self.transport, asyncio.Transport)
        if action == DROP:
            self.transport.abort()
        if action in {DROP, SILENCE}:
            await asyncio.Event().wait()  # until the end of the connection cancels this
        await self.push(action)
        if action.startswith("421"):
            self.transport.close()

    async def _perhaps_hang_up(self) -> None:
        self._messages += 1
        if self._messages == self._script.close_after and self.transport is not None:
            if self._script.goodbye:
                await self.push(self._script.goodbye)
            self.transport.close()

    async def take(self) -> str:
        """The answer to the final dot."""
        assert self.envelope is not None
        assert isinstance(self.envelope.content, bytes)
        self._script.look("dot", self._recipient())
        action = self._script.action("dot", self._recipient())
        if not action or action in {DROP, SILENCE} or action.startswith("2"):
            self._script.accepted.append(
                Accepted(self.envelope.mail_from or "", self._recipient(), self.envelope.content)
            )
        if action in {DROP, SILENCE}:
            await self._perform(action)
        return action or "250 2.0.0 queued"

    def _recipient(self) -> str:
        return "".join(self.envelope.rcpt_tos) if self.envelope is not None else ""


class _Dot:
    async def handle_DATA(self, smtp: _Session, *_: Any) -> str:  # noqa: N802 - aiosmtpd looks for this name
        return await smtp.take()


class Authority:
    """A certificate authority of our own; `ca_file` is what a client must trust."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.ca_file = str(folder / "ca.pem")
        self._authority.cert_pem.write_to_path(self.ca_file)

    def context(self, *names: str, not_after: datetime | None = None) -> ssl.SSLContext:
        """For a server that is called by one of `names`."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(*names, not_after=not_after).configure_cert(context)
        return context

    def self_signed(self) -> ssl.SSLContext:
        """For a server that shows the authority's own certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        with self._authority.private_key_pem.tempfile() as key:
            context.load_cert_chain(self.ca_file, key)
        return context


@contextmanager
def smtp_server(
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    users: Mapping[str, str] | None = None,
    plain_login: bool = False,
    mechanisms: frozenset[str] = frozenset({"PLAIN", "LOGIN"}),
    smtputf8: bool = False,
    max_size: int = 10_000_000,
) -> Iterator[SmtpServer]:
    """A server on a free port of 127.0.0.1, in a thread of its own.

    Args:
        starttls: offer STARTTLS with this certificate.
        tls: speak TLS from the first byte with this certificate.
        users: require a login as one of these (name → password).
        plain_login: offer the login without encryption, too.
        mechanisms: of AUTH that are offered.
        smtputf8: offer SMTPUTF8.
        max_size: what SIZE announces, bytes.
    """
    server = SmtpServer(users=users or {})
    loop = asyncio.new_event_loop()
    opened: list[asyncio.BaseTransport] = []

    def session() -> _Session:
        return _Session(
            server,
            opened,
            hostname="mx.example.org",
            ident="ESMTP",
            data_size_limit=max_size,
            enable_SMTPUTF8=smtputf8,
            tls_context=starttls,
            auth_required=bool(users),
            auth_exclude_mechanism={"PLAIN", "LOGIN"} - mechanisms,
            plain_login=plain_login or tls is not None,
            loop=loop,
        )

    thread = threading.Thread(target=loop.run_forever, name="smtp-server")
    thread.start()
    try:
        listener = asyncio.run_coroutine_threadsafe(loop.create_server(session, "127.0.0.1", 0, ssl=tls), loop).result()
        server.port = listener.sockets[0].getsockname()[1]
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(_shut_down(listener, opened), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _shut_down(listener: asyncio.Server, opened: list[asyncio.BaseTransport]) -> None:
    listener.close()
    for transport in opened:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.abort()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # the transports tell their end in the next turn


@contextmanager
def smtp_sink(*options: str, dump: Path | None = None) -> Iterator[int]:
    """Postfix's `smtp-sink` on a free port of 127.0.0.1, which is yielded; skips the test where it is missing.

    Args:
        options: its faults, such as `-f RCPT`; see smtp-sink(1).
        dump: an existing directory for one file per message. A file there is no proof of acceptance: one is written
            also for a message whose final dot was refused or not answered.
    """
    program = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin")
    if program is None:
        pytest.skip("smtp-sink (Debian package postfix) is not installed")
    as_user = ["-u", "postfix"] if os.geteuid() == 0 else []
    if dump is not None:
        dump.chmod(0o777)
        options = (*options, "-d", f"{dump}/m.")
    with _held_port() as port:
        process = subprocess.Popen([program, "-4", *as_user, *options, f"127.0.0.1:{port}", "100"])
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait()


@contextmanager
def _held_port() -> Iterator[int]:
    """A port of 127.0.0.1 that goes to nobody else: two sinks once had the same one, and each other's mails.

    Who asks for any port does not get one that is bound, while who names it and reuses addresses, as Postfix does, may
    listen there as long as nobody else does.
    """
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        # not before, or another that does the same might be given this port
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield int(held.getsockname()[1])


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise TimeoutError(f"nothing listens on port {port}")
