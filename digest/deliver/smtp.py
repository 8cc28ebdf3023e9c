"""Mails go to relays by SMTP: an `Outbox` goes in, a `Receipt` for each of its mails comes out.

A receipt is exact about the one thing that matters after a crash or a broken line: whether the final dot went out.
Before it, the server cannot have taken the mail (*deferred*); after it and without an answer, nobody can know
(*in doubt*, RFC 1047).
"""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING

from digest.deliver.connection import LostError
from digest.deliver.lane import Desk, Lane, Relay
from digest.deliver.letter import size_limit
from digest.deliver.relay import connect, tls_context
from digest.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from digest.deliver.connection import Connection
    from digest.deliver.outbox import Outbox
    from digest.deliver.settings import SmtpSettings


class Smtp:
    """Hands mails to a relay, or to several.

        async with Smtp(settings) as smtp:
            reason = await smtp.deliver_all(outbox, now=clock)

    Entering connects and logs in, and raises `DeliveryError` if no relay can be used.

    Relays of the lowest priority share the mails, each over up to `connections` connections that mend themselves: one
    that the server has closed in the meantime is replaced, and a mail of which nothing but the envelope was sent goes
    again, once. After `lane.GIVE_UP_AFTER` failures in a row (no connection, no answer, 421) a relay is not tried any
    more, so that a dead one costs a few timeouts and not one per reader; when all of a priority are given up, those of
    the next take over.
    """

    def __init__(self, *relays: SmtpSettings) -> None:
        self._relays = [Relay(settings) for settings in sorted(relays, key=lambda relay: relay.priority)]

    async def __aenter__(self) -> Self:
        failure: DeliveryError | None = None
        for relay in self._relays:
            try:
                relay.idle = await relay.open()
            except DeliveryError as error:
                relay.given_up = f"cannot be used: {error.stage}: {error.reason}"
                failure = failure or error
            else:
                return self
        raise failure or ValueError("there is no relay")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for relay in self._relays:
            if relay.idle is not None:
                await relay.idle.connection.quit()

    @property
    def given_up(self) -> str:
        """Why no further mail is tried, whatever the relay; empty while one is worth trying."""
        if any(not relay.given_up for relay in self._relays):
            return ""
        if len(self._relays) == 1:
            return f"the relay {self._relays[0].given_up}"
        return "; ".join(f"{relay.settings.relay} {relay.given_up}" for relay in self._relays)

    async def deliver_all(self, outbox: Outbox, *, now: Callable[[], datetime]) -> str:
        """Hand over every mail of the outbox; what happens to it is in its receipt, nothing is raised for it.

        Args:
            outbox: mails are sent byte for byte, each to its one recipient.
            now: asked when an outcome is known, and for the pace.

        Returns:
            why mails may be left in the outbox, a sentence without full stop: all relays were given up. Empty if the
            outbox said that there are no more. Of the mails that were in hand, those offered to a relay are settled,
            `deferred`; the others are put back.

        Raises:
            StateError: a receipt could not be kept. The connections are closed; on none of them a final dot has
                followed, and mails whose outcome is unknown were not settled.
        """
        desk = Desk(outbox, now)
        for _, relays in groupby(self._relays, key=lambda relay: relay.settings.priority):
            tier = [relay for relay in relays if not relay.given_up]
            await _run(Lane(relay, desk, self._elsewhere) for relay in tier for _ in range(relay.settings.connections))
            if any(not relay.given_up for relay in tier):
                break
        reason = self.given_up
        for mail in desk.returned:
            if (receipt := desk.offered.get(mail.message_id)) is not None:
                await outbox.settle(mail, receipt)
            else:
                outbox.put_back(mail)
        return reason

    def _elsewhere(self) -> bool:
        return not self.given_up


async def _run(lanes: Iterable[Lane]) -> None:
    """All at once; the first failure of one ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(lane.run())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def check(*relays: SmtpSettings) -> str:
    """Connect to each relay, log in and say in one sentence what it is; no mail is sent.

    Raises:
        DeliveryError: the first relay that cannot be used.
    """
    return "; ".join([await _check(settings) for settings in relays])


async def _check(settings: SmtpSettings) -> str:
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
    traits.append("with pipelining" if "pipelining" in connection.extensions else "without pipelining")
    if limit := size_limit(connection.extensions):
        traits.append(f"takes mails up to {limit / 1e6:.1f} MB")
    return traits
