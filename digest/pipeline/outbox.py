"""The mails of one run on their way out: waiting → claimed → printed → handed over → settled.

Connections take mails from here and bring receipts back (`deliver.outbox.Outbox`). Claims are made for a group of
mails in one durable write, receipts that come in together are written together; a mail's claim is durable before the
connection gets it, and its receipt when `settle` returns. All that touches the state runs in one thread beside the
event loop, so that connections go on while the disk works.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from digest import account
from digest.due import due
from digest.model import Receipt
from digest.pipeline.readers import found, pause_reason
from digest.pipeline.receipts import Receipts
from digest.state.ledger import Settlement

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
    from datetime import date, datetime
    from types import TracebackType
    from typing import Self

    from digest.config import Settings
    from digest.deliver.throttle import Throttle
    from digest.model import Digest, LedgerState, Mail, Verdict
    from digest.pipeline.stages import Stages
    from digest.pipeline.tally import Tally
    from digest.state.ledger import Claim
    from digest.state.store import State

T = TypeVar("T")

#: mails claimed in one write: as many as may be called in doubt after a crash although they never left
GROUP = 64
#: longest wait before a deferred mail is tried again
_LONGEST_RETRY = timedelta(hours=6)
#: seconds after which somebody who waits looks whether they are to stop
_NAP_S = 0.2
_STATES: dict[str, LedgerState] = {
    "delivered": "sent",
    "deferred": "deferred",
    "refused": "refused",
    "in_doubt": "in_doubt",
}


class Waiting(NamedTuple):
    """A mail that waits to be claimed."""

    email: str
    local_date: date
    #: as it was planned a moment ago; None: the ledger has it
    digest: Digest | None = None

    @property
    def mail(self) -> tuple[str, date]:
        """The key of its row in the ledger."""
        return self.email, self.local_date


@dataclass(frozen=True, slots=True)
class Batch:
    """Mails that wait, and what was found about readers for whom none does."""

    waiting: Sequence[Waiting] = ()
    verdicts: Sequence[Verdict] = ()


class Outbox:
    """Open while mails go out; leaving the block puts back what was claimed and not sent.

    Args:
        settings: retry rules, who is subscribed.
        state: the ledger.
        batches: what is to be sent, in this order; asked in the thread that writes.
        print_mail: makes a mail of a digest; a receipt if it cannot be made.
        throttle: how often each recipient domain may be written to.
        tally: told of every mail.
        stages: told how long everything took.
        clock: gives the present moment, aware.
        over: asked before each mail; True: begin no other one.
        connections: how many there are at most.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        settings: Settings,
        state: State,
        batches: Iterator[Batch],
        print_mail: Callable[[Digest], Mail | Receipt],
        throttle: Throttle,
        tally: Tally,
        stages: Stages,
        *,
        clock: Callable[[], datetime],
        over: Callable[[], bool],
        connections: int = 1,
        sleep: Callable[[float], Coroutine[None, None, None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._state = state
        self._batches = batches
        self._print = print_mail
        self._throttle = throttle
        self._tally = tally
        self._stages = stages
        self._clock = clock
        self._over = over
        self._sleep = sleep
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        # what may have arrived is to be held back: then nothing is claimed that does not go out at once
        self._group = 1 if settings.delivery.in_doubt == "hold" else GROUP
        self._exhausted = False
        self._waiting: deque[Waiting] = deque()
        #: by domain, those whose turn has not come
        self._aside: dict[str, deque[Waiting]] = {}
        self._claimed: deque[Claim] = deque()
        #: by Message-ID, what connections have
        self._out: dict[str, Claim] = {}
        self._refilling: asyncio.Task[None] | None = None
        self._receipts = Receipts(self._settle, connections=connections if self._group > 1 else 1)
        self._unprinted: set[asyncio.Task[None]] = set()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self._put_back()
                await self._tell_rest()
                await self._in_thread("ledger", self._tally.write, self._tally.unwritten(at_least=1))
        finally:
            self._thread.shutdown()

    @property
    def unfinished(self) -> bool:
        """Whether something waits still, or may wait."""
        return bool(not self._exhausted or self._waiting or self._aside or self._claimed)

    # --- for connections ----------------------------------------------------------------------------------------

    def ready(self) -> Mail | None:
        """A mail that can go out right now, durably claimed; None: none at this moment."""
        if self._over():
            return None
        if self._group > 1 and len(self._claimed) < self._group // 2:
            self._refill()
        while self._claimed:
            claim = self._claimed.popleft()
            with self._stages.timed("compose"):
                mail = self._print(claim.digest)
            if not isinstance(mail, Receipt):
                self._out[mail.message_id] = claim
                return mail
            task = asyncio.create_task(self._keep(claim, mail))
            self._unprinted.add(task)
            task.add_done_callback(self._unprinted.discard)
        return None

    async def take(self) -> Mail | None:
        """The next mail, durably claimed; None: there will be none any more.

        Raises:
            StateError: the ledger cannot be written.
        """
        while not self._over():
            if (mail := self.ready()) is not None:
                return mail
            await asyncio.shield(self._refill())
            if not self._claimed:
                if self._exhausted and not self._waiting and not self._aside:
                    return None
                if not await self.sleep_until(self._next_turn()):
                    return None
        return None

    async def settle(self, mail: Mail, receipt: Receipt) -> None:
        """Keep the receipt: durable on return.

        Raises:
            StateError: it cannot be written.
        """
        await self._keep(self._out.pop(mail.message_id), receipt)

    async def sleep_until(self, moment: datetime) -> bool:
        """Wait; False: begin no other mail."""
        while not self._over():
            left = (moment - self._clock()).total_seconds()
            if left <= 0:
                return True
            await self._sleep(min(left, _NAP_S))
        return False

    # --- waiting, claimed ---------------------------------------------------------------------------------------

    async def fill(self) -> bool:
        """Look for mails without claiming any; False: there are none."""
        while not self._waiting and not self._exhausted:
            await self._next_batch()
        return bool(self._waiting)

    async def leave(self, reason: str) -> None:
        """No mail can be sent any more: look for all that wait, and say so of each."""
        await self._put_back()
        while True:
            now = self._clock()
            for waiting in (*self._waiting, *(one for aside in self._aside.values() for one in aside)):
                self._tally.add(account.no_relay(*waiting.mail, reason, now))
            self._waiting.clear()
            self._aside.clear()
            if self._exhausted or self._over():
                return
            await self._next_batch()

    def _refill(self) -> asyncio.Task[None]:
        task = self._refilling
        # one that failed stays, for whoever waits for it
        if task is None or (task.done() and task.exception() is None):
            task = self._refilling = asyncio.create_task(self._claim_more())
        return task

    async def _claim_more(self) -> None:
        while len(self._claimed) < self._group:
            group, refused_for_now = self._choose(self._group)
            if refused_for_now:
                await self._postpone(refused_for_now)
            if group:
                await self._claim(group)
            elif self._exhausted:
                return
            elif not self._waiting:
                await self._next_batch()
            if verdicts := self._tally.unwritten():
                await self._in_thread("ledger", self._tally.write, verdicts)

    async def _next_batch(self) -> None:
        batch = await self._in_thread("plan", next, self._batches, None)
        if batch is None:
            self._exhausted = True
            return
        self._waiting.extend(batch.waiting)
        for verdict in batch.verdicts:
            self._tally.add(verdict, attempted=False)

    def _choose(self, most: int) -> tuple[list[Waiting], dict[str, list[Waiting]]]:
        """Whose turn it is, at most so many; and by domain those who have to wait because it asked for patience."""
        now = self._clock()
        chosen: list[Waiting] = []
        patience: dict[str, list[Waiting]] = {}
        for domain, aside in list(self._aside.items()):
            while aside and self._throttle.backing_off(domain, now):
                patience.setdefault(domain, []).append(aside.popleft())
            while aside and len(chosen) < most and self._throttle.ready_at(domain, now) <= now:
                self._throttle.taken(domain, now)
                chosen.append(aside.popleft())
            if not aside:
                del self._aside[domain]
        while self._waiting and len(chosen) < most:
            waiting = self._waiting.popleft()
            domain = _domain(waiting.email)
            if self._throttle.backing_off(domain, now):
                patience.setdefault(domain, []).append(waiting)
            elif domain in self._aside or self._throttle.ready_at(domain, now) > now:
                # its contents can be read from the ledger when its turn comes
                self._aside.setdefault(domain, deque()).append(waiting._replace(digest=None))
            else:
                self._throttle.taken(domain, now)
                chosen.append(waiting)
        return chosen, patience

    def _next_turn(self) -> datetime:
        now = self._clock()
        return min((self._throttle.ready_at(domain, now) for domain in self._aside), default=now)

    async def _claim(self, group: Sequence[Waiting]) -> None:
        claims, gone = await self._in_thread("ledger", self._claim_now, group)
        self._claimed.extend(claims)
        for verdict in gone:
            self._tally.add(verdict)

    def _claim_now(self, group: Sequence[Waiting]) -> tuple[list[Claim], list[Verdict]]:
        """Claims, and verdicts on mails that must not go out any more."""
        now = self._clock()
        known = {one.mail: one.digest for one in group if one.digest is not None}
        claims = self._state.ledger.claim_all([one.mail for one in group], owner=self._owner, now=now, known=known)
        emails = [email for email, _ in claims]
        readers = found(self._settings, self._state, emails)
        pauses = self._state.subscribers.pauses(emails)
        good, settlements, verdicts = [], [], []
        for (email, day), claim in claims.items():
            reader = readers.get(email)
            if reader is None:
                reason = "no longer subscribed"
            else:
                # at any hour nothing but a pause speaks against a digest
                reason = due(reader, now, paused=pause_reason(reader, pauses, now), any_hour=True).not_yet
            if not reason:
                good.append(claim)
                continue
            receipt = Receipt("refused", None, reason, now, "digest")
            settlements.append(Settlement(email, day, receipt, "expired"))
            verdicts.append(account.withdrawn(email, day, reason, now))
        if settlements:
            self._state.ledger.settle_all(settlements)
        return good, verdicts

    async def _postpone(self, patience: Mapping[str, Sequence[Waiting]]) -> None:
        for domain, mails in patience.items():
            now = self._clock()
            if (rest := self._throttle.backing_off(domain, now)) is None:
                self._waiting.extend(mails)
                continue
            until, why = rest
            reason = f"{domain} asked for patience: {why}"
            keys = [one.mail for one in mails]
            await self._in_thread("ledger", self._postpone_now, keys, until, reason, now)
            for one in mails:
                self._tally.add(account.postponed(*one.mail, reason, until, now))

    def _postpone_now(self, mails: Sequence[tuple[str, date]], until: datetime, reason: str, now: datetime) -> None:
        self._state.ledger.postpone(mails, until=until, reason=reason, now=now)

    async def _put_back(self) -> None:
        """Undo the claims of what no server was offered; what waits then waits as if nobody had looked."""
        if self._refilling is not None:
            await self._refilling
        if self._unprinted:
            await asyncio.gather(*self._unprinted)
        claims = {(one.digest.subscriber.email, one.digest.local_date): one for one in self._claimed}
        self._claimed.clear()
        if claims:
            await self._in_thread("ledger", self._release, claims)
        self._waiting.extendleft(Waiting(*mail, claim.digest) for mail, claim in reversed(claims.items()))

    def _release(self, claims: Mapping[tuple[str, date], Claim]) -> None:
        self._state.ledger.release_claims(claims, now=self._clock())

    async def _tell_rest(self) -> None:
        """Say of all that were planned and not sent that they wait."""
        rest = [*self._waiting, *(one for aside in self._aside.values() for one in aside)]
        unknown = [one.mail for one in rest if one.digest is None]
        rows = await self._in_thread("ledger", self._state.ledger.entered, unknown)
        now = self._clock()
        for one in rest:
            if one.digest is not None:
                self._tally.add(account.planned(one.digest))
            elif one.mail in rows:
                self._tally.add(account.already(rows[one.mail], now))

    # --- receipts -----------------------------------------------------------------------------------------------

    async def _keep(self, claim: Claim, receipt: Receipt) -> None:
        digest = claim.digest
        email, day = digest.subscriber.email, digest.local_date
        state = _STATES[receipt.outcome]
        if receipt.outcome == "in_doubt" and self._settings.delivery.in_doubt == "hold":
            state = "held"
        next_attempt_at = None
        if state in {"deferred", "in_doubt"}:
            first = timedelta(minutes=self._settings.delivery.retry_minutes)
            next_attempt_at = receipt.at + retry_after(claim.attempts, first=first)
        self._throttle.answered(_domain(email), receipt)
        await self._receipts.keep(Settlement(email, day, receipt, state, next_attempt_at))
        days = await self._in_thread("ledger", self._pause_if_hopeless, email, receipt) if state == "refused" else 0
        if days:
            self._tally.add(account.refused_too_often(digest, receipt, days))
        else:
            self._tally.add(account.handed_over(digest, receipt, next_attempt_at=next_attempt_at))

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        await self._in_thread("ledger", self._state.ledger.settle_all, settlements)

    def _pause_if_hopeless(self, email: str, receipt: Receipt) -> int:
        """Pause a reader who was refused too often; returns on how many days in a row, 0 if not too often."""
        days = self._state.ledger.refused_days(email)
        if days < self._settings.delivery.pause_after_refusals:
            return 0
        self._state.subscribers.pause(email, until=None, reason=account.pause_reason(receipt, days), now=receipt.at)
        return days

    # --- the thread ---------------------------------------------------------------------------------------------

    async def _in_thread(self, stage: str, work: Callable[..., T], *arguments: object) -> T:
        def timed() -> T:
            with self._stages.timed(stage):
                return work(*arguments)

        return await asyncio.get_running_loop().run_in_executor(self._thread, timed)


def retry_after(attempts: int, *, first: timedelta) -> timedelta:
    """How long a mail waits after its `attempts`-th attempt (from 1): `first`, doubled each time, at most six hours.

    RFC 5321 §4.5.4.1 asks for at least thirty minutes, and for longer waits later.
    """
    return min(first * (1 << min(attempts - 1, 10)), _LONGEST_RETRY)


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()
