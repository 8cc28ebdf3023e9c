"""Tell the operator, by one short mail, that a whole day brought nothing, or that a source has failed for days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from digest import notice
from digest.compose.message import compose_notice
from digest.deliver.outbox import deliver_one
from digest.errors import DeliveryError
from digest.model import RunReport
from digest.pipeline.failing import failing_sources
from digest.pipeline.letterhead import letterhead, open_renderer
from digest.pipeline.send import transport
from digest.pipeline.sign import open_signer, signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from digest.config import Settings
    from digest.model import Receipt, Verdict
    from digest.notice import Outage
    from digest.state.store import State


#: the run by which it is remembered that a whole day without anything was told
_NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class _Notice:
    """What to tell."""

    subject: str
    lines: tuple[str, ...]
    #: names of the runs by which it is remembered that it was told
    runs: tuple[str, ...]


async def tell_operator(settings: Settings, state: State, *, clock: Callable[[], datetime]) -> Receipt | None:
    """Mail the operator if `notice` finds a reason and an address is configured.

    Of several reasons one is told, and the next one by the next run.

    Returns:
        what became of that mail; None if there was none to send. A mail that was not delivered is tried again by
        the next run.

    Raises:
        DigestError: the key that signs cannot be used.
    """
    now = clock()
    if not settings.mail.operator:
        return None
    verdicts, outages = _verdicts(state, now=now), _outages(settings, state, now=now)
    told = _of_a_whole_day(state, verdicts, outages, now=now) or _of_sources(verdicts, outages, now=now)
    if not told:
        return None
    mail = compose_notice(
        told.subject,
        told.lines,
        letterhead(settings),
        open_renderer(settings),
        recipient=settings.mail.operator,
        at=now,
    )
    try:
        async with transport(settings) as post:
            receipt = await deliver_one(post, signed(mail, open_signer(settings), at=now), now=clock)
    except DeliveryError:
        return None  # the relay is what is wrong; the verdicts of this run say so
    if receipt.outcome == "delivered":
        with state.transaction():
            for run in told.runs:
                state.runs.record(RunReport(run, now, clock(), notes=told.lines))
    return receipt


def not_told(settings: Settings, receipt: Receipt | None) -> str:
    """That the mail of `tell_operator` was not delivered, and why; empty if it was, or there was none to send."""
    if receipt is None or receipt.outcome == "delivered":
        return ""
    said = f"{receipt.relay}: {receipt.code} {receipt.text}" if receipt.code else receipt.text
    return f"something is wrong, and {settings.mail.operator} (mail.operator) could not be told: {said}"


@dataclass(frozen=True, slots=True)
class _Outages:
    """The sources that have failed for three days: those of which the operator has heard within a week, and others."""

    told: tuple[Outage, ...]
    untold: tuple[Outage, ...]

    @property
    def names(self) -> frozenset[str]:
        """The sources of those that were told."""
        return frozenset(one.source for one in self.told)


def _outages(settings: Settings, state: State, *, now: datetime) -> _Outages:
    lasting = [one for one in failing_sources(settings, state, now=now) if notice.is_lasting(one, now=now)]
    since = now - notice.REMINDER
    heard = [
        notice.was_told(one, now=now, notices=state.runs.starts(_run_of(one.source), since=since, until=now))
        for one in lasting
    ]
    told = tuple(one for one, was_told in zip(lasting, heard, strict=True) if was_told)
    return _Outages(told, tuple(one for one in lasting if one not in told))


def _of_a_whole_day(state: State, verdicts: tuple[Verdict, ...], outages: _Outages, *, now: datetime) -> _Notice | None:
    runs = state.runs.span()
    # none of a moment to come, which a clock that was ahead wrote down
    notices = state.runs.starts(_NOTICE, since=now - notice.WHOLE_DAY, until=now)
    last_notice = notices[-1] if notices else None
    started = runs[0] if runs else None
    lines = notice.lines(verdicts, now=now, last_notice=last_notice, started=started, told=outages.names)
    if not lines:
        return None
    # it names every source, if sources are the reason
    is_silent = notice.is_silent(verdicts, now=now, told=outages.names)
    named = (_run_of(one.source) for one in outages.untold if is_silent)
    return _Notice("digest: a whole day brought nothing", lines, (_NOTICE, *named))


def _of_sources(verdicts: tuple[Verdict, ...], outages: _Outages, *, now: datetime) -> _Notice | None:
    """Of the sources that have failed for days while others work; where none does, the whole day tells."""
    failing = outages.untold
    if not failing or notice.is_silent(verdicts, now=now, told=outages.names):
        return None
    what = f"{failing[0].source} has failed" if len(failing) == 1 else f"{len(failing)} sources have failed"
    lines = ("Sources that have failed for three days or longer:", *(f"- {one.told}" for one in failing))
    return _Notice(f"digest: {what} for days", lines, tuple(_run_of(one.source) for one in failing))


def _run_of(source: str) -> str:
    """The run by which it is remembered that the operator was told of a source: sources fail at different times."""
    return f"notice of {source}"


def _verdicts(state: State, *, now: datetime) -> tuple[Verdict, ...]:
    """Oldest first. On subscribers none from before the last mail: there may be 100,000, and that one tells enough."""
    runs, reach = state.runs, now - notice.REACH
    sources = runs.verdicts(scope="source", since=now - notice.WHOLE_DAY, until=now)
    sent = runs.verdicts(scope="subscriber", finding="sent", since=reach, until=now, limit=1)
    is_recent = sent and sent[0].at >= now - notice.WHOLE_DAY
    since = sent[0].at if sent else reach
    readers = sent if is_recent else runs.verdicts(scope="subscriber", since=since, until=now)
    return (*reversed(sources), *reversed(readers))
