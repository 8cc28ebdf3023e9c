"""Fetching from the test server without waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from digest.collect import collect
from digest.collect.http import Http, HttpPolicy, Response, Traffic
from tests.makers import NOW

if TYPE_CHECKING:
    from datetime import datetime

    from digest.model import Batch, Source, SourceMemory, Validators


def policy(**fields: Any) -> HttpPolicy:
    """Manners for the loopback: no pauses to speak of."""
    values: dict[str, Any] = {
        "contact": "admin@example.org",
        "allow_private_hosts": ("127.0.0.1",),
        "interval_s": 0.0,
        "intervals": {},
        "backoff_s": 0.001,
        "attempts": 3,
        "timeout_s": 5.0,
    }
    return HttpPolicy(**(values | fields))


def get(
    url: str,
    *,
    validators: Validators | None = None,
    traffic: Traffic | None = None,
    left_s: float = 60.0,
    **fields: Any,
) -> Response:
    """One request; `fields` are of the policy."""

    async def one() -> Response:
        async with Http(policy(**fields), now=NOW) as http:
            deadline = asyncio.get_running_loop().time() + left_s
            return await http.get(url, deadline=deadline, traffic=traffic or Traffic(), validators=validators)

    return asyncio.run(one())


def pull(
    *sources: Source, memories: dict[str, SourceMemory] | None = None, now: datetime = NOW, **fields: Any
) -> tuple[Batch, ...]:
    """One pull; `fields` are of the policy."""
    return asyncio.run(collect(sources, memories or {}, policy(**fields), now=now))
