"""What the choice of pictures cannot do without: an address, and a package."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from digest.errors import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from digest.model import Images

#: what to type if the package is missing
INSTALL = "type: pip install 'paper-digest[images]'"


def images(chosen: Images | None, key: str, *, archive_url: str) -> Iterator[ConfigProblem]:
    """What speaks against a choice of pictures, other than that Pillow is missing: see `missing`.

    Args:
        chosen: None: nothing was.
        key: where, dotted.
        archive_url: the key of this name under [mail].
    """
    if chosen == "linked" and not archive_url:
        message = "linked pictures lie in the archive, and mail.archive_url does not say where that is"
        hint = 'add archive_url = "https://papers.example.org" under [mail], or write "embedded"'
        yield ConfigProblem(key, message, hint, chosen)


def missing(chosen: Iterable[Images | None]) -> str:
    """What is missing for these choices, a sentence without a full stop; empty if nothing is missing.

    No mistake of a configuration that worked until an upgrade forgot the package: mails go out without pictures.
    """
    if {"linked", "embedded"}.isdisjoint(chosen) or find_spec("PIL"):
        return ""
    return "pictures need the package Pillow, which is not installed"
