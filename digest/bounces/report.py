"""One mail that came back → its bounces: bytes in, values out. Pure.

Understood are delivery status notifications (RFC 3464, RFC 6533), which Postfix, Exim, Gmail and Exchange send; the
plain text of older Exim, known by `X-Failed-Recipients`; complaints (RFC 5965); and mails with the subject
`unsubscribe TOKEN`, which our own List-Unsubscribe asks for. Everything else is nothing: vacation notices, and letters,
which somebody should read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from digest.bounces.bounce import Bounce
from digest.bounces.entity import Entity, Fields, read_entity, read_fields, subject
from digest.bounces.status import best_status, kind_of
from digest.bounces.verp import TOKEN, verp_token
from digest.strangers import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from digest.model import BounceKind

#: recipients of one report; every mail of ours has one
_MAX_RECIPIENTS = 50

_STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
_RETURNED_TYPES = {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"}
#: where servers write the address that a mail came to, the most trustworthy first
_ADDRESSED = ("x-original-to", "delivered-to", "envelope-to", "to")
#: RFC 5965 §7.3: what readers do when they do not want a mail; `not-spam`, `auth-failure` and so on are no complaints
_COMPLAINTS = {"abuse", "fraud", "opt-out"}

#: what programs that answer by themselves wrote before there was RFC 3834, and some still do
_PRECEDENCES = {"auto_reply", "bulk", "junk", "list"}
_ONLY_PROGRAMS = ("x-autoreply", "x-autorespond", "x-auto-response-suppress", "list-id")
_PROGRAM = re.compile(r"\b(mailer-daemon|postmaster)@", re.IGNORECASE)

_BLANK_LINE = re.compile(rb"\n[ \t]*\n")
_ADDRESS = re.compile(r"[^\s<>@,;]{1,64}@[^\s<>@,;]{1,255}")
#: as we write them: printable ASCII, one @
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,180}@[!-;=?A-~]{1,120}>")
_UNSUBSCRIBE = re.compile(rf"unsubscribe[ :]+({TOKEN})", re.IGNORECASE)
#: from an SMTP reply on
_REPLY = re.compile(r"\b[45]\d\d[ -].*")


def read_report(message: bytes, *, at: datetime) -> tuple[Bounce, ...]:
    """What a mail says about recipients of ours, in its order, at most 50; empty if it is nothing that counts.

    Args:
        message: as it lies in the mailbox; may be cut off at the end. At most `entity.MAX_BYTES` are looked at.
        at: when it arrived there, aware.
    """
    mail = read_entity(message)
    parts = mail.parts()
    for part in parts:
        if part.content_type in _STATUS_TYPES:
            return tuple(_notified(mail, parts, part, at))
        if part.content_type == "message/feedback-report":
            return (_complaint(parts, part, at),)
    if mail.fields.first("x-failed-recipients"):
        return tuple(_failed_recipients(mail, at))
    return _unsubscribe(mail, at)


def is_letter(message: bytes) -> bool:
    """Whether a mail that says nothing of bounces was rather written by a person than by a program.

    Programs say so: `Auto-Submitted` (RFC 3834 §5), the older `Precedence`, `List-Id` (RFC 2919), the empty reverse
    path of notifications (RFC 5321 §4.5.5), which the last server writes into `Return-Path`, or a report as a type.
    """
    mail = read_entity(message)
    fields = mail.fields
    return not (
        fields.first("auto-submitted").partition(";")[0].strip().lower() not in {"", "no"}
        or fields.first("precedence").strip().lower() in _PRECEDENCES
        or any(fields.first(name) for name in _ONLY_PROGRAMS)
        or fields.first("return-path").strip() == "<>"
        or mail.content_type == "multipart/report"
        or _PROGRAM.search(fields.first("from"))
    )


def reader_of(
    bounce: Bounce, *, by_token: Callable[[str], str | None], by_message_id: Callable[[str], str | None]
) -> str | None:
    """The reader that a bounce is about; None if it cannot show that it answers a mail of ours.

    The token wins over everything that the report says: mail may be forwarded, and the address that failed is then
    somebody else's.

    Args:
        bounce: as it was read.
        by_token: the address that a token belongs to.
        by_message_id: the address to which we sent the mail with this Message-ID.
    """
    reader = by_token(bounce.token) if bounce.token else None
    if reader is None and bounce.message_id and bounce.kind != "unsubscribe":
        reader = by_message_id(bounce.message_id)
    return reader


def _notified(mail: Entity, parts: tuple[Entity, ...], report: Entity, at: datetime) -> Iterator[Bounce]:
    """RFC 3464 §2.1: a block about the message, then one for each recipient."""
    about, *recipients = _blocks(report)
    message_id = _returned_id(parts) or _matched(_MESSAGE_ID, about.first("original-envelope-id"))
    for block in recipients:
        diagnostic = one_line(_typed(block.first("diagnostic-code")))
        status = best_status(block.first("status"), diagnostic)
        kind = _kind(block.first("action"), status)
        yield Bounce(kind, _recipient(block), message_id, status, diagnostic, at, _token(mail))


def _blocks(report: Entity) -> tuple[Fields, ...]:
    """The block about the message, which some programs leave out, and the blocks about recipients."""
    texts = _BLANK_LINE.split(report.body.strip(), maxsplit=_MAX_RECIPIENTS + 1)[: _MAX_RECIPIENTS + 1]
    blocks = [read_fields(text) for text in texts]
    recipients = [block for block in blocks if block.first("final-recipient") or block.first("action")]
    return (blocks[0], *recipients[:_MAX_RECIPIENTS])


def _kind(action: str, status: str) -> BounceKind:
    """§2.3.3: `delayed`, `delivered`, `relayed` and `expanded` decide nothing yet."""
    word = action.partition(" ")[0].lower()
    return kind_of(status or "5.0.0") if word in {"failed", ""} else "other"


def _recipient(block: Fields) -> str:
    """§2.3.1: the original address is the one we wrote, the final one may be that of a forwarding."""
    written = (_typed(block.first(name)) for name in ("original-recipient", "final-recipient"))
    return next((address for text in written if (address := _matched(_ADDRESS, text))), "")


def _complaint(parts: tuple[Entity, ...], report: Entity, at: datetime) -> Bounce:
    fields = read_fields(report.body)
    said = fields.first("feedback-type").lower()
    kind: BounceKind = "complaint" if said in _COMPLAINTS else "other"
    recipient = _matched(_ADDRESS, fields.first("original-rcpt-to"))
    token = _tokens(fields.all("original-mail-from"))
    diagnostic = one_line(f"feedback report: {said}")
    return Bounce(kind, recipient, _returned_id(parts), "", diagnostic, at, token)


def _failed_recipients(mail: Entity, at: datetime) -> Iterator[Bounce]:
    """Exim, in words: the reason first, then a copy of the mail behind a line of hyphens."""
    reason, _, copy = mail.body.decode("utf-8", "replace").partition("\n------")
    diagnostic = one_line(_matched(_REPLY, reason))
    status = best_status("", diagnostic) or "5.0.0"
    message_id = _message_id(read_fields(copy.partition("\n")[2].encode()))
    recipients = _ADDRESS.findall(one_line(mail.fields.first("x-failed-recipients"), limit=2_000))
    for recipient in recipients[:_MAX_RECIPIENTS]:
        yield Bounce(kind_of(status), recipient, message_id, status, diagnostic, at, _token(mail))


def _unsubscribe(mail: Entity, at: datetime) -> tuple[Bounce, ...]:
    """RFC 2369 §3.2. Not from programs (RFC 3834): an answer to a mail may repeat its subject."""
    found = _UNSUBSCRIBE.fullmatch(subject(mail))
    if found is None or mail.fields.first("auto-submitted").lower() not in {"", "no"}:
        return ()
    return (Bounce("unsubscribe", "", "", "", "", at, found[1]),)


def _returned_id(parts: tuple[Entity, ...]) -> str:
    """The Message-ID of the mail that is returned in one of the parts."""
    returned = (part for part in parts if part.content_type in _RETURNED_TYPES)
    return next((found for part in returned if (found := _message_id(read_fields(part.body)))), "")


def _message_id(fields: Fields) -> str:
    return _matched(_MESSAGE_ID, fields.first("message-id"))


def _token(mail: Entity) -> str:
    return _tokens(value for name in _ADDRESSED for value in mail.fields.all(name))


def _tokens(values: Iterable[str]) -> str:
    """The first token of ours in any of the addresses."""
    words = (word for value in values for word in re.split(r"[\s<>,;\"]+", value))
    return next((token for word in words if (token := verp_token(word))), "")


def _typed(value: str) -> str:
    """What follows the type: `rfc822; a@example.org`, `smtp; 550 …` (RFC 3464 §2.1.2)."""
    kind, semicolon, text = value.partition(";")
    return text.strip() if semicolon and " " not in kind.strip() else value


def _matched(pattern: re.Pattern[str], text: str) -> str:
    """The first match in a stranger's text, made printable; empty without one."""
    found = pattern.search(one_line(text, limit=20_000))
    return found[0] if found else ""
