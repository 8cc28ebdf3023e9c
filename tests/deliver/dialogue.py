"""Talking to the server of a test."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from digest.deliver.outbox import deliver_one
from digest.deliver.settings import SmtpSettings
from digest.deliver.smtp import Smtp
from digest.errors import DeliveryError
from tests.makers import NOW

if TYPE_CHECKING:
    from datetime import datetime

    from digest.model import Mail, Receipt
    from tests.smtp_server import SmtpServer


#: of the user `ada`
PASSWORD = "correct horse"


def now() -> datetime:
    return NOW


def to(server: SmtpServer, **fields: Any) -> SmtpSettings:
    """Settings that reach the server, in plain text unless `fields` say otherwise."""
    values: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout_s": 5.0}
    return SmtpSettings(**(values | {"answer_timeout_s": 5.0} | fields))


def send(settings: SmtpSettings, *mails: Mail) -> list[Receipt]:
    """All over one `Smtp`."""

    async def work() -> list[Receipt]:
        async with Smtp(settings) as smtp:
            return [await deliver_one(smtp, m, now=now) for m in mails]

    return asyncio.run(work())


def failure(settings: SmtpSettings) -> DeliveryError:
    """The error that entering raises."""

    async def enter() -> None:
        async with Smtp(settings):
            pass

    with pytest.raises(DeliveryError) as caught:
        asyncio.run(enter())
    return caught.value


def told(settings: SmtpSettings) -> tuple[str, str, str, int | None]:
    """Its stage, reason, hint and code."""
    error = failure(settings)
    assert error.relay == settings.relay
    return error.stage, error.reason, error.hint, error.code
