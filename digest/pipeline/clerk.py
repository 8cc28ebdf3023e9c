"""What is written down while mails go out: claims, receipts, pauses, in one thread beside the event loop.

The disk is slow, and connections go on while it works. What a method writes is durable when it returns.
"""

from __future__ import annotations

import asyncio
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from digest import account
from digest.due import due
from digest.errors import BusyError
from digest.model import Receipt
from digest.pipeline.readers import found, pause_reason
from digest.state.ledger import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from digest.config import Settings
    from digest.model import Digest, LedgerRow, LedgerState, MailKey, Subscriber, Verdict
    from digest.pipeline.stages import Stages
    from digest.state.ledger import Claim
    from digest.state.store import State
    from digest.state.subscribers import Pause

T = TypeVar("T")

#: longest wait before a deferred mail is tried again
LONGEST_RETRY = timedelta(hours=6)
_STATES: dict[str, LedgerState] = {
    "delivered": "sent",
    "deferred": "deferred",
    "refused": "refused",
    "in_doubt": "in_doubt",
}


class Clerk:
    """Writes in one state.

    Args:
        settings: retry rules, who is subscribed.
        state: the ledger.
        stages: told how long everything took.
        clock: gives the present moment, aware.
        is_alone: asked before each claim; False: another process is sending.
    """

    def __init__(
        self,
        settings: Settings,
        state: State,
        stages: Stages,
        *,
        clock: Callable[[], datetime],
        is_alone: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._state = state
        self._stages = stages
        self._clock = clock
        self._is_alone = is_alone
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state")

    def close(self) -> None:
        """Wait until all is written."""
        self._thread.shutdown()

    async def do(self, stage: str, work: Callable[..., T], *arguments: object) -> T:
        """What `work` returns or raises, called in the thread that writes; its time counts for `stage`."""

        def timed() -> T:
            with self._stages.timed(stage):
                return work(*arguments)

        return await asyncio.get_running_loop().run_in_executor(self._thread, timed)

    async def claim(
        self, mails: Sequence[MailKey], known: Mapping[MailKey, Digest]
    ) -> tuple[list[Claim], list[Verdict]]:
        """Claims, and verdicts on mails that cannot or must not go out. `known`: digests planned a moment ago.

        Raises:
            BusyError: another process is sending: the database server was restarted and has forgotten our lock.
        """
        return await self.do("ledger", self._claim, mails, known)

    def _claim(self, mails: Sequence[MailKey], known: Mapping[MailKey, Digest]) -> tuple[list[Claim], list[Verdict]]:
        if not self._is_alone():
            hint = "it sends what waits, and what was on the wire is in doubt; digest why says what became of it"
            raise BusyError(f"another process is sending from this state ({self._state.place})", hint=hint)
        now = self._clock()
        claims = self._state.ledger.claim_all(mails, owner=self._owner, now=now, known=known)
        emails = [email for email, _ in claims]
        unreadable: dict[str, str] = {}
        readers = found(self._settings, self._state, emails, unreadable=unreadable.__setitem__)
        pauses = self._state.subscribers.pauses(emails)
        # set aside: their contents cannot be read
        left = self._state.ledger.entered([mail for mail in mails if mail not in claims])
        good, settlements, verdicts = [], [], [account.already(row, now) for row in left.values()]
        for (email, day), claim in claims.items():
            if email in unreadable:
                # not "no longer subscribed", which is final
                receipt = Receipt("deferred", None, f"the reader cannot be read: {unreadable[email]}", now, "digest")
                settlement = self.settlement(claim, receipt)
                verdict = account.handed_over(claim.digest, receipt, next_attempt_at=settlement.next_attempt_at)
            elif reason := _withdrawal(readers.get(email), pauses, now):
                settlement = Settlement(email, day, Receipt("refused", None, reason, now, "digest"), "expired")
                verdict = account.withdrawn(email, day, reason, now)
            else:
                good.append(claim)
                continue
            settlements.append(settlement)
            verdicts.append(verdict)
        if settlements:
            self._state.ledger.settle_all(settlements)
        return good, verdicts

    async def release(self, claims: Mapping[MailKey, Claim]) -> None:
        """Undo the claims of what no server was offered."""
        await self.do("ledger", lambda: self._state.ledger.release_claims(claims, now=self._clock()))

    async def postpone(self, mails: Sequence[MailKey], *, until: datetime, reason: str, now: datetime) -> None:
        """Let mails wait, see `Ledger.postpone`."""
        await self.do("ledger", lambda: self._state.ledger.postpone(mails, until=until, reason=reason, now=now))

    async def entered(self, mails: Sequence[MailKey]) -> dict[MailKey, LedgerRow]:
        """Those of the mails that have a row."""
        return await self.do("ledger", self._state.ledger.entered, mails)

    def settlement(self, claim: Claim, receipt: Receipt) -> Settlement:
        """What follows from the answer to a mail; nothing is written yet."""
        state = _STATES[receipt.outcome]
        if receipt.outcome == "in_doubt" and self._settings.delivery.in_doubt == "hold":
            state = "held"
        next_attempt_at = None
        if state in {"deferred", "in_doubt"}:
            first = timedelta(minutes=self._settings.delivery.retry_minutes)
            next_attempt_at = receipt.at + retry_after(claim.attempts, first=first)
        digest = claim.digest
        return Settlement(digest.subscriber.email, digest.local_date, receipt, state, next_attempt_at)

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Keep receipts; raises StateError if they cannot be written."""
        await self.do("ledger", self._state.ledger.settle_all, settlements)

    async def pause_if_hopeless(self, email: str, receipt: Receipt) -> int:
        """Pause a reader who was refused too often; returns on how many days in a row, 0 if not too often."""
        return await self.do("ledger", self._pause_if_hopeless, email, receipt)

    def _pause_if_hopeless(self, email: str, receipt: Receipt) -> int:
        days = self._state.ledger.refused_days(email)
        if days < self._settings.delivery.pause_after_refusals:
            return 0
        self._state.subscribers.pause(email, until=None, reason=account.hopeless(receipt, days), now=receipt.at)
        return days


def _withdrawal(reader: Subscriber | None, pauses: Mapping[str, Pause], now: datetime) -> str:
    """Why a mail must not go out any more; empty if it may."""
    if reader is None:
        return "no longer subscribed"
    # at any hour nothing but a pause speaks against a digest
    return due(reader, now, paused=pause_reason(reader, pauses, now), any_hour=True).not_yet


def retry_after(attempts: int, *, first: timedelta) -> timedelta:
    """How long a mail waits after its `attempts`-th attempt (from 1): `first`, doubled each time, at most six hours.

    RFC 5321 §4.5.4.1 asks for at least thirty minutes, and for longer waits later.
    """
    return min(first * (1 << min(attempts - 1, 10)), LONGEST_RETRY)
