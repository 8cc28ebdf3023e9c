"""What all mails of this installation have in common, from the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from digest import __version__
from digest.collect import KINDS
from digest.compose.letter import Letterhead
from digest.compose.render import Renderer, packaged
from digest.config.values import closest

if TYPE_CHECKING:
    from pathlib import Path

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


def useless_templates(folder: Path) -> dict[str, str]:
    """Files of an operator's own folder that replace none of ours and that no other file there names.

    Returns:
        by path from the folder, in order: the template of ours that was probably meant; empty if none is like it.
        Hidden files, and what editors keep beside files (`digest.html~`), are nobody's mistake.
    """
    ours = [path.relative_to(packaged()).as_posix() for path in (packaged() / "mail").iterdir()]
    texts = {
        path.relative_to(folder).as_posix(): _text(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("~") and not _is_hidden(path.relative_to(folder))
    }
    return {
        name: closest(name, ours)
        for name in texts
        if name not in ours and not any(name in text for other, text in texts.items() if other != name)
    }


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _text(path: Path) -> str:
    """Empty if the file cannot be read: if it is a template, the check of the templates says so."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
