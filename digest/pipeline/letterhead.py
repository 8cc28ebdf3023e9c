"""What all mails of this installation have in common, from the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from digest import __version__
from digest.collect import KINDS
from digest.compose.letter import Letterhead
from digest.compose.render import Renderer

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.model import Source
    from digest.state.store import State


def letterhead(settings: Settings, state: State | None = None) -> Letterhead:
    """Sender, addresses, and the sources to thank; without a state, whose secret signs them, no links to answer by."""
    mail = settings.mail
    return Letterhead(
        from_address=mail.from_,
        reply_to=mail.reply_to or "",
        envelope_from=settings.envelope_from,
        base_url=mail.base_url,
        archive_url=mail.archive_url,
        has_feeds=settings.archive is not None and settings.archive.private,
        unsubscribe_mailto=settings.unsubscribe_mailto,
        user_agent=f"digest/{__version__}",
        credits=tuple(dict.fromkeys(map(_credit, settings.sources))),
        operator=mail.operator or "",
        feedback=mail.feedback if state and mail.feedback else "",
        secret=state.feedback.secret() if state and mail.feedback else "",
    )


def _credit(source: Source) -> tuple[str, str]:
    """Name and address of a source; an operator's own feed goes by the name it was given."""
    kind = KINDS[source.type]
    if kind.home:
        return kind.name, kind.home
    parts = urlsplit(source.url)
    return source.name, f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


def open_renderer(settings: Settings) -> Renderer:
    """The templates that apply, the operator's own in front."""
    return Renderer(settings.mail.templates, inliner=settings.mail.inliner)
