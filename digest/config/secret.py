"""Secrets: keys that may also stand in a file of their own, which `<key>_file` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.errors import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.config.section import Section

#: table with a secret → the key of it
SECRETS = {"smtp": "password", "bounces": "password", "github": "token", "llm": "api_key"}


def given_twice(section: Section, place: str, key: str) -> Iterator[ConfigProblem]:
    """The mistake that a secret is given both as a key and in a file; `place` is the section's dotted key."""
    if getattr(section, key) is not None and getattr(section, f"{key}_file") is not None:
        message = f"{key} and {key}_file are both there, and only one can be right"
        yield ConfigProblem(f"{place}.{key}_file", message, f"keep {key}_file and remove {key}")
