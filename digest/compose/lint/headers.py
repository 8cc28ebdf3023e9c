"""Is the head of a mail, and the form of its lines, as RFC 5322 and large receivers want it?"""

from __future__ import annotations

import re
from email.utils import getaddresses, parsedate_to_datetime
from typing import TYPE_CHECKING

from digest.compose.lint.opened import header_text
from digest.compose.render import SUBJECT_LIMIT
from digest.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.compose.lint.opened import Opened

#: RFC 5322 §2.1.1, without CRLF
LINE_LIMIT = 998
#: RFC 5322 §3.6: exactly once; To is not demanded there, but mail without one looks like a blind copy
_ONCE = ("from", "date", "message-id", "subject", "to")
#: RFC 5322 §3.6, RFC 2045, RFC 2369 §2, RFC 2919 §3, RFC 8058 §3.1: at most once
_AT_MOST_ONCE = (
    *("sender", "reply-to", "cc", "bcc", "in-reply-to", "references", "mime-version", "content-type"),
    *("content-transfer-encoding", "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-help", "list-post"),
)
_PROPER = {"message-id": "Message-ID", "mime-version": "MIME-Version", "list-id": "List-Id"}
#: RFC 5322 §3.6.4, without quoted parts, which much software cannot read
_MESSAGE_ID = re.compile(r"<[^\s<>@]+@[^\s<>@]+>")
#: RFC 2919 §2: words, and in angle brackets a name with at least one dot
_LIST_ID = re.compile(r"[^<>]*<[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+>")
_TEMPLATES = "this is written by the program itself, not by templates: check what stands between it and the mail"


def headers(mail: Opened) -> Iterator[Finding]:
    """What is wrong with the fields of the head."""
    for name in _ONCE:
        if (count := len(mail.values(name))) != 1:
            yield _wrong(f"{_shown(name)} stands in it {count} times, and once is right (RFC 5322 §3.6)")
    for name in _AT_MOST_ONCE:
        if (count := len(mail.values(name))) > 1:
            yield _wrong(f"{_shown(name)} stands in it {count} times, and once is the most")
    for _, line in (field for field in mail.fields if not field[0]):
        yield _wrong(f"{line[:60]!r} is no header field, so all that follows may be taken for the body")
    yield from _addresses(mail)
    yield from _identity(mail)
    yield from _subject(mail)


def _addresses(mail: Opened) -> Iterator[Finding]:
    for name in ("from", "to"):
        for value in mail.values(name):
            found = [address for _, address in getaddresses([value])]
            if len(found) != 1 or not re.fullmatch(r"[^\s@]+@[^\s@]+", found[0]):
                yield _wrong(f"{_shown(name)} is not one address: {value[:80]}", "correct it in the configuration")


def _identity(mail: Opened) -> Iterator[Finding]:
    for value in mail.values("date"):
        if not _is_date(value):
            yield _wrong(f"Date is no date with a time zone: {value[:60]} (RFC 5322 §3.3)")
    for value in mail.values("message-id"):
        if not _MESSAGE_ID.fullmatch(value):
            yield _wrong(f"Message-ID is not of the form <name@domain>: {value[:80]}")
    for value in mail.values("list-id"):
        if not _LIST_ID.fullmatch(value):
            yield _wrong(f"List-Id has no name with a dot in angle brackets: {value[:80]} (RFC 2919 §2)")
    if not mail.values("list-id"):
        yield _wrong("there is no List-Id, so readers cannot sort these mails (RFC 2919)")


def _is_date(value: str) -> bool:
    try:
        # an unknown zone, `-0000`, gives a time without one
        return parsedate_to_datetime(value).tzinfo is not None
    except (ValueError, TypeError, OverflowError):
        return False


def _subject(mail: Opened) -> Iterator[Finding]:
    cure = "write it shorter in mail/digest.subject.txt of your templates"
    for value in mail.values("subject"):
        subject = header_text(value)
        if not subject.strip():
            yield _wrong("Subject is empty", "let mail/digest.subject.txt of your templates say something")
        elif len(subject) > SUBJECT_LIMIT:
            yield _wrong(f"Subject has {len(subject)} characters, more than {SUBJECT_LIMIT}: {subject[:80]}", cure)
        elif not subject.isprintable():
            yield _wrong(f"Subject has characters that nobody sees: {subject!a}", "take them out of your template")


def lines(mail: Opened) -> Iterator[Finding]:
    """What is wrong with the form of the lines, head and body."""
    data = mail.data
    if re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", data):
        yield _wrong("there are lines that do not end with CRLF, or NUL characters (RFC 5322 §2.3)", check="lines")
    longest = max(map(len, re.split(rb"\r?\n", data)))
    if longest > LINE_LIMIT:
        yield _wrong(f"a line has {longest:,} bytes, and {LINE_LIMIT} are the most (RFC 5322 §2.1.1)", check="lines")
    for name, value in mail.fields:
        if value.isascii():
            continue
        if name == "to":
            sentence = "the reader's address is not ASCII, so that only relays with SMTPUTF8 take it (RFC 6531)"
            yield Finding("lines", "advice", sentence, "ask the reader for an address in ASCII if it is refused")
        else:
            yield _wrong(f"{_shown(name)} has bytes that are not ASCII (RFC 5322 §2.2)", check="lines")
    for part in mail.parts:
        encoding = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
        if encoding not in {"8bit", "binary"} and not _raw(part.get_payload()).isascii():
            kind = part.get_content_type()
            yield _wrong(f"the {kind} part has 8-bit bytes but says {encoding} (RFC 2045 §6.2)", check="lines")
    for defect in {type(defect).__name__ for part in mail.parsed.walk() for defect in part.defects}:
        yield _wrong(f"its MIME structure is broken: {defect}", check="lines")


def signature(mail: Opened) -> Iterator[Finding]:
    """What is wrong with the fields that the DKIM signature covers, if there is one; the key is not looked at."""
    for value in mail.values("dkim-signature"):
        tags = dict(tag.strip().partition("=")[::2] for tag in re.sub(r"\s", "", value).split(";") if "=" in tag)
        covered = tags.get("h", "").lower().split(":")
        for name in ("from", "list-unsubscribe", "list-unsubscribe-post"):
            if mail.values(name) and name not in covered:
                sentence = f"the signature does not cover {_shown(name)} (RFC 6376 §5.4, RFC 8058 §4)"
                yield _wrong(sentence, check="signature")


def _raw(payload: object) -> str:
    # bytes above 127 come as surrogates
    return payload if isinstance(payload, str) else ""


def _shown(name: str) -> str:
    return _PROPER.get(name, name.title()) or "a line of the head"


def _wrong(sentence: str, cure: str = _TEMPLATES, *, check: str = "headers") -> Finding:
    return Finding(check, "wrong", sentence, cure)
