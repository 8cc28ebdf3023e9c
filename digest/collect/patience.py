"""How long a server asks to be left alone: headers go in, seconds come out. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*", re.ASCII)
#: `RateLimit: "api";r=0;t=123` (draft-ietf-httpapi-ratelimit-headers; sent by Hugging Face)
_EXHAUSTED = re.compile(r";\s*r=0\s*;\s*t=(\d{1,9})\b", re.ASCII)
#: a year; a date in the year 9999 could not be reckoned with any further
_MAX_S = 366 * 86_400.0


def wait_asked(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from now, 0 to a year, during which the server does not want to be asked; None if it does not say.

    Args:
        headers: of an answer with status 429 or 5xx; looked up as `Retry-After` (RFC 9110 §10.2.3: seconds or a date),
            `RateLimit` and `Date`.
        now: aware; used if the server does not say what time it is there.

    >>> wait_asked({"Retry-After": "90"}, datetime(2026, 9, 15, 6, 0, tzinfo=UTC))
    90.0
    >>> wait_asked({"Retry-After": "Tue, 15 Sep 2026 06:01:00 GMT"}, datetime(2026, 9, 15, 6, 0, tzinfo=UTC))
    60.0
    """
    wait_s = _wait_said(headers, now)
    return None if wait_s is None else min(max(0.0, wait_s), _MAX_S)


def _wait_said(headers: Mapping[str, str], now: datetime) -> float | None:
    retry_after = headers.get("Retry-After", "")
    if seconds := _SECONDS.fullmatch(retry_after):
        return float(seconds[1])
    if moment := _http_date(retry_after):
        return (moment - (_http_date(headers.get("Date", "")) or now)).total_seconds()
    if exhausted := _EXHAUSTED.search(headers.get("RateLimit", "")):
        return float(exhausted[1])
    return None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError):
        return None
