"""The mails of one run on their way out: waiting → claimed → printed → handed over → settled.

Connections take mails from here and bring receipts back (`deliver.outbox.Outbox`). Claims are made for a group of
mails in one durable write, receipts that come in together are written together; a mail's claim is durable before the
connection gets it, and its receipt when `settle` is through.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from digest import account
from digest.model import Receipt
from digest.pipeline.clerk import Clerk
from digest.pipeline.receipts import Receipts

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
    from datetime import date, datetime
    from types import TracebackType
    from typing import Self

    from digest.config import Settings
    from digest.deliver.throttle import Throttle
    from digest.model import Digest, Mail, MailKey, Verdict
    from digest.pipeline.stages import Stages
    from digest.pipeline.tally import Tally
    from digest.state.ledger import Claim, Settlement
    from digest.state.store import State

#: mails claimed in one write: as many as may be called in doubt after a crash although they never left
GROUP = 64
#: seconds after which somebody who waits looks whether they are to stop
_NAP_S = 0.2


class Waiting(NamedTuple):
    """A mail that waits to be claimed."""

    email: str
    local_date: date
    #: as it was planned a moment ago; None: the ledger has it
    digest: Digest | None = None

    @property
    def mail(self) -> MailKey:
        """The key of its row in the ledger."""
        return self.email, self.local_date


@dataclass(frozen=True, slots=True)
class Batch:
    """Mails that wait, and what was found about readers for whom none does."""

    waiting: Sequence[Waiting] = ()
    verdicts: Sequence[Verdict] = ()
    #: no other batch follows
    last: bool = False


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
        is_alone: asked before mails are claimed, in the thread that writes; False: another process is sending.
        over: asked before each mail; True: begin no other one.
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
        is_alone: Callable[[], bool],
        over: Callable[[], bool],
        sleep: Callable[[float], Coroutine[None, None, None]] = asyncio.sleep,
    ) -> None:
        self._clerk = Clerk(settings, state, stages, clock=clock, is_alone=is_alone)
        self._batches = batches
        self._print = print_mail
        self._throttle = throttle
        self._tally = tally
        self._stages = stages
        self._clock = clock
        self._over = over
        self._sleep = sleep
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
        self._receipts = Receipts(self._clerk.settle)
        self._unprinted: set[asyncio.Future[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self._put_back()
                await self._tell_rest()
                await self._clerk.do("ledger", self._tally.write, self._tally.unwritten(at_least=1))
        finally:
            self._clerk.close()

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
            before = time.thread_time()
            mail = self._print(claim.digest)
            self._stages.add("compose", time.thread_time() - before)
            if not isinstance(mail, Receipt):
                self._out[mail.message_id] = claim
                return mail
            kept = self._keep(claim, mail)
            self._unprinted.add(kept)
            kept.add_done_callback(self._unprinted.discard)
        return None

    async def take(self) -> Mail | None:
        """The next mail, durably claimed; None: there will be none any more.

        Raises:
            StateError: the ledger cannot be written.
            BusyError: another process is sending.
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

    def settle(self, mail: Mail, receipt: Receipt) -> asyncio.Future[None]:
        """Keep the receipt: it is durable when the future is done, which raises StateError if it cannot be written."""
        return self._keep(self._out.pop(mail.message_id), receipt)

    def put_back(self, mail: Mail) -> None:
        """Take a mail back that no relay was offered; its claim is undone with those of the mails that wait."""
        self._claimed.appendleft(self._out.pop(mail.message_id))

    async def sleep_until(self, moment: datetime) -> bool:
        """Wait, no longer than what is left now even if the clock is set back; False: begin no other mail."""
        left = (moment - self._clock()).total_seconds()
        while not self._over():
            if left <= 0:
                return True
            nap = min(left, _NAP_S)
            await self._sleep(nap)
            left = min(left - nap, (moment - self._clock()).total_seconds())
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
                await self._clerk.do("ledger", self._tally.write, verdicts)

    async def _next_batch(self) -> None:
        batch = await self._clerk.do("plan", next, self._batches, None)
        if batch is None:
            self._exhausted = True
            return
        self._exhausted = batch.last
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
        known = {one.mail: one.digest for one in group if one.digest is not None}
        claims, gone = await self._clerk.claim([one.mail for one in group], known)
        self._claimed.extend(claims)
        for verdict in gone:
            self._tally.add(verdict)

    async def _postpone(self, patience: Mapping[str, Sequence[Waiting]]) -> None:
        for domain, mails in patience.items():
            now = self._clock()
            if (rest := self._throttle.backing_off(domain, now)) is None:
                self._waiting.extend(mails)
                continue
            until, why = rest
            reason = f"{domain} asked for patience: {why}"
            await self._clerk.postpone([one.mail for one in mails], until=until, reason=reason, now=now)
            for one in mails:
                self._tally.add(account.postponed(*one.mail, reason, until, now))

    async def _put_back(self) -> None:
        """Undo the claims of what no server was offered; what waits then waits as if nobody had looked."""
        if self._refilling is not None:
            await self._refilling
        if self._unprinted:
            await asyncio.gather(*self._unprinted)
        claims = {(one.digest.subscriber.email, one.digest.local_date): one for one in self._claimed}
        self._claimed.clear()
        if claims:
            await self._clerk.release(claims)
        self._waiting.extendleft(Waiting(*mail, claim.digest) for mail, claim in reversed(claims.items()))

    async def _tell_rest(self) -> None:
        """Say of all that were planned and not sent that they wait."""
        rest = [*self._waiting, *(one for aside in self._aside.values() for one in aside)]
        unknown = [one.mail for one in rest if one.digest is None]
        rows = await self._clerk.entered(unknown)
        now = self._clock()
        for one in rest:
            if one.digest is not None:
                self._tally.add(account.planned(one.digest))
            elif one.mail in rows:
                self._tally.add(account.already(rows[one.mail], now))

    # --- receipts -----------------------------------------------------------------------------------------------

    def _keep(self, claim: Claim, receipt: Receipt) -> asyncio.Future[None]:
        settlement = self._clerk.settlement(claim, receipt)
        self._throttle.answered(_domain(settlement.email), receipt)
        if settlement.state == "refused":
            return asyncio.ensure_future(self._keep_refused(claim.digest, settlement))
        # nearly always; a task for each mail would cost several times as much
        kept = self._receipts.keep(settlement)
        kept.add_done_callback(partial(self._tell, claim.digest, settlement))
        return kept

    def _tell(self, digest: Digest, settlement: Settlement, kept: asyncio.Future[None]) -> None:
        if kept.cancelled() or kept.exception() is not None:
            return
        verdict = account.handed_over(digest, settlement.receipt, next_attempt_at=settlement.next_attempt_at)
        self._tally.add(verdict)

    async def _keep_refused(self, digest: Digest, settlement: Settlement) -> None:
        kept, receipt = self._receipts.keep(settlement), settlement.receipt
        await kept
        if days := await self._clerk.pause_if_hopeless(settlement.email, receipt):
            self._tally.add(account.refused_too_often(digest, receipt, days))
        else:
            self._tell(digest, settlement, kept)


def _domain(email: str) -> str:
    return email.rpartition("@")[2].lower()
