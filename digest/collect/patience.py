"""How long a server asks to be left alone: headers go in, seconds come out. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*", re.ASCII)
_SECONDS_OR_MOMENT = re.compile(r"\s*(\d{1,12})\s*", re.ASCII)
#: `RateLimit: "api";r=0;t=123` (draft-ietf-httpapi-ratelimit-headers; sent by Hugging Face)
_EXHAUSTED = re.compile(r";\s*r=0\s*;\s*t=(\d{1,9})\b", re.ASCII)
#: a year; a date in the year 9999 could not be reckoned with any further
_MAX_S = 366 * 86_400.0


def wait_asked(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from now, 0 to a year, during which the server does not want to be asked; None if it does not say.

    Args:
        headers: of an answer with status 403, 429 or 5xx; looked up as `Retry-After` (RFC 9110 §10.2.3: seconds or a
            date), `RateLimit`, `X-RateLimit-Remaining`, `X-RateLimit-Reset` and `Date`.
        now: aware; used if the server does not say what time it is there.

    >>> wait_asked({"Retry-After": "90"}, datetime(2026, 9, 15, 6, 0, tzinfo=UTC))
    90.0
    >>> wait_asked({"Retry-After": "Tue, 15 Sep 2026 06:01:00 GMT"}, datetime(2026, 9, 15, 6, 0, tzinfo=UTC))
    60.0
    """
    return _bounded(_retry_after(headers, now), _until_reset(headers, now))


def wait_spent(headers: Mapping[str, str], now: datetime) -> float | None:
    """The same of an answer with any status: how long there is nothing left of what the server grants; or None."""
    return _bounded(_until_reset(headers, now))


def _bounded(*waits_s: float | None) -> float | None:
    """The first that was said."""
    return next((min(max(0.0, wait_s), _MAX_S) for wait_s in waits_s if wait_s is not None), None)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    retry_after = headers.get("Retry-After", "")
    if seconds := _SECONDS.fullmatch(retry_after):
        return float(seconds[1])
    if moment := _http_date(retry_after):
        return (moment - (_http_date(headers.get("Date", "")) or now)).total_seconds()
    return None


def _until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    if exhausted := _EXHAUSTED.search(headers.get("RateLimit", "")):
        return float(exhausted[1])
    if headers.get("X-RateLimit-Remaining", "").strip() != "0":
        return None
    # GitHub's is a moment, in seconds since 1970; others say how many seconds from now
    reset = _SECONDS_OR_MOMENT.fullmatch(headers.get("X-RateLimit-Reset", ""))
    if reset is None:
        return None
    seconds = float(reset[1])
    here = _http_date(headers.get("Date", "")) or now
    return seconds if seconds < _MAX_S else seconds - here.timestamp()


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None
