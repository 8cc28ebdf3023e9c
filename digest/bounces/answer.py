"""One mail that came in → what a reader says of a paper with it: bytes in, a value out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.answer import read
from digest.bounces.entity import one_line, read_entity

if TYPE_CHECKING:
    from digest.answer import Answer

#: characters of a subject that are read; ours are shorter than a thousand
_SUBJECT = 2_000


def read_answer(message: bytes) -> Answer | None:
    """The answer in a mail's subject, not yet checked; None if there is none, or if a program sent it (RFC 3834).

    Args:
        message: as it lies in the mailbox.
    """
    fields = read_entity(message).fields
    if fields.first("auto-submitted").lower() not in {"", "no"}:
        return None
    return read(one_line(fields.first("subject"), _SUBJECT))
