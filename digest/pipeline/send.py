"""Send what is due: claim, render, sign, hand over, settle, one mail at a time.

The claim is durable before the first byte goes out and the receipt before the next mail, so a crash at any moment
loses nothing and leaves at most one mail in doubt, which is sent again with the same Message-ID and the same bytes
(or held, as `delivery.in_doubt` says). One process sends at a time; a second one finds the lock taken and leaves.
"""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self

import structlog

from digest import account
from digest.bounces.verp import verp
from digest.compose.press import Press
from digest.deliver.maildir import Maildir
from digest.deliver.smtp import Smtp, SmtpSettings
from digest.due import due
from digest.errors import DeliveryError, TemplateError
from digest.model import Receipt, RunReport
from digest.pipeline.letterhead import letterhead, open_renderer
from digest.pipeline.plan import plan
from digest.pipeline.readers import pause_reason, subscribers
from digest.pipeline.sign import open_signer, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime
    from types import TracebackType

    from digest.compose.render import Renderer
    from digest.config import Settings
    from digest.config.schema import SmtpSection
    from digest.deliver.dkim import Signer
    from digest.model import Digest, LedgerRow, LedgerState, Mail, Verdict
    from digest.state.store import State

#: longest wait before a deferred mail is tried again
_LONGEST_RETRY = timedelta(hours=6)
#: a verdict that says what was said before is kept again after this time
_REPEAT_AFTER = timedelta(hours=12)
#: findings that follow from the schedule or the ledger at any time, and so are not worth a row per run
_DERIVABLE = {"not_due", "done"}
_STATES: dict[str, LedgerState] = {
    "delivered": "sent",
    "deferred": "deferred",
    "refused": "refused",
    "in_doubt": "in_doubt",
}
_log = structlog.get_logger(__name__)


class Transport(Protocol):
    """What hands mails over. Entering raises DeliveryError if it cannot be used at all; `deliver` never raises."""

    @property
    def given_up(self) -> str:
        """Why no further mail is worth trying in this round; empty if one is."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def deliver(self, mail: Mail, *, now: Callable[[], datetime]) -> Receipt:
        """Hand over one mail and say what happened."""
        ...


def transport(settings: Settings) -> Transport:
    """The relay of the `[smtp]` section, or the Maildir if there is none."""
    smtp = settings.smtp
    if smtp is None:
        return Maildir(settings.maildir_path)
    return Smtp(smtp_settings(smtp))


def smtp_settings(smtp: SmtpSection) -> SmtpSettings:
    """The `[smtp]` section as `deliver` takes it."""
    return SmtpSettings(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        username=smtp.username,
        password=smtp.password.get_secret_value() if smtp.password else "",
        timeout_s=smtp.timeout,
        local_hostname=smtp.local_hostname,
        ca_file=str(smtp.ca_file or ""),
    )


async def send(
    settings: Settings,
    state: State,
    *,
    clock: Callable[[], datetime],
    any_hour: bool = False,
    release_held: bool = False,
    stop: Callable[[], bool] = lambda: False,
    on_verdict: Callable[[Verdict], None] = lambda _verdict: None,
) -> RunReport:
    """Plan what is due, then send everything that waits.

    Args:
        settings: subscribers, templates, relay, retry rules.
        state: the ledger and all it rests on.
        clock: gives the present moment, aware.
        any_hour: today's digests are due whatever the hour and the weekday.
        release_held: also send what was held back because it may have arrived.
        stop: asked before each mail; True: begin no other one.
        on_verdict: called after each mail, for progress.

    Returns:
        a report with a verdict on every mail that was touched, and on every subscriber without one; by address, then
        by day.

    Raises:
        TemplateError: the templates cannot be used; nothing was claimed.
        DigestError: the key that signs cannot be used; nothing was claimed.
        StateError: the ledger cannot be written; nothing was sent without a durable claim.
    """
    started = clock()
    renderer = open_renderer(settings)
    renderer.check()
    signer = open_signer(settings)
    with state.sender_lock() as mine:
        if not mine:
            note = f"another process is sending from this state ({state.place}); it will see to everything that is due"
            return RunReport("send", started, clock(), notes=(note,))
        interrupted = state.ledger.recover(now=started, in_doubt=settings.delivery.in_doubt)
        verdicts = _closed(settings, state, interrupted, now=started)
        if release_held:
            # after the old ones were given up: what is held may be older than that, and gets its attempt
            state.ledger.release(now=started)
        planned = await asyncio.to_thread(plan, settings, state, now=started, any_hour=any_hour)
        verdicts |= {mail: verdict for mail, verdict in planned.items() if mail not in verdicts}
        mail_round = _Round(settings, state, renderer, signer, clock=clock, stop=stop, on_verdict=on_verdict)
        verdicts |= await mail_round.send_all()
    report = RunReport("send", started, clock(), tuple(verdicts[mail] for mail in sorted(verdicts)))
    # after a crash the report is kept whole, for that of the run that died is lost
    state.runs.record(report if interrupted else _worth_keeping(report, state))
    return report


def _closed(
    settings: Settings, state: State, interrupted: Iterable[LedgerRow], *, now: datetime
) -> dict[tuple[str, date], Verdict]:
    """Verdicts on the mails that are sent no more: given up for their age, or held back since a sender died."""
    late = state.ledger.expire(now, timedelta(hours=settings.delivery.give_up_after_hours))
    verdicts = {(row.email, row.local_date): account.expired(row, now) for row in late}
    held = {(row.email, row.local_date): account.already(row, now) for row in interrupted if row.state == "held"}
    return held | verdicts


def _worth_keeping(report: RunReport, state: State) -> RunReport:
    """The report without what the schedule or the ledger tells at any time, and without what was said already.

    A send every few minutes would otherwise write "quiet" for everybody every few minutes.
    """
    telling = [v for v in report.verdicts if v.finding not in _DERIVABLE]
    if not telling:
        return replace(report, verdicts=())
    said = {
        (verdict.name, verdict.sentence)
        for verdict in state.runs.verdicts(scope="subscriber", since=report.started_at - _REPEAT_AFTER)
    }
    return replace(report, verdicts=tuple(v for v in telling if (v.name, v.sentence) not in said))


class _Round:
    """One round of the postman: everything that waits in the ledger, one mail after the other."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        renderer: Renderer,
        signer: Signer | None,
        *,
        clock: Callable[[], datetime],
        stop: Callable[[], bool],
        on_verdict: Callable[[Verdict], None],
    ) -> None:
        self._settings = settings
        self._state = state
        self._renderer = renderer
        self._signer = signer
        self._clock = clock
        self._stop = stop
        self._on_verdict = on_verdict
        self._readers = {reader.email: reader for reader in subscribers(settings, state)}
        self._pauses = state.subscribers.pauses()
        self._owner = f"{socket.gethostname()}:{os.getpid()}"

    @cached_property
    def _press(self) -> Press:
        """Prints the mails; made when the first one is to be printed, for it tries the templates out."""
        press = Press(letterhead(self._settings), self._renderer)
        if press.hindrance:
            _log.warning("mails are composed one by one", reason=press.hindrance)
        return press

    async def send_all(self) -> dict[tuple[str, date], Verdict]:
        """Verdicts by mail, in the order of sending; what `stop` or a dead relay left over stays in the ledger."""
        waiting = list(self._state.ledger.due(self._clock()))
        verdicts: dict[tuple[str, date], Verdict] = {}
        if not waiting:
            return verdicts
        try:
            async with transport(self._settings) as post:
                for number, mail in enumerate(waiting):
                    if self._stop():
                        break
                    if post.given_up:
                        # not claimed, so that a dead relay costs nobody an attempt
                        return verdicts | self._left_waiting(waiting[number:], post.given_up)
                    if verdict := await self._send_one(post, *mail):
                        verdicts[mail] = verdict
                        self._on_verdict(verdict)
        except DeliveryError as error:
            # raised on entering only: nothing was claimed, everything waits for the next run
            return self._left_waiting(waiting, f"{error.message}; {error.hint}" if error.hint else error.message)
        return verdicts

    def _left_waiting(self, mails: Iterable[tuple[str, date]], reason: str) -> dict[tuple[str, date], Verdict]:
        now = self._clock()
        return {(email, day): account.no_relay(email, day, reason, now) for email, day in mails}

    async def _send_one(self, post: Transport, email: str, day: date) -> Verdict | None:
        """None: the mail is no longer there to be sent."""
        if reason := self._left(email):
            receipt = Receipt("refused", None, reason, self._clock(), "digest")
            self._state.ledger.settle(email, day, receipt, state="expired")
            return account.withdrawn(email, day, reason, receipt.at)
        digest = self._state.ledger.claim(email, day, owner=self._owner, now=self._clock())
        if digest is None:
            return None
        receipt = await self._hand_over(post, digest)
        next_attempt_at = self._settle(digest, receipt)
        if receipt.outcome == "refused" and (days := self._pause_if_hopeless(email, receipt)):
            return account.refused_too_often(digest, receipt, days)
        return account.handed_over(digest, receipt, next_attempt_at=next_attempt_at)

    def _left(self, email: str) -> str:
        """Why a planned digest must not go out any more: its reader left or paused since."""
        reader, now = self._readers.get(email), self._clock()
        if reader is None:
            return "no longer subscribed"
        # at any hour nothing but a pause speaks against a digest
        return due(reader, now, paused=pause_reason(reader, self._pauses, now), any_hour=True).not_yet

    async def _hand_over(self, post: Transport, digest: Digest) -> Receipt:
        try:
            mail = self._addressed(self._press.compose(digest), digest)
            mail = signed(mail, self._signer, at=digest.planned_at)
        except TemplateError as error:
            return self._unrenderable(error.message)
        except Exception as error:  # noqa: BLE001 - one digest that cannot be rendered must not cost the others their mail
            _log.exception("rendering failed", email=digest.subscriber.email, local_date=str(digest.local_date))
            return self._unrenderable(f"{type(error).__name__}: {error}")
        return await post.deliver(mail, now=self._clock)

    def _addressed(self, mail: Mail, digest: Digest) -> Mail:
        """With the envelope sender that names the reader, if the configuration asks for one."""
        if self._settings.bounces is None or not self._settings.bounces.verp:
            return mail
        return replace(mail, envelope_from=verp(mail.envelope_from, digest.subscriber.token))

    def _unrenderable(self, reason: str) -> Receipt:
        return Receipt("deferred", None, f"the mail could not be rendered: {reason}", self._clock(), "digest")

    def _settle(self, digest: Digest, receipt: Receipt) -> datetime | None:
        """Write the receipt down; returns when the mail is tried again, if it is."""
        email, day = digest.subscriber.email, digest.local_date
        state = _STATES[receipt.outcome]
        if receipt.outcome == "in_doubt" and self._settings.delivery.in_doubt == "hold":
            state = "held"
        next_attempt_at = None
        if state in {"deferred", "in_doubt"}:
            row = self._state.ledger.row(email, day)
            next_attempt_at = receipt.at + retry_after(
                row.attempts if row else 1, first=timedelta(minutes=self._settings.delivery.retry_minutes)
            )
        self._state.ledger.settle(email, day, receipt, state=state, next_attempt_at=next_attempt_at)
        return next_attempt_at

    def _pause_if_hopeless(self, email: str, receipt: Receipt) -> int:
        """Pause a reader who was refused too often; returns on how many days in a row, 0 if not too often."""
        days = self._state.ledger.refused_days(email)
        if days < self._settings.delivery.pause_after_refusals:
            return 0
        self._state.subscribers.pause(email, until=None, reason=account.pause_reason(receipt, days), now=receipt.at)
        return days


def retry_after(attempts: int, *, first: timedelta) -> timedelta:
    """How long a mail waits after its `attempts`-th attempt (from 1): `first`, doubled each time, at most six hours.

    RFC 5321 §4.5.4.1 asks for at least thirty minutes, and for longer waits later.
    """
    return min(first * (1 << min(attempts - 1, 10)), _LONGEST_RETRY)
