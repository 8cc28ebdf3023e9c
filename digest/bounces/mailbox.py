"""What a mailbox of returned mail is, wherever it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from types import TracebackType
    from typing import Self


#: of a flagged mail no more is read, as it comes again until somebody has seen it
FLAGGED_BYTES = 32_768


@dataclass(frozen=True, slots=True)
class Returned:
    """One mail that came back."""

    #: names it in its mailbox, for `Mailbox.done`
    name: str
    #: when the mailbox received it, aware
    arrived_at: datetime
    #: its first `entity.MAX_BYTES`, or `FLAGGED_BYTES`
    data: bytes
    #: it was `left`, or a person or another program has flagged it: then that it is there is no news
    is_flagged: bool = False


class Mailbox(Protocol):
    """Where returned mail lies. A mail is unread until it is `done`: after a crash before, it comes again.

    Everything raises `FetchError` if the mailbox cannot be used.
    """

    @property
    def place(self) -> str:
        """Where it is, for people; without user and password."""
        ...

    def __enter__(self) -> Self:
        """Open it."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        ...

    def unread(self) -> Iterator[Returned]:
        """What is unread when this is called, flagged or not, the oldest first, one in memory at a time."""
        ...

    def done(self, name: str) -> None:
        """What this mail says is durable elsewhere: mark it as read. Nothing happens if it is gone by now."""
        ...

    def leave(self, name: str) -> None:
        """A person should read this mail: flag it, and leave it unread where it is. Nothing happens if it is gone."""
        ...

    def left(self) -> int:
        """How many mails are flagged and still unread."""
        ...
