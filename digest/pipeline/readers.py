"""Everybody who may get mail, and why somebody does not although they are on the list."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from digest.config import Settings
    from digest.model import Subscriber
    from digest.state.store import State
    from digest.state.subscribers import Pause


def subscribers(settings: Settings, state: State) -> tuple[Subscriber, ...]:
    """Everybody: those of the configuration, then those who joined at run time; the configuration wins."""
    configured = {reader.email: reader for reader in settings.subscribers}
    joined = {reader.email: reader for reader in state.subscribers.all()}
    return tuple((joined | configured).values())


def pause_reason(reader: Subscriber, pauses: Mapping[str, Pause], now: datetime) -> str:
    """Why the subscriber gets no mail today although the configuration says so; empty: no recorded pause applies."""
    pause = pauses.get(reader.email)
    if pause is None:
        return ""
    if pause.until is None:
        return f"paused: {pause.reason}"
    today = now.astimezone(ZoneInfo(reader.timezone)).date()
    return f"paused until {pause.until}: {pause.reason}" if today < pause.until else ""
