"""Send what is due: claim, render, sign, hand over, settle.

The claim is durable before the first byte goes out and the receipt before the next final dot on the same connection,
so a crash at any moment loses nothing and leaves at most one mail per connection that may arrive twice, with the same
Message-ID and the same bytes (or be held back, as `delivery.in_doubt` says). Mails are planned and sent some readers
at a time. One process sends at a time; a second one finds the lock taken and leaves.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Protocol, Self

import structlog

from digest import account
from digest.bounces.verp import verp
from digest.compose.press import Press
from digest.deliver.maildir import Maildir
from digest.deliver.outbox import Deliverer
from digest.deliver.smtp import Smtp
from digest.deliver.throttle import Throttle
from digest.errors import DeliveryError, TemplateError
from digest.model import Mail, Receipt, SendReport
from digest.pipeline.clerk import LONGEST_RETRY
from digest.pipeline.garbage import rarely_collected
from digest.pipeline.letterhead import letterhead, open_renderer
from digest.pipeline.outbox import Batch, Outbox, Waiting
from digest.pipeline.plan import plan
from digest.pipeline.sign import open_signer, signed
from digest.pipeline.stages import Stages
from digest.pipeline.tally import Tally
from digest.state.retention import ANSWER_DAYS
from digest.state.runs import STOPPED

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator
    from datetime import datetime
    from types import TracebackType

    from digest.compose.letter import Letterhead
    from digest.compose.render import Renderer
    from digest.config import Settings
    from digest.deliver.dkim import Signer
    from digest.model import Digest, LedgerRow, MailKey, Verdict
    from digest.state.store import State

#: mails of the ledger that are looked at together
_BATCH = 500
_log = structlog.get_logger(__name__)


class Transport(Deliverer, Protocol):
    """What hands mails over. Entering raises DeliveryError if it cannot be used at all."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def transport(settings: Settings) -> Transport:
    """The relays of the `[smtp]` section, or the Maildir if there is none."""
    smtp = settings.smtp
    return Maildir(settings.maildir_path) if smtp is None else Smtp(*smtp.relays)


async def send(
    settings: Settings,
    state: State,
    *,
    clock: Callable[[], datetime],
    any_hour: bool = False,
    release_held: bool = False,
    stop: Callable[[], bool] = lambda: False,
    at_most: timedelta | None = None,
    timer: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Coroutine[None, None, None]] = asyncio.sleep,
    on_verdict: Callable[[Verdict], None] = lambda _verdict: None,
) -> SendReport:
    """Plan what is due, and send everything that waits.

    Args:
        settings: subscribers, templates, relays, retry rules.
        state: the ledger and all it rests on.
        clock: gives the present moment, aware.
        any_hour: today's digests are due whatever the hour and the weekday.
        release_held: also send what was held back because it may have arrived.
        stop: asked before each mail; True: begin no other one.
        at_most: begin no other mail after so much time by `timer`, for who has other things to see to as well.
        timer: seconds since whenever, of a clock that nobody sets: it says how long the run has taken.
        sleep: waits for so many seconds, where a rate is configured.
        on_verdict: called after each mail, for progress.

    Returns:
        a report with verdicts on the mails that were touched, and on every subscriber without one; by address, then
        by day.

    Raises:
        TemplateError: the templates cannot be used; nothing was claimed.
        DigestError: the key that signs cannot be used; nothing was claimed.
        StateError: the ledger cannot be written; nothing was sent without a durable claim.
        BusyError: the database server was restarted, and another process began to send before this one went on.
    """
    started, began, stages = clock(), timer(), Stages()
    renderer = open_renderer(settings)
    renderer.check()
    printer = _Printer(settings, letterhead(settings, state), renderer, open_signer(settings), clock=clock)
    with state.sender_lock() as is_mine:
        if not is_mine():
            return _busy(state, started, clock(), unheard=any_hour or release_held)
        recording = state.runs.begin("send", started)
        forgotten = _forgotten(state, now=started)
        interrupted = state.ledger.recover(now=started, in_doubt=settings.delivery.in_doubt)
        state.ledger.hasten(now=started, within=LONGEST_RETRY)
        # after a crash everything is kept, for what the run that died had to say is lost
        tally = Tally(state.runs, recording, started=started, everything=bool(interrupted), on_verdict=on_verdict)
        told = _closed(settings, state, interrupted, now=started)
        for verdict in told.values():
            tally.add(verdict)
        if release_held:
            # after the old ones were given up: what is held may be older than that, and gets its attempt
            state.ledger.release(now=started)
        outbox = Outbox(
            settings,
            state,
            _batches(settings, state, set(told), now=started, any_hour=any_hour),
            printer.print,
            Throttle(settings.smtp.per_domain_rate if settings.smtp else {}),
            tally,
            stages,
            clock=clock,
            is_alone=is_mine,
            over=lambda: stop() or (at_most is not None and timer() - began >= at_most.total_seconds()),
            sleep=sleep,
        )
        with rarely_collected():
            async with outbox:
                await _empty(outbox, settings, clock=clock)
        notes = (*_notes(tally, outbox), *forgotten)
        recording.finish(clock(), notes)
    return SendReport(
        "send",
        started,
        clock(),
        tally.verdicts,
        notes,
        tally=dict(sorted(tally.counts.items())),
        unfinished=outbox.unfinished,
        stages=stages.seconds(rest="wire"),
    )


def _busy(state: State, started: datetime, finished: datetime, *, unheard: bool) -> SendReport:
    """Another process has the lock. `unheard`: this one was asked for more than what is due."""
    rest = "then type this again" if unheard else "what is due since then goes out with the next send"
    note = f"another process is sending from this state ({state.place}) and sees to what was due when it began; {rest}"
    return SendReport("send", started, finished, notes=(note,), unfinished=unheard)


def _closed(
    settings: Settings, state: State, interrupted: Iterable[LedgerRow], *, now: datetime
) -> dict[MailKey, Verdict]:
    """Verdicts on the mails that are sent no more: given up for their age, or held back since a sender died."""
    late = state.ledger.expire(now, timedelta(hours=settings.delivery.give_up_after_hours))
    verdicts = {(row.email, row.local_date): account.expired(row, now) for row in late}
    held = {(row.email, row.local_date): account.already(row, now) for row in interrupted if row.state == "held"}
    return held | verdicts


def _batches(settings: Settings, state: State, told: set[MailKey], *, now: datetime, any_hour: bool) -> Iterator[Batch]:
    """What waits in the ledger, oldest day first; then what is planned now. `told`: mails that have a verdict."""
    rest = state.ledger.due(now)
    while mails := tuple(islice(rest, _BATCH)):
        told.update(mails)
        yield Batch([Waiting(*mail) for mail in mails])
    for shard in plan(settings, state, now=now, any_hour=any_hour):
        yield Batch(
            [Waiting(digest.subscriber.email, digest.local_date, digest) for digest in shard.digests],
            [verdict for mail, verdict in shard.verdicts.items() if mail not in told],
            last=shard.last,
        )


async def _empty(outbox: Outbox, settings: Settings, *, clock: Callable[[], datetime]) -> None:
    """Send all there is. Nobody is called if there is nothing to be sent, and nothing claimed if nobody answers."""
    if not await outbox.fill():
        return
    try:
        async with transport(settings) as post:
            reason = await post.deliver_all(outbox, now=clock)
    except DeliveryError as error:
        reason = error.told
    if reason:
        await outbox.leave(reason)


def _forgotten(state: State, *, now: datetime) -> tuple[str, ...]:
    """Forget who has not answered whether they want mail; says of how many, and names nobody."""
    count = state.subscribers.forget_unanswered(before=now - timedelta(days=ANSWER_DAYS))
    who = f"{count:,} who were asked and did not answer" if count > 1 else "somebody who was asked and did not answer"
    return (f"{who} within {ANSWER_DAYS} days {'were' if count > 1 else 'was'} forgotten",) if count else ()


def _notes(tally: Tally, outbox: Outbox) -> tuple[str, ...]:
    notes = []
    if tally.unlisted:
        notes.append(f"{tally.unlisted:,} more are not listed here; about each: digest why EMAIL")
    if outbox.unfinished:
        notes.append(STOPPED)
    return tuple(notes)


class _Printer:
    """Makes the mails of one run."""

    def __init__(
        self,
        settings: Settings,
        head: Letterhead,
        renderer: Renderer,
        signer: Signer | None,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._letterhead = head
        self._renderer = renderer
        self._signer = signer
        self._clock = clock

    @cached_property
    def _press(self) -> Press:
        """Made when the first mail is to be printed, for it tries the templates out."""
        press = Press(self._letterhead, self._renderer)
        if press.hindrance:
            _log.warning("mails are composed one by one", reason=press.hindrance)
        return press

    def print(self, digest: Digest) -> Mail | Receipt:
        """The mail as it leaves; a receipt if it cannot be made: one bad digest must not cost the others theirs."""
        try:
            mail = self._addressed(self._press.compose(digest), digest)
            return signed(mail, self._signer, at=digest.planned_at)
        except TemplateError as error:
            reason = error.message
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this digest
            _log.exception("rendering failed", email=digest.subscriber.email, local_date=str(digest.local_date))
            reason = f"{type(error).__name__}: {error}"
        return Receipt("deferred", None, f"the mail could not be rendered: {reason}", self._clock(), "digest")

    def _addressed(self, mail: Mail, digest: Digest) -> Mail:
        """With the envelope sender that names the reader, if the configuration asks for one."""
        if self._settings.bounces is None or not self._settings.bounces.verp:
            return mail
        return replace(mail, envelope_from=verp(mail.envelope_from, digest.subscriber.token))
