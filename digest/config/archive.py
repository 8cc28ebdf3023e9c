"""The keys of `[archive]`; see `schema`."""

from __future__ import annotations

from pydantic import StrictBool

from digest.config.section import File, Section


class ArchiveSection(Section):
    """Where `digest run` writes the archive after each pull. Without this table, `digest archive DIR` does."""

    path: File | None = None
    """Folder; new or empty at first. Needed."""
    private: StrictBool = False
    """Also each reader's own feed and lists; with mail.archive_url, mails name the feed's address."""
