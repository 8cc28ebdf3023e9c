"""Readers as they are typed or listed → readers of the state: somebody new, or changes to somebody known.

Some hundred at a time are written together: durable, or as if they had not been read. Whoever gets no mail for a reason
goes on getting none, whatever a list says: `resume` and `confirm` are for that.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, fields
from datetime import time
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from digest.config import parse_subscriber
from digest.config.images import INSTALL, images, missing
from digest.errors import ConfigError, DigestError
from digest.pipeline.readers import beyond_reading, pause_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from datetime import datetime

    from digest.config import Settings
    from digest.config.roster import Entry
    from digest.errors import ConfigProblem
    from digest.model import Subscriber
    from digest.state.store import State

#: readers of one transaction: what one costs is divided among them, and nobody else waits long to write
_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What became of one entry of a list."""

    #: the number of its line
    line: int
    done: Literal["new", "changed", "as before", "not taken"]
    #: whose it is, normalised; empty if it was not taken
    email: str = ""
    #: why it was not taken, or why its reader gets no digest although it was; empty: there is no such reason
    reason: str = ""
    #: what is different of somebody who was known, one sentence each; empty of all others
    changes: tuple[str, ...] = ()


def entered(
    given: Mapping[str, object],
    settings: Settings,
    find: Callable[[str], Subscriber | None],
    *,
    inherit: Collection[str] = (),
) -> tuple[Subscriber | None, Subscriber]:
    """The subscriber as they are in the state, None for somebody new, and as they are to be.

    Args:
        given: keys of a `[[subscribers]]` table; None counts as absent.
        settings: what they inherit, and who is kept in the configuration.
        find: who has a normalised address in the state; may raise `beyond_reading`.
        inherit: keys of what they chose and choose no longer.

    Raises:
        ConfigError: with every mistake; its keys are those of `given`.
        DigestError: they are kept in the configuration, cannot be read, or want what needs a package that is missing.
    """
    known: list[Subscriber | None] = []

    def look(email: str) -> Subscriber | None:
        if any(configured.email == email for configured in settings.subscribers):
            raise DigestError(f"{email} is kept in the configuration", hint="change the entry there")
        found = find(email)
        known.append(found and settings.as_now(found))
        return known[0]

    reader = parse_subscriber(given, settings.digest, look, inherit=inherit)
    chosen = reader.images if given.get("images") else None
    if problems := tuple(images(chosen, "images", archive_url=settings.mail.archive_url)):
        raise ConfigError(problems)
    if reason := missing([chosen]):
        raise DigestError(reason, hint=INSTALL)
    return known[0], reader


def enrol(
    settings: Settings, state: State, entries: Iterable[Entry], *, now: datetime, dry_run: bool = False
) -> Iterator[Enrolled]:
    """Take the readers of a list, as `digest subscribers add` takes one.

    Args:
        settings: defaults, and who is kept in the configuration.
        state: where they go.
        entries: of the list.
        now: when they join, aware.
        dry_run: write nothing; what is yielded says what would be.

    Yields:
        what became of each entry, in order; what is yielded is durable.

    Raises:
        StateError: the state cannot be written; of what was not yielded yet nothing is there.
    """
    list_ = _List(settings, state, now)
    rest = iter(entries)
    while some := tuple(islice(rest, _TOGETHER)):
        with nullcontext() if dry_run else state.transaction():
            done = list_.take(some, keep=not dry_run)
        yield from done


def changes(before: Subscriber, after: Subscriber) -> Iterator[str]:
    """`time 08:00 → 07:30` for each thing that is different, or whose word it is: theirs or [digest]'s."""
    for field in fields(after):
        if field.name in {"token", "inherits"}:
            continue
        old, new = getattr(before, field.name), getattr(after, field.name)
        was, inherited = field.name in before.inherits, field.name in after.inherits
        if old == new and was == inherited:
            continue
        change = f"{'time' if field.name == 'at' else field.name} {_shown(old)}"
        if old != new:
            change += f" → {_shown(new)}"
        if inherited and not was:
            change += ", as in [digest]"
        elif old == new:
            change += " also if [digest] changes"
        yield change


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:%H:%M}" if isinstance(value, time) else str(value) or "none"


class _List:
    """Remembers on which line somebody was."""

    def __init__(self, settings: Settings, state: State, now: datetime) -> None:
        self._settings = settings
        self._state = state
        self._now = now
        self._lines: dict[str, int] = {}

    def take(self, entries: Iterable[Entry], *, keep: bool) -> list[Enrolled]:
        likely = {str(entry.values.get("email", "")).strip().lower() for entry in entries}
        broken: dict[str, str] = {}
        found = self._state.subscribers.find(likely, unreadable=broken.__setitem__)
        known = {reader.email: reader for reader in found}
        pauses = self._state.subscribers.pauses(likely)

        def find(email: str) -> Subscriber | None:
            """Who is not found under what is written may be under what it means."""
            if email not in likely:
                pauses.update(self._state.subscribers.pauses([email]))
                found = self._state.subscribers.find([email], unreadable=broken.__setitem__)
                known.update((reader.email, reader) for reader in found)
            if email in broken:
                raise beyond_reading(email, broken[email])
            return known.get(email)

        return [self._take(entry, find, pauses, keep=keep) for entry in entries]

    def _take(
        self, entry: Entry, find: Callable[[str], Subscriber | None], pauses: Mapping[str, Any], *, keep: bool
    ) -> Enrolled:
        if entry.problem:
            return Enrolled(entry.line, "not taken", reason=entry.problem)
        try:
            before, reader = entered(entry.values, self._settings, find)
        except ConfigError as error:
            return Enrolled(entry.line, "not taken", reason="; ".join(map(_told, error.problems)))
        except DigestError as error:
            return Enrolled(entry.line, "not taken", reason=error.told)
        first = self._lines.setdefault(reader.email, entry.line)
        if first != entry.line:
            return Enrolled(entry.line, "not taken", reason=f"{reader.email} is on line {first:,} already")
        if keep and reader != before:
            self._state.subscribers.put(reader, now=self._now)
        done: Literal["new", "changed", "as before"] = "new"
        if before is not None:
            done = "as before" if reader == before else "changed"
        different = tuple(changes(before, reader)) if before else ()
        return Enrolled(entry.line, done, reader.email, pause_reason(reader, pauses, self._now), different)


def _told(problem: ConfigProblem) -> str:
    """`time = 25:00: this is not a time of day, write hours and minutes …`."""
    # lists have no positions in a cell
    key = problem.key.partition(".")[0]
    place = key if problem.value is None else f"{key} = {problem.value}"
    # what it must be says it all, and how TOML would spell it is no help
    hint = "" if problem.message.startswith("must be") else problem.hint
    return f"{place}: {problem.message}{f', {hint}' if hint else ''}"
