"""Mails over one open connection: MAIL, RCPT, DATA, dot. In goes a `Mail`, out comes an `Answer`.

Where the server offers PIPELINING (RFC 2920), the three commands go out in one write, and those of the next mail in the
same write as the final dot of this one, so that a mail costs one round trip. Where it does not, each waits for its
reply. What the replies mean is the table in `reply`; opening and mending connections is `lane`'s business.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from digest.deliver.connection import LostError
from digest.deliver.letter import Letter, letter
from digest.deliver.reply import Answer, outcome, slow_down

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from digest.deliver.connection import Connection
    from digest.deliver.reply import Reply, Stage
    from digest.deliver.settings import SmtpSettings
    from digest.model import Mail

_STEP: dict[Stage, str] = {
    "mail": "at MAIL FROM",
    "rcpt": "at RCPT TO",
    "data": "in DATA, before the final dot",
    "dot": "after the final dot",
}
#: the commands of an envelope, and the first digit of the reply with which it goes on
_ENVELOPE: tuple[tuple[Stage, int], ...] = (("mail", 2), ("rcpt", 2), ("data", 3))


class Session:
    """A connection and the mails that go over it, one after the other.

    Args:
        connection: ready for a mail.
        settings: for the timeouts.
    """

    def __init__(self, connection: Connection, settings: SmtpSettings) -> None:
        self.connection = connection
        #: how many envelopes were sent
        self.mails = 0
        self._settings = settings
        self._pipelining = "pipelining" in connection.extensions
        #: whose envelope went out behind the last final dot
        self._announced: Letter | None = None
        #: the last envelope was refused, so that its transaction may still be open
        self._stale = False
        #: how far the mail in hand has come
        self._stage: Stage = "mail"
        self._begun = False

    def announced(self, mail: Mail) -> bool:
        """Whether the envelope of `mail` is on its way already."""
        return self._announced is not None and self._announced.mail is mail

    async def transact(
        self, mail: Mail, *, following: Callable[[], Mail | None], before_dot: Callable[[], Awaitable[None]]
    ) -> Answer:
        """Hand over one mail; never raises `LostError`. Afterwards the connection is ready for the next, or not usable.

        Args:
            mail: the one that `following` gave, if it gave one the last time.
            following: asked for the mail that can be announced behind the final dot of this one; None: there is none
                at this moment. It is asked only if the server bears that.
            before_dot: awaited when all but the final dot is on its way; if it raises, the dot is not sent.
        """
        announced = self._announced
        ready = announced if announced and announced.mail is mail else letter(mail, self.connection.extensions)
        if isinstance(ready, Answer):
            return ready
        self._stage, self._begun = "mail", False
        try:
            refusal = await self._envelope(ready)
            return refusal or await self._content(ready, following, before_dot)
        except LostError as lost:
            return Answer(
                outcome(self._stage, None), None, f"{lost} ({_STEP[self._stage]})", self._stage, begun=self._begun
            )

    async def _envelope(self, ready: Letter) -> Answer | None:
        """None if the server waits for the message."""
        on_its_way, self._announced = ready is self._announced, None
        if not on_its_way:
            self.mails += 1
        steps = tuple(zip(_ENVELOPE, ready.commands, strict=True))
        for group in (steps,) if self._pipelining else ((step,) for step in steps):
            if not on_its_way:
                self.connection.send(self._forget() + b"".join(command for _, command in group))
            await self._forgotten()
            if refusal := await self._refusal([step for step, _ in group]):
                self._stale = True
                return refusal
        return None

    def _forget(self) -> bytes:
        """RSET, if it is needed (RFC 5321 §4.1.1.5); it may stand in front of a group (RFC 2920 §3.1)."""
        return b"RSET\r\n" if self._stale else b""

    async def _forgotten(self) -> None:
        if not self._stale:
            return
        self._stale = False
        if (await self.connection.reply(self._settings.timeout_s)).code != 250:
            self.connection.abort("the server does not reset")
            raise LostError("the server does not reset")

    async def _refusal(self, steps: Sequence[tuple[Stage, int]]) -> Answer | None:
        """The first reply to a group of commands with which the mail cannot go on; all of them are read."""
        refusal: Answer | None = None
        invited = False
        for stage, digit in steps:
            self._stage = stage
            try:
                reply = await self.connection.reply(self._settings.timeout_s)
            except LostError:
                if refusal is not None:
                    return refusal
                raise
            if reply.code // 100 != digit:
                answer = _answer(stage, reply)
                refusal = refusal or answer
                if self._over(answer):
                    return refusal
            invited = reply.code // 100 == 3
        if refusal is not None and invited:
            await self._nothing()
        return refusal

    async def _nothing(self) -> None:
        """End a message that has no recipient (RFC 2920 §3.1); whatever is answered, no mail is delivered."""
        with contextlib.suppress(LostError):
            self.connection.send(b".\r\n")
            await self.connection.reply(self._settings.answer_timeout_s)

    async def _content(
        self, ready: Letter, following: Callable[[], Mail | None], before_dot: Callable[[], Awaitable[None]]
    ) -> Answer:
        self._stage, self._begun = "data", True
        self.connection.stream(ready.body)
        # while that is on its way
        mail = following() if self._pipelining else None
        sealed = letter(mail, self.connection.extensions) if mail else None
        behind = sealed if isinstance(sealed, Letter) else None
        await self.connection.drained(self._settings.timeout_s)
        await before_dot()
        # from here on nothing is awaited until the dot is sent, so that all that was found out still holds
        early = self.connection.early()
        if early is not None:
            return _answer("data", early, begun=True)
        self.connection.send(b".\r\n" + (b"".join(behind.commands) if behind else b""))
        self._stage, self._announced = "dot", behind
        self.mails += behind is not None
        answer = _answer("dot", await self.connection.reply(self._settings.answer_timeout_s), begun=True)
        self._over(answer)
        return answer

    def _over(self, answer: Answer) -> bool:
        """End the connection if the server has ended it (RFC 5321 §3.8) or if nobody knows what it is answering to."""
        if answer.code == 421:
            self.connection.abort("the server closed the connection (421)")
        elif answer.sent_away:
            self.connection.abort("the server is out of step")
        return answer.sent_away


def _answer(stage: Stage, reply: Reply, *, begun: bool = False) -> Answer:
    result = outcome(stage, reply.code, reply.enhanced)
    text = reply.text
    if result != "delivered":
        text = f"{text} ({_STEP[stage]})"
    if result == "deferred" and reply.code >= 500:
        text = f"the relay objects to this sender or machine, not to the reader: {text}"
    return Answer(result, reply.code, text, stage, begun=begun, slow_down=slow_down(stage, reply))
