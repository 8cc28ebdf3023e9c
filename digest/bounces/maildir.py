"""A Maildir (https://cr.yp.to/proto/maildir.html) as mailbox, such as Postfix's virtual(8) or local(8) fills.

Read is what mail readers call seen: a mail that is done moves to `cur` with the flag S, and is never deleted.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from digest.bounces.entity import MAX_BYTES
from digest.bounces.mailbox import FLAGGED_BYTES, Returned
from digest.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self


class MaildirMailbox:
    """The mails in a folder that has `new` and `cur`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        if not ((self._path / "new").is_dir() and (self._path / "cur").is_dir()):
            hint = "name the folder of the mailbox that has “new” and “cur” in it"
            raise FetchError(str(self._path), "this is no Maildir", hint=hint)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left open between mails."""

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._path)

    def unread(self) -> Iterator[Returned]:
        """The mails that nobody has marked as seen; their arrival is the time of the file."""
        try:
            found = sorted((path.stat().st_mtime, path) for path in self._unseen())
        except OSError as error:
            raise self._trouble(error) from error
        for modified, path in found:
            with suppress(FileNotFoundError):  # another program has moved it
                name, is_flagged = f"{path.parent.name}/{path.name}", "F" in _flags(path.name)
                data = self._read(path, FLAGGED_BYTES if is_flagged else MAX_BYTES)
                yield Returned(name, datetime.fromtimestamp(modified, UTC), data, is_flagged)

    def done(self, name: str) -> None:
        """Move the mail to `cur` with the flag S, its other flags kept."""
        self._mark(name, "S")

    def leave(self, name: str) -> None:
        """Move the mail to `cur` with the flag F: there, without S, it is unread to every program."""
        self._mark(name, "F")

    def left(self) -> int:
        """The mails with the flag F and without S."""
        try:
            return sum("F" in _flags(path.name) for path in self._unseen())
        except OSError as error:
            raise self._trouble(error) from error

    def _mark(self, name: str, flag: str) -> None:
        base, _, _ = Path(name).name.partition(":2,")
        target = self._path / "cur" / f"{base}:2,{''.join(sorted({*_flags(name), flag}))}"
        try:
            with suppress(FileNotFoundError):
                (self._path / name).rename(target)
        except OSError as error:
            raise self._trouble(error) from error

    def _unseen(self) -> Iterator[Path]:
        for path in [*(self._path / "new").iterdir(), *(self._path / "cur").iterdir()]:
            seen = "S" in _flags(path.name)
            if not (seen or path.name.startswith(".") or path.is_symlink()) and path.is_file():
                yield path

    def _read(self, path: Path, size: int) -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(size)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: OSError) -> FetchError:
        place = str(error.filename or self._path)
        reason = error.strerror or str(error)
        return FetchError(place, reason, hint="give the user that runs digest read and write access to the mailbox")


def _flags(name: str) -> str:
    """What stands behind `:2,` in a file's name."""
    return name.partition(":2,")[2]
