"""Mail goes to a folder: in goes a `Mail`, out comes a `Receipt`, and an `.eml` file is in the Maildir.

The format is D. J. Bernstein's (https://cr.yp.to/proto/maildir.html): written and synced in `tmp`, moved to `new` in
one step, so that a reader or a crash never meets half a mail. The bytes are stored as composed, CRLF and all: what
can be looked at here is what would have gone over the wire.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from digest.errors import DeliveryError
from digest.model import Receipt
from digest.strangers import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from digest.deliver.outbox import Outbox
    from digest.model import Mail

#: characters of a recipient that may stand in a file name; `:` separates the flags of a Maildir, `/` folders
_UNFIT = re.compile(r"[^A-Za-z0-9@._+-]+")


class Maildir:
    """Stores mails in a Maildir, with the interface of `Smtp`.

    Entering creates the folder (mode 0700), and raises `DeliveryError` if it cannot be. Delivering the same mail
    (same recipient and Message-ID) again replaces the file, also if a mail reader has moved it to `cur` before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        #: file name without flags → path, of the mails that a mail reader has looked at before we began
        self._looked_at: dict[str, Path] = {}

    async def __aenter__(self) -> Self:
        try:
            self._looked_at = await asyncio.to_thread(_prepare, self._path)
        except OSError as error:
            raise DeliveryError(
                str(self._path),
                "maildir",
                error.strerror or str(error),
                hint="name a folder that this user may create or write to",
            ) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left open between mails."""

    async def deliver_all(self, outbox: Outbox, *, now: Callable[[], datetime]) -> str:
        """Store every mail of the outbox; what happens to it is in its receipt, nothing is raised for it.

        A receipt says `delivered` once the file is durable under its final name, `deferred` if the folder cannot take
        it; it is kept before the next mail is taken.

        Returns:
            nothing: the outbox is always emptied.

        Raises:
            StateError: a receipt could not be kept.
        """
        while (mail := await outbox.take()) is not None:
            await outbox.settle(mail, await self._stored(mail, now))
        return ""

    async def _stored(self, mail: Mail, now: Callable[[], datetime]) -> Receipt:
        name = file_name(mail)
        target = self._looked_at.get(name, self._path / "new" / name)
        try:
            await asyncio.to_thread(_store, mail.data, self._path / "tmp" / name, target)
        except OSError as error:
            reason = one_line(error.strerror or str(error))
            return Receipt("deferred", None, f"cannot write {target}: {reason}", now(), str(self._path))
        return Receipt("delivered", None, f"stored as {target}", now(), str(self._path))


def file_name(mail: Mail) -> str:
    """The mail's name in the folder: the reader to look for, and a hash that only the same mail has again."""
    reader = _UNFIT.sub("_", mail.recipient).strip(".")[:64]
    identity = hashlib.sha256(f"{mail.recipient}\n{mail.message_id}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{reader or 'mail'}.{identity[:20]}.eml"


def _prepare(path: Path) -> dict[str, Path]:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for part in ("tmp", "new", "cur"):
        (path / part).mkdir(mode=0o700, exist_ok=True)
    return {file.name.partition(":")[0]: file for file in (path / "cur").iterdir()}


def _store(data: bytes, temporary: Path, target: Path) -> None:
    """Write `data` to `target` so that it is there whole or not at all, even after a power cut."""
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable as well as the bytes (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
