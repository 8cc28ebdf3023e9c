"""Mail goes to a relay by SMTP: in goes a `Mail`, out comes a `Receipt`, over one connection that mends itself.

The receipt is exact about the one thing that matters after a crash or a broken line: whether the final dot went out.
Before it, the server cannot have taken the mail (*deferred*); after it and without an answer, nobody can know
(*in doubt*, RFC 1047).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.deliver.connection import LostError
from digest.deliver.relay import connect, tls_context
from digest.deliver.reply import one_line
from digest.deliver.settings import Security, SmtpSettings
from digest.deliver.transaction import Answer, size_limit, transact
from digest.errors import DeliveryError
from digest.model import Receipt

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from digest.deliver.connection import Connection
    from digest.model import Mail

__all__ = ["Security", "Smtp", "SmtpSettings", "check"]

#: failures in a row after which no further mail is tried
GIVE_UP_AFTER = 3


class Smtp:
    """Hands mails to one relay, one at a time; open several for several connections.

        async with Smtp(settings) as smtp:
            receipt = await smtp.deliver(mail, now=clock)

    Entering connects and logs in, and raises `DeliveryError` if the relay cannot be used.

    A connection that the server has closed in the meantime is replaced once per mail. After `GIVE_UP_AFTER` failures
    in a row (no connection, no answer, 421) every further mail is deferred at once, so that a dead relay costs a few
    timeouts and not one per reader.
    """

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._context: ssl.SSLContext | None = None
        self._connection: Connection | None = None
        self._failures = 0
        #: what the last failure was
        self._trouble = ""

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            await self._connection.quit()

    @property
    def given_up(self) -> str:
        """Why no further mail is tried; empty while the relay is worth trying."""
        if self._failures < GIVE_UP_AFTER:
            return ""
        return f"the relay failed {self._failures} times in a row, the last time: {self._trouble}"

    async def deliver(self, mail: Mail, *, now: Callable[[], datetime]) -> Receipt:
        """Hand over one mail; what happens to it is in the receipt, nothing is raised for it.

        Args:
            mail: sent byte for byte, to its one recipient.
            now: asked once, when the outcome is known.

        Returns:
            `deferred` also means: later, and perhaps after the operator has mended what the text says.
        """
        answer = await self._attempt(mail)
        return Receipt(answer.outcome, answer.code, one_line(answer.text), now(), self._settings.relay)

    async def _attempt(self, mail: Mail) -> Answer:
        if self.given_up:
            return Answer("deferred", None, f"not tried: {self.given_up}")
        answer = await self._send(mail)
        self._failures = self._failures + 1 if answer.sent_away else 0
        self._trouble = answer.text
        return answer

    async def _send(self, mail: Mail) -> Answer:
        """One transaction; a second one on a new connection if the old one turned out to be over."""
        try:
            if self._connection is not None and self._connection.usable:
                answer = await transact(self._connection, mail, self._settings)
                if not (answer.stage == "mail" and answer.sent_away):
                    return answer
            return await transact(await self._connect(), mail, self._settings)
        except DeliveryError as error:
            return Answer("deferred", error.code, f"{error.reason} (connecting)", "connect")
        except BaseException:
            # cancelled in mid-sentence: whatever the server answers later belongs to no command of ours
            if self._connection is not None:
                self._connection.abort("interrupted")
            raise

    async def _connect(self) -> Connection:
        self._context = self._context or tls_context(self._settings)
        self._connection = await connect(self._settings, self._context)
        return self._connection


async def check(settings: SmtpSettings) -> str:
    """Connect, log in and say in one sentence what the relay is; no mail is sent.

    Raises:
        DeliveryError: the relay cannot be used.
    """
    connection = await connect(settings, tls_context(settings))
    try:
        reply = await connection.command("NOOP", settings.timeout_s)
    except LostError as error:
        raise DeliveryError(settings.relay, "noop", str(error), hint="try again later") from error
    finally:
        await connection.quit()
    if reply.code != 250:
        raise DeliveryError(settings.relay, "noop", reply.text, code=reply.code, hint="try again later")
    return f"{settings.relay} answers “{connection.greeting}”, {', '.join(_traits(settings, connection))}"


def _traits(settings: SmtpSettings, connection: Connection) -> list[str]:
    traits = [connection.encryption or "unencrypted"]
    traits.append(f"logged in as {settings.username}" if settings.username else "without login")
    if limit := size_limit(connection.extensions):
        traits.append(f"takes mails up to {limit / 1e6:.1f} MB")
    return traits
