"""One mail that came in → what a reader says with it: bytes in, a value out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.answer import read
from digest.bounces.entity import read_entity, subject

if TYPE_CHECKING:
    from digest.answer import Answer


def read_answer(message: bytes) -> Answer | None:
    """The answer in a mail's subject, not yet checked; None if there is none, or if a program sent it (RFC 3834).

    Args:
        message: as it lies in the mailbox.
    """
    mail = read_entity(message)
    if mail.fields.first("auto-submitted").lower() not in {"", "no"}:
        return None
    return read(subject(mail))
