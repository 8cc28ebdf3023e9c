"""An outbox in memory, which watches that its rules are kept."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from digest.deliver.settings import SmtpSettings
from digest.deliver.smtp import Smtp
from tests.makers import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from digest.model import Mail, Outcome, Receipt


class Box:
    """Mails in order; `receipts` by recipient. Its clock moves by nothing but `sleep_until`.

    Args:
        mails: to be handed over.
        turns: of the event loop that keeping a receipt takes, and waking up.
        never_ready: gives mails to `take` only.
    """

    def __init__(self, mails: Iterable[Mail], *, turns: int = 0, never_ready: bool = False) -> None:
        self.waiting = list(mails)
        self.taken: dict[str, datetime] = {}
        self.receipts: dict[str, Receipt] = {}
        self.clock = NOW
        #: raised by `settle` from this many receipts on
        self.broken: tuple[int, Exception] | None = None
        #: `sleep_until` says stop from this moment on
        self.stop_at: datetime | None = None
        #: a receipt is kept only when this is set
        self.may_keep = asyncio.Event()
        self.may_keep.set()
        #: how often `settle` was called
        self.keeping = 0
        self._turns = turns
        self._never_ready = never_ready

    def now(self) -> datetime:
        return self.clock

    def ready(self) -> Mail | None:
        return None if self._never_ready else self._give()

    async def take(self) -> Mail | None:
        await asyncio.sleep(0)
        return self._give()

    async def settle(self, mail: Mail, receipt: Receipt) -> None:
        assert mail.recipient in self.taken
        assert mail.recipient not in self.receipts, "a mail is settled once"
        self.keeping += 1
        await self.may_keep.wait()
        for _ in range(self._turns):
            await asyncio.sleep(0)
        if self.broken is not None and len(self.receipts) >= self.broken[0]:
            raise self.broken[1]
        self.receipts[mail.recipient] = receipt

    def put_back(self, mail: Mail) -> None:
        assert mail.recipient not in self.receipts, "what was settled does not come back"
        del self.taken[mail.recipient]
        self.waiting.insert(0, mail)

    async def sleep_until(self, moment: datetime) -> bool:
        assert moment > self.clock
        assert moment - self.clock < timedelta(days=1)
        if self.stop_at is not None and moment >= self.stop_at:
            return False
        self.clock = max(self.clock, moment)
        for _ in range(self._turns + 1):
            await asyncio.sleep(0)
        return True

    def outcomes(self) -> list[Outcome]:
        """In the order in which they were settled."""
        return [receipt.outcome for receipt in self.receipts.values()]

    def _give(self) -> Mail | None:
        if not self.waiting:
            return None
        mail = self.waiting.pop(0)
        assert mail.recipient not in self.taken
        self.taken[mail.recipient] = self.clock
        return mail


def reader(number: int) -> str:
    return f"reader{number}@example.org"


async def until(it_is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not it_is_so():  # noqa: ASYNC110 - what is waited for happens on the other end of a socket
            await asyncio.sleep(0)


async def deliver(box: Box, *relays: SmtpSettings) -> str:
    async with Smtp(*relays) as smtp:
        return await smtp.deliver_all(box, now=box.now)
