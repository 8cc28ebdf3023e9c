"""Ask somebody whether they want mail before they get any, and hear that they do.

    asked, durable → one mail → the answer, by mail or told to the operator → a reader like any other
                              → no answer within `ANSWER_DAYS`: the next send forgets them, address and all

A question is on record before it leaves: a crash after that costs the question, for it is not asked again by itself.
Nobody but who got the mail can give the answer that is in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from digest.answer import line
from digest.bounces.verp import verp
from digest.compose.invitation import Way
from digest.compose.message import compose_invitation
from digest.deliver.outbox import deliver_one
from digest.errors import DeliveryError, DigestError
from digest.model import Receipt
from digest.pipeline.letterhead import letterhead, open_renderer
from digest.pipeline.send import transport
from digest.pipeline.sign import open_signer, signed
from digest.state.retention import ANSWER_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from digest.answer import Answer
    from digest.config import Settings
    from digest.model import Mail, Subscriber
    from digest.state.store import State
    from digest.state.subscribers import Pause

#: somebody is not asked again sooner, unless the operator insists
_SOONEST = timedelta(days=1)
#: the moment of a question in its answer, UTC
_MOMENT = "%Y%m%dT%H%M%SZ"

#: now; before, and once is enough; nobody waits for this answer any more
Heard = Literal["confirmed", "confirmed before", "too late"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a question."""

    #: who was asked, with what they would get
    reader: Subscriber
    #: what the relay said of the mail
    receipt: Receipt
    #: why they got no mail until now, if somebody or something had ended it
    pause: Pause | None


def answer_address(settings: Settings) -> str:
    """Where answers are read from.

    Raises:
        DigestError: nowhere; the hint names what to configure.
    """
    if settings.bounces is None:
        hint = (
            "add a [bounces] table that names a mailbox, and under [mail] unsubscribe_mailto, an address that leads "
            "there; or, if they told you that they want it: digest subscribers add"
        )
        raise DigestError("nobody would read the answer: no mailbox is configured", hint=hint)
    address = settings.mail.feedback or settings.mail.unsubscribe_mailto
    if not address:
        hint = "set unsubscribe_mailto (or feedback) under [mail] to an address that leads to the mailbox of [bounces]"
        raise DigestError("it is not configured which address leads to the mailbox of [bounces]", hint=hint)
    return address


async def invite(
    settings: Settings,
    state: State,
    choose: Callable[[], tuple[Subscriber | None, Subscriber]],
    *,
    clock: Callable[[], datetime],
    again: bool = False,
) -> Asked:
    """Ask somebody whether they want a digest, by one mail at once.

    They are on the list from then on and get nothing until they say yes. What certainly did not leave is taken back.

    Args:
        settings: who asks, templates, relays, where answers are read.
        state: who is there already.
        choose: gives them as they are in the state, None for somebody new, and as they would be; called in the
            transaction in which they are asked. Not somebody kept in the configuration.
        clock: gives the present moment, aware.
        again: also somebody who was asked within a day, or who gets no more mail: who unsubscribed is asked only if the
            operator says so. Their silence ends with their yes, and not before.

    Raises:
        DigestError: they are not asked: no mailbox reads answers, they get digests already, were asked within a day, or
            get no mail for a reason; or the key that signs cannot be used.
        TemplateError: the mail cannot be rendered; they are not asked.
        StateError: it cannot be written down; nothing was sent.
    """
    address = answer_address(settings)
    renderer, signer = open_renderer(settings), open_signer(settings)
    now = clock().astimezone(UTC).replace(microsecond=0)
    with state.transaction():
        known, chosen = choose()
        email = chosen.email
        pause = state.subscribers.pauses([email]).get(email)
        _check(email, known, pause, now=now, again=again)
        token = state.subscribers.tokens([email])[email]
        reader = replace(chosen, asked_at=now, token=token)
        way = Way(address, line("confirm", f"{now:{_MOMENT}}", token, secret=state.feedback.secret()), ANSWER_DAYS)
        mail = compose_invitation(reader, way, letterhead(settings), renderer, at=now)
        if settings.bounces is not None and settings.bounces.verp:
            mail = replace(mail, envelope_from=verp(mail.envelope_from, token))
        mail = signed(mail, signer, at=now)
        state.subscribers.put(reader, now=now)
    receipt = await _deliver(settings, mail, clock)
    if receipt.outcome in {"deferred", "refused"}:
        _take_back(state, reader, known, now=now)
    return Asked(reader, receipt, pause if pause and pause.until is None else None)


def _check(email: str, known: Subscriber | None, pause: Pause | None, *, now: datetime, again: bool) -> None:
    silent = pause is not None and pause.until is None
    if known is not None and known.asked_at is None and not silent:
        raise DigestError(
            f"{email} is subscribed already", hint=f"to change what they get: digest subscribers add {email}"
        )
    if again:
        return
    if pause is not None and silent:
        reason = f"{email} gets no mail since {pause.at:%Y-%m-%d}: {pause.reason}"
        raise DigestError(reason, hint="if they have changed their mind, ask them with --again")
    if known is not None and known.asked_at is not None and now - known.asked_at < _SOONEST:
        reason = f"{email} was asked on {known.asked_at:%Y-%m-%d at %H:%M} UTC, and nothing was sent or changed"
        raise DigestError(reason, hint="wait for the answer, or send another mail with --again")


async def _deliver(settings: Settings, mail: Mail, clock: Callable[[], datetime]) -> Receipt:
    try:
        async with transport(settings) as post:
            return await deliver_one(post, mail, now=clock)
    except DeliveryError as error:
        reason = error.told
        return Receipt("deferred", None, reason, clock(), "digest")


def _take_back(state: State, asked: Subscriber, before: Subscriber | None, *, now: datetime) -> None:
    """As if they had not been asked, unless somebody else has asked them since."""
    with state.transaction():
        if state.subscribers.asked_at(asked.email) != asked.asked_at:
            return
        if before is None:
            state.subscribers.forget([asked.email])
        else:
            state.subscribers.put(before, now=now)


def hear(state: State, answer: Answer, *, now: datetime, keep: bool = True) -> Heard:
    """What a `confirm` brings about that is as we signed it.

    An answer to a question of before the reader asked for silence does not end that silence.

    Args:
        state: who was asked.
        answer: genuine.
        now: when it is heard, aware.
        keep: False: only say what it would be.
    """
    email = state.subscribers.by_token(answer.token)
    try:
        asked = datetime.strptime(answer.key, _MOMENT).replace(tzinfo=UTC)
    except ValueError:  # another version of this program wrote it; nobody else can
        return "too late"
    return "too late" if email is None else confirm(state, email, asked=asked, now=now, keep=keep)


def confirm(state: State, email: str, *, asked: datetime, now: datetime, keep: bool = True) -> Heard:
    """Somebody wants the digest they were asked about: from now on they get it.

    Args:
        state: who was asked.
        email: whose answer it is.
        asked: when they were asked what they answer; a pause from before ends with the answer.
        now: when it is heard, aware.
        keep: False: only say what it would be.
    """
    with state.transaction():
        if state.subscribers.joined(email) is None:
            return "too late"
        # whatever else is stored of them need not be readable
        last_asked = state.subscribers.asked_at(email)
        if last_asked is None:
            return "confirmed before"
        pause = state.subscribers.pauses([email]).get(email)
        silent_since = pause.at.replace(microsecond=0) if pause and pause.until is None else None
        if silent_since is not None and asked < silent_since <= last_asked:
            return "too late"
        if keep:
            state.subscribers.confirm(email)
            if silent_since is not None and silent_since <= asked:
                state.subscribers.resume(email, now=now)
    return "confirmed"
