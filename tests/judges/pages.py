"""The pages of an archive that outside judges look at: one of each kind, hostile, empty and translated ones too."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from typing import TYPE_CHECKING

from digest.languages.language import language
from digest.pipeline.archive import Archive
from digest.publish.feeds import Address
from digest.publish.names import paper_path
from digest.state.store import open_state
from tests.makers import NOW, TODAY
from tests.publish.cases import HOSTILE, USUAL, WORLD, fill

if TYPE_CHECKING:
    from pathlib import Path

#: name → page of the archive
_PAGES = {
    "edition": "2026-09-15/index.html",
    "empty day": "2026-09-16/index.html",
    "paper": paper_path(USUAL.key),
    "hostile paper": paper_path(HOSTILE.key),
    "paper of the world": paper_path(WORLD.key),
    "month": "2026-09/index.html",
    "year": "2026/index.html",
    "search": "search/index.html",
    "search in vain": "search/index.html",
    "German day": "de/2026-09-15/index.html",
    "German year": "de/2026/index.html",
    "Chinese paper": f"zh/{paper_path(USUAL.key)}",
}
#: what was typed into the search
HASHES = {"search": "expert sleep", "search in vain": "zebra"}


def written(folder: Path) -> list[Path]:
    """Write an archive; the pages to look at, each beside the page it is a copy of, so that its links are right."""
    shutil.rmtree(folder, ignore_errors=True)
    tomorrow = TODAY + timedelta(days=1)
    with tempfile.TemporaryDirectory() as name, open_state(f"sqlite:///{name}/state.sqlite3", now=NOW) as state:
        fill(state)
        for code, site in {"en": folder, "de": folder / "de", "zh": folder / "zh"}.items():
            spoken = language(code)
            Archive(state, site, Address("lab.example"), today=tomorrow, since=None, language=spoken).write(
                lambda: None
            )
    pages = []
    for name, path in _PAGES.items():
        page = (folder / path).with_name(f"{name}.html")
        shutil.copyfile(folder / path, page)
        pages.append(page)
    return pages
