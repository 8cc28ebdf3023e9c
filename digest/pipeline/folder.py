"""A folder that others read while it is written: each file is the old one or the new one, never half of one."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_HINT = "name a folder that you may write to, on a disk with space"


class Folder:
    """The folder, made if need be, and how many files were written into it.

    Attributes:
        written: files that are new or changed.
        files: all that were to be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.written = self.files = 0

    def has(self, name: str) -> bool:
        """Whether there is a file of this name, a path from the folder, with anything in it.

        A power cut may leave an empty one.
        """
        path = self._path / name
        try:
            return path.stat().st_size > 0
        except OSError:
            return False

    def read(self, name: str, most: int = -1) -> bytes:
        """The contents of a file, or its first `most` bytes; empty if there is none that can be read."""
        try:
            with (self._path / name).open("rb") as file:
                return file.read(most)
        except OSError:
            return b""

    def names(self, folder: str) -> set[str]:
        """What is in a folder of this one, hidden files left out; nothing if there is no such folder."""
        try:
            with os.scandir(self._path / folder) as found:
                return {entry.name for entry in found if not entry.name.startswith(".")}
        except OSError:
            return set()

    def put(self, name: str, content: bytes) -> None:
        """Write a file if its content is another than before, and count it. Raises DigestError, see `write`."""
        self.files += 1
        self.written += self.write(name, content)

    def write(self, name: str, content: bytes) -> bool:
        """Write a file if its content is another than before; whether it was.

        Raises:
            DigestError: it cannot be written; what was there is untouched.
        """
        path = self._path / name
        new = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            if _same(path, content):
                return False
            try:
                new.write_bytes(content)
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                new.write_bytes(content)
            new.replace(path)
        except OSError as error:
            with suppress(OSError):
                new.unlink()
            raise DigestError(f"{path}: {error.strerror}", hint=_HINT) from error
        return True

    def drop(self, folder: str, names: Iterable[str]) -> None:
        """Remove these files of a folder, and the folder if it is empty then.

        Raises:
            DigestError: one cannot be removed.
        """
        path = self._path / folder
        try:
            for name in names:
                (path / name).unlink(missing_ok=True)
        except OSError as error:
            raise DigestError(f"{path}: {error.strerror}", hint=_HINT) from error
        with suppress(OSError):
            path.rmdir()

    def drop_others(self, pattern: str, kept: set[str]) -> None:
        """Remove the files of a pattern (a glob from the folder) whose paths are not kept.

        Raises:
            DigestError: one cannot be removed.
        """
        for path in self._path.glob(pattern):
            if path.relative_to(self._path).as_posix() not in kept:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise DigestError(f"{path}: {error.strerror}", hint=_HINT) from error


def _same(path: Path, content: bytes) -> bool:
    """Whether the file holds this already; looked at only if its size is right."""
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False
