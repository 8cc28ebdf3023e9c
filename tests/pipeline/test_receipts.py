"""Receipts are written together, and nobody waits long for anybody else's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVarTuple

from digest.model import Receipt
from digest.pipeline.receipts import Receipts
from digest.state.ledger import Settlement
from tests.makers import NOW, TODAY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextvars import Context

Ts = TypeVarTuple("Ts")

DELIVERED = Receipt("delivered", 250, "ok", NOW, "relay:25")


def settlement(number: int) -> Settlement:
    return Settlement(f"reader{number}@example.org", TODAY, DELIVERED, "sent")


class Disk:
    """What was written, one entry for each write, which takes a turn of the loop."""

    def __init__(self) -> None:
        self.writes: list[list[str]] = []

    async def write(self, settlements: Sequence[Settlement]) -> None:
        await asyncio.sleep(0)
        self.writes.append([one.email for one in settlements])


async def connection(receipts: Receipts, number: int, mails: int) -> None:
    for _ in range(mails):
        await receipts.keep(settlement(number))


def test_the_receipts_of_all_connections_share_a_write() -> None:
    disk = Disk()

    async def run() -> None:
        receipts = Receipts(disk.write)
        await asyncio.gather(*(connection(receipts, number, 20) for number in range(3)))

    asyncio.run(run())

    assert 60 == sum(map(len, disk.writes))
    assert 20 == len(disk.writes)


def test_a_connection_without_a_mail_holds_up_nobody() -> None:
    disk = Disk()

    async def run() -> None:
        await connection(Receipts(disk.write), 1, 5)

    asyncio.run(run())

    assert [["reader1@example.org"]] * 5 == disk.writes


def test_each_who_waits_hears_that_a_write_failed_and_the_next_write_is_made() -> None:
    written: list[str] = []

    async def write(settlements: Sequence[Settlement]) -> None:
        await asyncio.sleep(0)
        if len(settlements) > 1:
            raise OSError("disk full")
        written.append(settlements[0].email)

    async def run() -> None:
        receipts = Receipts(write)
        failed = await asyncio.gather(*(receipts.keep(settlement(n)) for n in (1, 2)), return_exceptions=True)
        assert ["disk full", "disk full"] == [str(error) for error in failed]
        await receipts.keep(settlement(3))

    asyncio.run(run())

    assert ["reader3@example.org"] == written


class Loop(asyncio.SelectorEventLoop):
    """Counts how often somebody waits for a time to pass."""

    waits = 0

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self.waits += 1
        return super().call_later(delay, callback, *args, context=context)


def test_a_write_waits_only_for_connections_that_were_busy_lately() -> None:
    """Three of them may have lost their server: the fourth must not wait for them with every mail."""
    disk = Disk()

    async def run() -> None:
        receipts = Receipts(disk.write)
        await asyncio.gather(*(connection(receipts, number, 1) for number in range(4)))
        await connection(receipts, 1, 6)

    loop = Loop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(run())

    assert [4, 1, 1, 1, 1, 1, 1] == [len(group) for group in disk.writes]
    assert loop.waits == 1
