"""Where a transport fetches mails and leaves receipts.

A transport (`Smtp`, `Maildir`) hands over what an `Outbox` holds; the outbox claims before and keeps afterwards. So
what a crash can leave in doubt is decided here: between a mail that was taken and its receipt that is kept.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from digest.model import Receipt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from digest.model import Mail


class Outbox(Protocol):
    """Where mails come from and receipts go. Called by several connections in turn, all on one event loop."""

    def ready(self) -> Mail | None:
        """A mail that can go out right now, durably claimed; None: none at this moment, `take` may know one later."""
        ...

    async def take(self) -> Mail | None:
        """The next mail, durably claimed; waits for it.

        Returns:
            None if there will be none any more, and the connection may say goodbye.
        """
        ...

    def settle(self, mail: Mail, receipt: Receipt) -> Awaitable[None]:
        """Keep the receipt; awaited, it is durable.

        Raises:
            StateError: when awaited: it cannot be kept; the transport begins nothing more and raises this.
        """
        ...

    def put_back(self, mail: Mail) -> None:
        """Take a mail back that no relay was offered: instead of its receipt, when nothing more will be taken."""
        ...

    async def sleep_until(self, moment: datetime) -> bool:
        """Wait until `moment`, for a relay's pace; False: stop, begin no other mail."""
        ...


class Deliverer(Protocol):
    """What hands over the mails of an outbox: `Smtp`, `Maildir`."""

    async def deliver_all(self, outbox: Outbox, *, now: Callable[[], datetime]) -> str:
        """Hand over until the outbox is empty; says why mails were left in it, or nothing."""
        ...


async def deliver_one(transport: Deliverer, mail: Mail, *, now: Callable[[], datetime]) -> Receipt:
    """Hand over one mail for which nothing is kept, such as a notice; nothing is raised for it.

    Args:
        transport: entered already.
        mail: as composed.
        now: asked when the outcome is known, and if the relay's pace asks to wait.
    """
    outbox = _OneMail(mail, now)
    reason = await transport.deliver_all(outbox, now=now)
    return outbox.receipt or Receipt("deferred", None, f"not tried: {reason or 'told to stop'}", now(), "digest")


class _OneMail:
    def __init__(self, mail: Mail, now: Callable[[], datetime]) -> None:
        self._mail: Mail | None = mail
        self._now = now
        self.receipt: Receipt | None = None

    def ready(self) -> Mail | None:
        mail, self._mail = self._mail, None
        return mail

    async def take(self) -> Mail | None:
        return self.ready()

    async def settle(self, mail: Mail, receipt: Receipt) -> None:  # noqa: ARG002 - there is only one
        self.receipt = receipt

    def put_back(self, mail: Mail) -> None:
        self._mail = mail

    async def sleep_until(self, moment: datetime) -> bool:
        await asyncio.sleep((moment - self._now()).total_seconds())
        return True
