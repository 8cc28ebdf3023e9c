"""Everybody who may get mail, and why somebody does not although they are on the list."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from digest.curate.query import parse
from digest.due import next_due
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime

    from digest.config import Settings
    from digest.model import Subscriber
    from digest.state.store import State
    from digest.state.subscribers import OnUnreadable, Pause

_log = structlog.get_logger(__name__)


def subscribers(settings: Settings, state: State) -> tuple[Subscriber, ...]:
    """Everybody at once, for commands that list or search them; those of the configuration first."""
    return tuple(reader for shard in shards(settings, state) for reader in shard)


def warn(email: str, reason: str) -> None:
    """Say on the log that the state holds a reader who cannot be read. One of them must not cost the others their mail.

    It happens to whom a newer version wrote, or whose time zone an upgrade of the system took away.
    """
    _log.warning("a reader cannot be read, and is left out", email=email, reason=reason)


def beyond_reading(email: str, reason: str) -> DigestError:
    """Of somebody in the state who cannot be changed, for nobody knows what they have chosen."""
    hint = f"add them anew, with all that they want: digest subscribers add {email}"
    return DigestError(f"{email} is there, but cannot be read: {reason}", hint=hint)


def shards(
    settings: Settings, state: State, size: int = 500, *, tokens: bool = False, unreadable: OnUnreadable = warn
) -> Iterator[tuple[Subscriber, ...]]:
    """Everybody, at most `size` at a time and in memory: those of the configuration, then those who joined at run time.

    The configuration wins where both know an address. With `tokens` the latter come with the token that they have.
    `unreadable` is told of those who are left out because they cannot be read.
    """
    configured = {reader.email: reader for reader in settings.subscribers}
    rest = iter(configured.values())
    while shard := tuple(islice(rest, size)):
        yield shard

    def left_out(email: str, reason: str) -> None:
        if email not in configured:
            unreadable(email, reason)

    for page in state.subscribers.pages(size, tokens=tokens, unreadable=left_out):
        if shard := tuple(settings.as_now(reader) for reader in page if reader.email not in configured):
            yield shard


def found(
    settings: Settings, state: State, emails: Iterable[str], *, unreadable: OnUnreadable = warn
) -> dict[str, Subscriber]:
    """Those of these addresses who are subscribed, as they are now; `unreadable`: see `shards`."""
    configured = {reader.email: reader for reader in settings.subscribers}
    wanted = set(emails)
    kept = state.subscribers.find(wanted - configured.keys(), unreadable=unreadable)
    joined = {reader.email: settings.as_now(reader) for reader in kept}
    return joined | {email: configured[email] for email in wanted & configured.keys()}


def reader_named(settings: Settings, state: State, email: str) -> Subscriber:
    """The subscriber with this address, in capitals or not.

    Raises:
        DigestError: there is none, and the hint names a close one; or they cannot be read.
    """
    wanted = email.strip()
    broken: dict[str, str] = {}
    if reader := found(settings, state, [wanted], unreadable=broken.__setitem__).get(wanted):
        return reader
    if broken:
        raise beyond_reading(wanted, broken[wanted])
    # only for who mistyped: all may be many
    by_email = {reader.email.casefold(): reader for reader in subscribers(settings, state)}
    if reader := by_email.get(wanted.casefold()):
        return reader
    close = get_close_matches(wanted.casefold(), by_email, n=1, cutoff=0.85)
    hint = f"did you mean {by_email[close[0]].email}?" if close else "see: digest subscribers list"
    raise DigestError(f"there is no subscriber {email}", hint=hint)


def pause_reason(reader: Subscriber, pauses: Mapping[str, Pause], now: datetime) -> str:
    """Why the subscriber gets no mail today although they are on the list; empty: nothing on record speaks against it.

    They have not said yet that they want it, or there is a pause: of those with an end, the one that ends last.
    """
    if reader.asked_at is not None:
        return f"not confirmed yet; asked on {reader.asked_at.astimezone(ZoneInfo(reader.timezone)):%Y-%m-%d}"
    pause = pauses.get(reader.email)
    if pause is None and reader.paused_until is None:
        return ""
    if pause is not None and pause.until is None:
        return f"paused: {pause.reason}"
    today = now.astimezone(ZoneInfo(reader.timezone)).date()
    until = _first_day(reader, pause)
    if until is None or today >= until:
        return ""
    if pause is not None and pause.until == until:
        return f"paused until {until}: {pause.reason}"
    return f"paused until {until:%a %-d %b %Y}"


def next_digest(reader: Subscriber, pauses: Mapping[str, Pause], after: datetime) -> datetime | None:
    """The first instant (UTC) later than `after` at which a digest becomes due, whatever ends the pauses until then.

    None: there is none while things are as they are, for they are paused until resumed or have not confirmed.
    """
    pause = pauses.get(reader.email)
    if pause is not None and pause.until is None:
        return None
    return next_due(replace(reader, paused_until=_first_day(reader, pause)), after)


def _first_day(reader: Subscriber, pause: Pause | None) -> date | None:
    """The first local date with mail again, by what is chosen for the reader and by the pause on record."""
    days = [day for day in (reader.paused_until, pause.until if pause else None) if day is not None]
    return max(days, default=None)


def asks_for_nothing(reader: Subscriber) -> bool:
    """Whether no keyword of a reader asks for anything, so that nothing is ever found for them.

    One without keywords has chosen Trending alone, if there is such a part.
    """
    return bool(reader.keywords or not reader.trending) and all(parse(keyword).excludes for keyword in reader.keywords)
