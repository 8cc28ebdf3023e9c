"""One connection after the other to one relay, and the mails that go over it.

The order that bounds what a crash can leave in doubt: the receipt of a mail is durable before the final dot of the next
one goes out on the same connection. Everything else overlaps: while a receipt is being kept, the next message is
streamed; behind its dot goes the envelope of the one after it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from digest.deliver.relay import connect, tls_context
from digest.deliver.throttle import Pace
from digest.deliver.transaction import Session
from digest.errors import DeliveryError
from digest.model import Receipt
from digest.strangers import one_line

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from datetime import datetime

    from digest.deliver.outbox import Outbox
    from digest.deliver.reply import Answer
    from digest.deliver.settings import SmtpSettings
    from digest.model import Mail

#: failures in a row after which a relay is not tried any more
GIVE_UP_AFTER = 3


class Relay:
    """What the connections to one relay share: its pace, its failures, and one connection that is kept open."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings
        self.pace = Pace(settings.rate)
        #: whose turn it is to wait for the pace and for a mail
        self.turn = asyncio.Lock()
        #: open, between two mails; for whoever needs one next
        self.idle: Session | None = None
        #: lanes that have a connection and will ask for another mail
        self.working = 0
        #: why no further mail is tried; empty while the relay is worth trying
        self.given_up = ""
        #: in a row; those of connections that were open at the same time count as one
        self.failures = 0
        self._context: ssl.SSLContext | None = None

    async def open(self) -> Session:
        """A new connection; raises DeliveryError."""
        self._context = self._context or tls_context(self.settings)
        return Session(await connect(self.settings, self._context), self.settings)

    def succeeded(self) -> None:
        """The relay had something to say about a mail."""
        self.failures = 0

    def failed(self, reason: str, *, before: int) -> None:
        """No connection, or no word about a mail; `before` is what `failures` was when it was begun."""
        if self.failures == before:
            self.failures += 1
        if self.failures >= GIVE_UP_AFTER:
            self.given_up = f"failed {self.failures} times in a row, the last time: {reason}"


class Desk:
    """What all lanes of one delivery share: the outbox, and the mails that came back from a relay given up."""

    def __init__(self, outbox: Outbox, now: Callable[[], datetime]) -> None:
        self.outbox = outbox
        self.now = now
        #: taken from the outbox, certainly not accepted by anybody, and not settled
        self.returned: deque[Mail] = deque()
        #: by Message-ID, what became of those that were offered to a relay which then was given up
        self.offered: dict[str, Receipt] = {}
        #: a receipt could not be kept: no final dot may follow
        self.broken: BaseException | None = None
        self._empty = False

    async def take(self) -> Mail | None:
        """The next mail; None: there will be none any more."""
        if not self.returned and not self._empty:
            mail = await self.outbox.take()
            self._empty = mail is None
            if mail is not None:
                return mail
        return self.returned.popleft() if self.returned else None

    def ready(self) -> Mail | None:
        """A mail without waiting; None: there is none at this moment."""
        return self.returned.popleft() if self.returned else self.outbox.ready()

    def settle(self, mail: Mail, receipt: Receipt) -> asyncio.Future[None]:
        """Keep the receipt; failure is kept in `broken` too."""
        kept = asyncio.ensure_future(self.outbox.settle(mail, receipt))
        kept.add_done_callback(self.look)
        return kept

    def look(self, kept: asyncio.Future[None]) -> None:
        """Whether a receipt, done one way or the other, was kept."""
        if not kept.cancelled() and (error := kept.exception()) is not None:
            self.broken = error


class Lane:
    """Takes mails and hands them over until there are none, or the relay is given up.

    Args:
        relay: shared with the other lanes to it.
        desk: shared with all lanes.
        elsewhere: whether a relay remains that could take a mail instead of this one.
    """

    def __init__(self, relay: Relay, desk: Desk, elsewhere: Callable[[], bool]) -> None:
        self._relay = relay
        self._desk = desk
        self._elsewhere = elsewhere
        self._session: Session | None = None
        #: the mail after the one in hand, if it is known
        self._next: Mail | None = None
        #: keeping the last receipt
        self._settling: asyncio.Future[None] | None = None
        self._leaving = False

    async def run(self) -> None:
        """Until there are no mails; raises StateError if a receipt could not be kept.

        Cancelled, it ends the connection, and keeps what is known.
        """
        self._adopt(self._relay.idle)
        self._relay.idle = None
        try:
            while (mail := await self._take()) is not None:
                await self._hand_over(mail)
            session = self._session
            self._adopt(None)
            await self._settled()
            if session is not None and session.connection.usable:
                await self._part_with(session)
        finally:
            if self._session is not None:
                # cut short in mid-sentence: whatever the server answers later belongs to no command of ours
                self._session.connection.abort("interrupted")
                self._adopt(None)
            if self._settling is not None:
                await asyncio.wait([self._settling])

    async def _part_with(self, session: Session) -> None:
        if self._relay.idle is None:
            self._relay.idle = session
        else:
            await session.connection.quit()

    def _adopt(self, session: Session | None) -> None:
        self._relay.working += (session is not None) - (self._session is not None)
        self._session = session

    async def _take(self) -> Mail | None:
        """The next mail, at the relay's pace; None: the lane ends."""
        mail, self._next = self._next, None
        if self._over():
            self._give_back(mail)
            return None
        if mail is not None:
            return mail
        async with self._relay.turn:
            moment = self._relay.pace.ready_at(now := self._desk.now())
            if moment > now and not await self._desk.outbox.sleep_until(moment):
                return None
            if not self._over():
                mail = await self._desk.take()
            if mail is not None:
                self._relay.pace.taken(self._desk.now())
        if self._over():
            self._give_back(mail)
            return None
        return mail

    def _over(self) -> bool:
        return self._leaving or bool(self._relay.given_up)

    def _give_back(self, mail: Mail | None) -> None:
        if mail is not None:
            self._desk.returned.append(mail)

    def _following(self) -> Mail | None:
        """The mail whose envelope may go out behind the dot: one that is ready, if neither pace nor limit forbids."""
        limit = self._relay.settings.messages_per_connection
        if self._over() or (limit and self._session and self._session.mails >= limit):
            return None
        if self._relay.settings.rate is None:
            self._next = self._desk.ready()
        elif not self._relay.turn.locked() and self._relay.pace.ready_at(now := self._desk.now()) <= now:
            self._next = self._desk.ready()
            if self._next is not None:
                self._relay.pace.taken(now)
        return self._next

    async def _hand_over(self, mail: Mail) -> None:
        before = self._relay.failures
        answer = await self._attempt(mail)
        if answer is None:
            self._give_back(mail)
            return
        if answer.sent_away:
            self._relay.failed(answer.text, before=before)
        elif answer.stage is not None:
            self._relay.succeeded()
        receipt = Receipt(
            answer.outcome,
            answer.code,
            one_line(answer.text),
            self._desk.now(),
            self._relay.settings.relay,
            answer.slow_down,
        )
        if self._relay.given_up and answer.sent_away and answer.outcome != "in_doubt" and self._elsewhere():
            self._desk.offered[mail.message_id] = receipt
            self._give_back(mail)
            return
        self._settling = self._desk.settle(mail, receipt)
        if answer.outcome != "delivered":
            await self._settled()

    async def _attempt(self, mail: Mail) -> Answer | None:
        """One transaction; a second one on a new connection if the old one turned out to be over. None: not tried."""
        session = await self._fit_for(mail)
        if session is not None:
            answer = await self._transact(session, mail)
            if answer.begun or not answer.sent_away or answer.slow_down:
                return answer
        session = await self._open()
        return await self._transact(session, mail) if session is not None else None

    async def _transact(self, session: Session, mail: Mail) -> Answer:
        return await session.transact(mail, following=self._following, before_dot=self._settled)

    async def _fit_for(self, mail: Mail) -> Session | None:
        """The connection, if there is one that can take another mail."""
        session, limit = self._session, self._relay.settings.messages_per_connection
        if session is None or not session.connection.usable:
            return None
        if limit and session.mails >= limit and not session.announced(mail):
            self._adopt(None)
            await session.connection.quit()
            return None
        return session

    async def _open(self) -> Session | None:
        """A new connection; None: the relay is given up, or allows fewer connections than it was asked for."""
        self._adopt(None)
        while not self._relay.given_up:
            before = self._relay.failures
            try:
                session = await self._relay.open()
            except DeliveryError as error:
                if self._relay.working:
                    self._leaving = True
                    break
                self._relay.failed(f"{error.reason} (connecting)", before=before)
            else:
                self._adopt(session)
                return session
        return None

    async def _settled(self) -> None:
        """Wait until the last receipt is durable."""
        if (kept := self._settling) is not None:
            if not kept.done():
                await asyncio.wait([kept])  # cancelled, it leaves the receipt alone
            self._desk.look(kept)  # which may not have happened yet
        if self._desk.broken is not None:
            raise self._desk.broken
