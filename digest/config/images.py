"""Mistakes in the choice of pictures: the package and the address that they cannot do without."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from digest.errors import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.model import Images


def images(chosen: Images | None, key: str, *, archive_url: str) -> Iterator[ConfigProblem]:
    """What speaks against a choice of pictures.

    Args:
        chosen: None: nothing was.
        key: where, dotted.
        archive_url: the key of this name under [mail].
    """
    if chosen in {"linked", "embedded"} and find_spec("PIL") is None:
        hint = "install it with: pip install 'paper-digest[images]', or write \"none\""
        yield ConfigProblem(key, "pictures need the package Pillow, which is not installed", hint, chosen)
    if chosen == "linked" and not archive_url:
        message = "linked pictures lie in the archive, and mail.archive_url does not say where that is"
        hint = 'add archive_url = "https://papers.example.org" under [mail], or write "embedded"'
        yield ConfigProblem(key, message, hint, chosen)
