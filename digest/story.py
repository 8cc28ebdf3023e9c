"""What happened, in plain sentences: stored verdicts in, days with lines out. Pure.

`digest why` prints it. Silence has reasons too: a day on which nothing ran, a day the subscriber did not choose,
a send that never came after their hour.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest.due import due

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from digest.model import Subscriber, Verdict

#: what a send finds about a subscriber is kept again only if it is new, or was kept this long before
REPEAT_AFTER = timedelta(hours=12)
#: how many of the mails that wait for one and the same reason are named
_NAMED = 3
#: subscriber findings in the order in which a day's tally names them
_TALLY = {
    "sent": "sent",
    "done": "sent before",
    "quiet": "quiet (nothing matched)",
    "all_seen": "quiet (all seen before)",
    "deferred": "deferred",
    "in_doubt": "in doubt",
    "refused": "refused",
    "expired": "given up",
    "paused": "paused",
    "unreadable": "cannot be read",
    "planned": "planned and not sent",
}


@dataclass(frozen=True, slots=True)
class Day:
    """One day's story."""

    day: date
    #: sentences without full stops, in reading order: sources first, then subscribers; never empty
    lines: tuple[str, ...]
    #: True if any of them asks for somebody's attention
    trouble: bool = False


def tell(
    verdicts: Iterable[Verdict],
    *,
    now: datetime,
    days: int,
    reader: Subscriber | None = None,
    paused: str = "",
    joined: datetime | None = None,
    sends: Sequence[datetime] = (),
) -> tuple[Day, ...]:
    """The story of the last `days` days, today included, oldest first.

    Args:
        verdicts: in any order; those older than the window only tell what was found again in it.
        now: aware; the end of the story.
        days: at least 1.
        reader: whose story; days are then theirs (local), else everybody's in UTC days.
        paused: reason of a recorded pause of `reader`, empty if there is none.
        joined: when `reader` did; None: not known, as of all in the configuration.
        sends: when the sends of these days began, oldest first.
    """
    zone: tzinfo = ZoneInfo(reader.timezone) if reader else UTC
    today = now.astimezone(zone).date()
    by_day: dict[date, list[Verdict]] = {}
    in_order = sorted(verdicts, key=lambda v: v.at)
    for verdict in in_order:
        by_day.setdefault(verdict.at.astimezone(zone).date(), []).append(verdict)
    window = [today - timedelta(days=back) for back in reversed(range(days))]
    first = joined.astimezone(zone).date() if joined else date.min
    told = []
    for day in window:
        start = datetime.combine(day, reader.at if reader else time.min, tzinfo=zone)
        end = min(_end_of(day, zone), now)
        ran = [at for at in sends if start <= at <= end]
        repeated = _repeated(in_order, reader, ran) if reader and ran else ""
        told.append(_day(day, by_day.get(day, []), reader, end, paused, first, ran, repeated))
    return tuple(told)


def _repeated(verdicts: Sequence[Verdict], reader: Subscriber, sends: Sequence[datetime]) -> str:
    """What had been said of a reader when a send found it again and so did not keep it; empty: nothing."""
    # what was sent is always kept
    said = [v for v in verdicts if v.scope == "subscriber" and v.name == reader.email and v.finding != "sent"]
    return next((v.sentence for v in reversed(said) if any(v.at <= at <= v.at + REPEAT_AFTER for at in sends)), "")


def shortened(verdicts: Iterable[Verdict]) -> tuple[tuple[Verdict, ...], tuple[str, ...]]:
    """Those worth a line each, in their order, and a sentence on all others, if there are any.

    A relay that is down keeps back everybody's mail for one reason: a few of them are named, the rest is counted.
    """
    reasons: Counter[str] = Counter()
    named = []
    for verdict in verdicts:
        reason = verdict.sentence.removeprefix(f"{verdict.name}: ")
        reasons[reason] += verdict.finding == "deferred"
        if reasons[reason] <= _NAMED:
            named.append(verdict)
    more = sum(count - _NAMED for count in reasons.values() if count > _NAMED)
    told = f"{more:,} more {'waits' if more == 1 else 'wait'} for the same reason"
    return tuple(named), (told,) if more else ()


def _day(
    day: date,
    verdicts: Sequence[Verdict],
    reader: Subscriber | None,
    end: datetime,
    paused: str,
    first: date,
    sends: Sequence[datetime],
    repeated: str,
) -> Day:
    """Args: `end`: of the day, or now; `sends`: since the hour of `reader`; `repeated`: what they found again."""
    sources = [v for v in verdicts if v.scope == "source"]
    lines = _sources(sources) or ["No pull ran: nothing was fetched"]
    if reader is None:
        lines += _everybody([v for v in verdicts if v.scope == "subscriber"], sends)
        lines += [v.sentence for v in _last_words(verdicts) if v.scope in {"archive", "github"}]
    else:
        own = [v for v in verdicts if v.scope == "subscriber" and v.name == reader.email]
        if own or day >= first:
            lines += _one_reader(own, reader, end, paused, sends, repeated)
        else:
            lines.append(f"No digest for {reader.email}, who joined on {first}")
    return Day(day, tuple(lines), any(v.trouble for v in _last_words(verdicts)))


def _end_of(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=zone) - timedelta(seconds=1)


def _last_words(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The last verdict about each source and subscriber, in the order of first mention."""
    last: dict[tuple[str, str], Verdict] = {}
    for verdict in verdicts:
        last[verdict.scope, verdict.name] = verdict
    return list(last.values())


def _sources(verdicts: Sequence[Verdict]) -> list[str]:
    """A sentence per source: what its fresh pulls brought that day, then its last word if that was trouble."""
    lines = []
    for last in _last_words(verdicts):
        fresh = [v for v in verdicts if v.name == last.name and v.finding == "fresh"]
        if len(fresh) > 1:
            new = sum(v.counts.get("new", 0) for v in fresh)
            lines.append(f"{last.name}: {new} new papers in {len(fresh)} pulls; the last: {fresh[-1].sentence}")
        elif fresh:
            lines.append(fresh[0].sentence)
        if not fresh or (last.trouble and last is not fresh[-1]):
            lines.append(last.sentence)
    return lines


def _everybody(verdicts: Sequence[Verdict], sends: Sequence[datetime]) -> list[str]:
    if not verdicts:
        return [f"No digest was due, or {'all was as said the day before' if sends else 'no send ran'}"]
    last = _last_words(verdicts)
    tally = _tally(v.finding for v in last)
    named, more = shortened(v for v in last if v.trouble)
    return [f"Subscribers: {tally}", *(v.sentence for v in named), *more]


def _tally(findings: Iterable[str]) -> str:
    counts: Mapping[str, int] = Counter(findings)
    return ", ".join(f"{counts[finding]} {words}" for finding, words in _TALLY.items() if counts.get(finding))


def _one_reader(
    own: Sequence[Verdict],
    reader: Subscriber,
    moment: datetime,
    paused: str,
    sends: Sequence[datetime],
    repeated: str,
) -> list[str]:
    if own:
        return list(dict.fromkeys(v.sentence for v in own))
    answer = due(reader, moment, paused=paused)
    if answer.not_yet:
        return [f"No digest for {reader.email}: {answer.not_yet}"]
    if repeated:
        return [repeated]
    what = "but no send ran since"
    if sends:
        what = f"and the send of {sends[-1].astimezone(ZoneInfo(reader.timezone)):%H:%M} left no word on it"
    return [f"No digest for {reader.email}: it was due at {reader.at:%H:%M} {reader.timezone}, {what}"]
