"""What a mailbox of returned mail is, wherever it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from types import TracebackType
    from typing import Self


@dataclass(frozen=True, slots=True)
class Returned:
    """One mail that came back."""

    #: names it in its mailbox, for `Mailbox.done`
    name: str
    #: when the mailbox received it, aware
    arrived_at: datetime
    #: its first `entity.MAX_BYTES`
    data: bytes


class Mailbox(Protocol):
    """Where returned mail lies. A mail is unread until it is `done`: after a crash in between it comes again.

    Everything raises `FetchError` if the mailbox cannot be used.
    """

    def __enter__(self) -> Self:
        """Open it."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        ...

    def unread(self) -> Iterator[Returned]:
        """What is unread when this is called, the oldest first, one in memory at a time."""
        ...

    def done(self, name: str) -> None:
        """What this mail says is durable elsewhere: mark it as read. Nothing happens if it is gone by now."""
        ...
