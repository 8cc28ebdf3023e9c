"""How fast mail may go: rates, and holding back from a domain that says "slower". Pure: moments come as arguments.

    Rate        "500/hour"
    Pace        evenly spaced mails at a rate
    Throttle    a pace per recipient domain, and the pause a domain gets that turned us away for now

All moments are aware; any time zone. If the clock is set back, nobody waits for longer than one interval or pause from
then on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import idna

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digest.model import Receipt

#: how long a domain is left alone after it turned us away for the first time: Postfix's minimal_backoff_time
#: (https://www.postfix.org/postconf.5.html#minimal_backoff_time), as long as it stays away from a site it calls dead
FIRST_PAUSE = timedelta(minutes=5)
#: the pause doubles with every further refusal, up to this: RFC 5321 §4.5.4.1, "one every two or three hours"
LONGEST_PAUSE = timedelta(hours=3)

_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_RATE = re.compile(r"([1-9][0-9]{0,8}) ?/ ?(second|minute|hour|day)")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many mails in so much time, evenly spaced."""

    #: from 1
    mails: int
    per: timedelta

    @property
    def interval(self) -> timedelta:
        """From one mail to the next."""
        return self.per / self.mails

    @classmethod
    def parse(cls, text: str) -> Rate:
        """A rate as it is typed.

        Raises:
            ValueError: it is none.

        >>> Rate.parse("600/minute").interval
        datetime.timedelta(microseconds=100000)
        """
        found = _RATE.fullmatch(text.strip().lower())
        if found is None:
            raise ValueError(f"{text!r} is no rate")
        return cls(int(found[1]), timedelta(seconds=_PERIODS[found[2]]))


class Pace:
    """Mails at a rate, no two closer together than its interval: what one missed is not caught up in a burst."""

    def __init__(self, rate: Rate | None) -> None:
        self._interval = rate.interval if rate else timedelta(0)
        self._next: datetime | None = None

    def ready_at(self, now: datetime) -> datetime:
        """The earliest moment for the next mail, `now` or later."""
        if self._next is None:
            return now
        # farther away only if the clock was set back
        self._next = min(self._next, now + self._interval)
        return max(self._next, now)

    def taken(self, now: datetime) -> None:
        """A mail goes out at `now`."""
        if self._interval:
            self._next = now + self._interval


@dataclass(slots=True)
class _Pause:
    until: datetime
    length: timedelta
    why: str


class Throttle:
    """When the next mail to a domain may go out. To be asked before a mail is claimed.

    Args:
        rates: recipient domain → rate; `*` is for each domain that is not named. Empty: no limits, and yet pauses.
    """

    def __init__(self, rates: Mapping[str, Rate]) -> None:
        self._rates = {domain if domain == "*" else _canonical(domain): rate for domain, rate in rates.items()}
        self._paces: dict[str, Pace] = {}
        self._pauses: dict[str, _Pause] = {}

    def ready_at(self, domain: str, now: datetime) -> datetime:
        """The earliest moment for the next mail to `domain`, `now` or later."""
        name = _canonical(domain)
        moment = self._pace(name).ready_at(now)
        pause = self._pause(name, now)
        return max(moment, pause.until) if pause else moment

    def taken(self, domain: str, now: datetime) -> None:
        """A mail to `domain` goes out at `now`."""
        self._pace(_canonical(domain)).taken(now)

    def answered(self, domain: str, receipt: Receipt) -> None:
        """What became of a mail to `domain`.

        Being told to slow down begins a pause, or a longer one after the last; a delivery after it ends the series.
        Mails that were on their way when the pause began change nothing.
        """
        name = _canonical(domain)
        pause = self._pause(name, receipt.at)
        if pause and receipt.at < pause.until:
            return
        if receipt.outcome == "delivered":
            self._pauses.pop(name, None)
        elif receipt.slow_down:
            length = min(pause.length * 2, LONGEST_PAUSE) if pause else FIRST_PAUSE
            self._pauses[name] = _Pause(receipt.at + length, length, receipt.text)

    def backing_off(self, domain: str, now: datetime) -> tuple[datetime, str] | None:
        """Until when `domain` is left alone, and what it said; None if it is not."""
        pause = self._pause(_canonical(domain), now)
        return (pause.until, pause.why) if pause and now < pause.until else None

    def _pause(self, name: str, now: datetime) -> _Pause | None:
        pause = self._pauses.get(name)
        if pause is not None:
            # farther away only if the clock was set back
            pause.until = min(pause.until, now + pause.length)
        return pause

    def _pace(self, name: str) -> Pace:
        if name not in self._paces:
            self._paces[name] = Pace(self._rates.get(name, self._rates.get("*")))
        return self._paces[name]


@lru_cache(maxsize=4096)
def _canonical(domain: str) -> str:
    """One spelling of each domain: lower case, other scripts as xn--… (RFC 5890); what is no domain stays itself.

    Python's own codec is of IDNA 2003, for which straße.de is strasse.de: another domain since 2010.
    """
    lower = domain.lower().rstrip(".")
    try:
        return lower if lower.isascii() else idna.encode(lower, uts46=True).decode("ascii")
    except UnicodeError:
        return lower
