"""One open SMTP connection: commands go out, replies come back. Decides nothing.

aiosmtplib opens the connection (see `relay`); after the login its transport is taken over here. Its own DATA step
cannot tell whether the final dot went out, which is the difference between *deferred* and *in doubt*, and it drops
what a server says unasked, such as a 421 in the middle of a message.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING

from digest.deliver.reply import Replies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digest.deliver.reply import Reply

#: replies that nobody asked for, before we hang up
_MAX_UNREAD = 16
#: seconds granted to a farewell
_GOODBYE_S = 5.0


class LostError(ConnectionError):
    """The connection can no longer be used; the text says why, in one line."""


class Connection(asyncio.Protocol):
    """An SMTP session after EHLO, TLS and login. Commands may be pipelined (RFC 2920); replies come in their order.

    `extensions` is what the server offers: lower-case keyword → parameters (RFC 5321 §4.1.1.1). `greeting` is the
    text of its banner as sent.
    """

    def __init__(self, transport: asyncio.Transport, *, extensions: Mapping[str, str], greeting: str) -> None:
        self.extensions = extensions
        self.greeting = greeting
        self._transport = transport
        self._replies = Replies()
        self._unread: deque[Reply] = deque()
        self._paused = False
        #: why the connection is over; empty while it is not
        self._lost = ""
        #: done as soon as one of the above changes; None: nobody has waited yet
        self._stirred: asyncio.Future[None] | None = None
        # resume_writing then means: the operating system has taken everything. Not high=0, which never resumes under
        # TLS, where asyncio pauses at `size >= high`
        transport.set_write_buffer_limits(high=1, low=0)
        transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """Whether another command can be sent."""
        return not self._lost

    @property
    def encryption(self) -> str:
        """`TLSv1.3`; empty if the connection is not encrypted."""
        tls = self._transport.get_extra_info("ssl_object")
        return tls.version() if tls else ""

    def send(self, data: bytes) -> None:
        """Send commands, or the final dot and the commands behind it. All replies to earlier ones must have been read.

        Raises:
            LostError: nothing was sent: the connection is over, or the server spoke unasked.
        """
        if self._unread:
            self.abort(f"the server said unasked: {self._unread[0].text}")
        self._write(data)

    async def reply(self, timeout_s: float) -> Reply:
        """The next reply, in the order of the commands.

        Raises:
            LostError: the connection is over, or the server did not answer within `timeout_s` seconds.
        """
        while not self._unread:
            await self._stirring(timeout_s)
        return self._unread.popleft()

    async def command(self, line: str, timeout_s: float) -> Reply:
        """Send one command and return its reply; raises as `send` and `reply` do."""
        self.send(line.encode() + b"\r\n")
        return await self.reply(timeout_s)

    def stream(self, data: bytes) -> None:
        """Begin to send a message, dot-stuffed and ending with CRLF, but not the final dot.

        Raises:
            LostError: the connection is over.
        """
        self._write(data)

    async def drained(self, timeout_s: float) -> None:
        """Wait until the operating system has taken everything, or the server has something to say.

        Raises:
            LostError: the connection is over.
        """
        # one turn of the loop, so that a connection closed meanwhile is noticed before the dot is sent into it
        await asyncio.sleep(0)
        while self._paused and not self._unread:
            await self._stirring(timeout_s)

    def early(self) -> Reply | None:
        """A reply given before the end of the message; the dot must not follow then, and the connection is over.

        Returns:
            None if the server is silent, as it should be.

        Raises:
            LostError: before the final dot, so the server cannot have accepted the message (RFC 5321 §4.1.1.4).
        """
        if not self._unread:
            if self._lost:
                raise LostError(self._lost)
            return None
        self.abort("the server answered before the end of the message")
        return self._unread.popleft()

    async def quit(self) -> None:
        """Say goodbye and close; never raises. Closes also if it is cancelled meanwhile."""
        try:
            with contextlib.suppress(LostError):
                await self.command("QUIT", _GOODBYE_S)
        finally:
            self.abort("closed by us")
        await asyncio.sleep(0)  # the transport tells its end in the next turn of the loop

    def abort(self, reason: str) -> None:
        """Close at once; `reason` is what later calls will raise as `LostError`."""
        self._lost = self._lost or reason
        self._transport.abort()
        self._stir()

    def _write(self, data: bytes) -> None:
        if self._lost:
            raise LostError(self._lost)
        self._transport.write(data)

    async def _stirring(self, timeout_s: float) -> None:
        """Wait for something to happen; what had come before the connection was lost still counts.

        By hand, as `asyncio.timeout` around an `asyncio.Event` takes 10 µs more, twice per mail.
        """
        if self._lost:
            raise LostError(self._lost)
        loop = asyncio.get_running_loop()
        self._stirred = loop.create_future()
        timer = loop.call_later(timeout_s, self.abort, f"no answer within {timeout_s:g} s")
        try:
            await self._stirred
        finally:
            timer.cancel()

    def _stir(self) -> None:
        if self._stirred is not None and not self._stirred.done():
            self._stirred.set_result(None)

    # --- called by the transport ---

    def data_received(self, data: bytes) -> None:
        """Keep the replies; give up on a server that talks nonsense or without end."""
        try:
            self._unread.extend(self._replies.feed(data))
        except ValueError as error:
            self.abort(str(error))
        if len(self._unread) > _MAX_UNREAD:
            self.abort("the server says far more than it was asked")
        self._stir()

    def pause_writing(self) -> None:
        """The operating system does not take any more for now."""
        self._paused = True

    def resume_writing(self) -> None:
        """Everything written has been taken."""
        self._paused = False
        self._stir()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed, by whomever."""
        self.abort("the server closed the connection" if exc is None else f"connection lost: {exc}")
