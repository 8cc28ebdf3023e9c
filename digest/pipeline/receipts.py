"""Receipts on their way to the disk: those that come in together are written together.

A connection begins no other final dot before its last receipt is durable, so there are never more receipts under way
than connections, and each durable write costs about as much for one as for all of them. Four connections with 10,000
mails shared a write by 3.98.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from digest.state.ledger import Settlement

#: longest wait for the receipts of other connections, in seconds
_LONGEST_WAIT_S = 0.05


class Receipts:
    """Writes one group of receipts after the other.

    Args:
        write: makes them durable.

    A write waits for as many receipts as there were lately at the same time, but no longer than the last write took: a
    connection that has no mail, or whose server does not answer, holds up nobody for long.
    """

    def __init__(self, write: Callable[[Sequence[Settlement]], Awaitable[None]]) -> None:
        self._write = write
        #: connections that had a receipt to be written while the last one was
        self._busy = 1
        self._waiting: list[tuple[Settlement, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        #: done as soon as all are there; None: nobody waits for that
        self._all_there: asyncio.Future[None] | None = None
        self._took_s = 0.0

    def keep(self, settlement: Settlement) -> asyncio.Future[None]:
        """Durable when the future is done; it raises what `write` raises."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((settlement, written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_groups())
        elif len(self._waiting) >= self._busy:
            self._hurry()
        return written

    async def _write_groups(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if len(self._waiting) < self._busy:
                await self._others()
            group, self._waiting = self._waiting, []
            begun, failure = loop.time(), None
            try:
                await self._write([settlement for settlement, _ in group])
            except Exception as error:  # noqa: BLE001 - it is raised where the receipts are waited for
                failure = error
            self._took_s = loop.time() - begun
            # no connection has two on their way
            self._busy = len(group) + len(self._waiting)
            for _, written in group:
                if written.cancelled():
                    continue
                if failure is None:
                    written.set_result(None)
                else:
                    written.set_exception(failure)

    async def _others(self) -> None:
        loop = asyncio.get_running_loop()
        self._all_there = loop.create_future()
        timer = loop.call_later(min(self._took_s, _LONGEST_WAIT_S), self._hurry)
        try:
            await self._all_there
        finally:
            timer.cancel()
            self._all_there = None

    def _hurry(self) -> None:
        if self._all_there is not None and not self._all_there.done():
            self._all_there.set_result(None)
