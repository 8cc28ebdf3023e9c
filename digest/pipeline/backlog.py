"""Mail that waits, since when and why: from the ledger, and from what sends said of mails that were never offered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from digest.state.history import Backlog
    from digest.state.store import State


def backlog(state: State, *, now: datetime) -> tuple[Backlog, ...]:
    """What waits and is not being sent, most mails first.

    Args:
        state: the ledger and past verdicts.
        now: aware; what a clock that was ahead dated later does not count.
    """
    return tuple(one if one.reason else replace(one, reason=_said(state, one, now)) for one in state.ledger.backlog())


def _said(state: State, waiting: Backlog, now: datetime) -> str:
    """What the last send said of one of the mails; a relay that cannot be reached is no answer to any of them."""
    said = state.runs.verdicts(scope="subscriber", name=waiting.email, since=waiting.since, until=now)
    sentence = next((verdict.sentence for verdict in said if verdict.finding == "deferred"), "")
    return sentence.removeprefix(f"{waiting.email}: ").partition(" waits: ")[2]
