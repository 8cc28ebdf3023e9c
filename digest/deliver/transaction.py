"""One mail over one open connection: MAIL, RCPT, DATA, dot. In goes a `Mail`, out comes an `Answer`.

What the answer means is the table in `reply`; opening and mending connections is `smtp`'s business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from digest.deliver.connection import LostError
from digest.deliver.reply import outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digest.deliver.connection import Connection
    from digest.deliver.reply import Reply, Stage
    from digest.deliver.settings import SmtpSettings
    from digest.model import Mail, Outcome

#: what can stand between < and > of a command: no white space, no control character, nothing that ends an address
_ADDRESS = re.compile(r'([^\s<>"\\@]+)@[^\s<>"\\@]+')
#: RFC 5321 §4.5.3.1.1 and §4.5.3.1.3, without < and >; octets, also where an address goes beyond ASCII
_MAX_LOCAL_PART, _MAX_ADDRESS = 64, 254

_STEP: dict[Stage, str] = {
    "mail": "at MAIL FROM",
    "rcpt": "at RCPT TO",
    "data": "in DATA, before the final dot",
    "dot": "after the final dot",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """How one attempt ended."""

    outcome: Outcome
    #: reply code of the server; None without one
    code: int | None
    text: str
    #: the last step done; None: the mail was not offered to the server
    stage: Stage | None = None

    @property
    def sent_away(self) -> bool:
        """True if the relay had nothing to say about the mail: no connection, no answer, or 421."""
        return self.stage == "connect" or (self.stage is not None and self.code in {None, 421})


async def transact(connection: Connection, mail: Mail, settings: SmtpSettings) -> Answer:
    """Hand over one mail; never raises `LostError`. Afterwards the connection is ready for the next, or not usable."""
    hindrance = obstacle(mail, connection.extensions)
    if hindrance is not None:
        return hindrance
    answer = await _exchange(connection, mail, settings)
    if answer.outcome == "delivered":
        return answer
    if answer.code == 421:  # RFC 5321 §3.8: the server closes now, so do we
        connection.abort("the server closed the connection (421)")
    elif answer.code is not None and answer.code < 400:
        connection.abort("the server is out of step")
    elif answer.stage != "dot" and connection.usable:
        await connection.reset(settings.timeout_s)
    return answer


async def _exchange(connection: Connection, mail: Mail, settings: SmtpSettings) -> Answer:
    envelope: tuple[tuple[Stage, str, int], ...] = (
        ("mail", f"MAIL FROM:<{mail.envelope_from}>{_options(mail, connection.extensions)}", 2),
        ("rcpt", f"RCPT TO:<{mail.recipient}>", 2),
        ("data", "DATA", 3),
    )
    stage: Stage = "mail"
    try:
        for stage, command, expected in envelope:
            reply = await connection.command(command, settings.timeout_s)
            if reply.code // 100 != expected:
                return _answer(stage, reply)
        early = await connection.body(_dot_stuffed(mail.data), settings.timeout_s)
        if early is not None:
            return _answer(stage, early)
        stage = "dot"
        return _answer(stage, await connection.dot(settings.answer_timeout_s))
    except LostError as lost:
        return Answer(outcome(stage, None), None, f"{lost} ({_STEP[stage]})", stage)


def _answer(stage: Stage, reply: Reply) -> Answer:
    result = outcome(stage, reply.code, reply.enhanced)
    text = reply.text
    if result != "delivered":
        text = f"{text} ({_STEP[stage]})"
    if result == "deferred" and reply.code >= 500:
        text = f"the relay objects to this sender or machine, not to the reader: {text}"
    return Answer(result, reply.code, text, stage)


def obstacle(mail: Mail, extensions: Mapping[str, str]) -> Answer | None:
    """Why this mail cannot be offered to this server at all; None if it can.

    An address that cannot be used is *refused*; what the operator can mend is *deferred*.
    """
    if mail.envelope_from and not _writable(mail.envelope_from):
        return Answer("deferred", None, "not offered: the sender address cannot be written in SMTP")
    if not _writable(mail.recipient):
        return Answer("refused", None, "not offered: the recipient address cannot be written in SMTP")
    if not _only_crlf(mail.data):
        # a bare CR or LF is also how a second mail is smuggled through (CVE-2023-51764)
        return Answer("deferred", None, "not offered: a line of the message does not end with CRLF, a fault of digest")
    if "smtputf8" not in extensions and not mail.recipient.isascii():
        return Answer("refused", None, "not offered: the address needs SMTPUTF8 (RFC 6531), which the relay has not")
    if "smtputf8" not in extensions and _beyond_ascii(mail):
        return Answer(
            "deferred", None, "not offered: sender or message need SMTPUTF8 (RFC 6531), which the relay has not"
        )
    limit = size_limit(extensions)
    if limit and limit < len(mail.data):
        return Answer("deferred", None, f"not offered: {len(mail.data)} bytes, and the relay takes {limit} at most")
    return None


def size_limit(extensions: Mapping[str, str]) -> int:
    """The largest message the server takes, bytes (RFC 1870 §3); 0: it does not say."""
    limit = extensions.get("size", "")
    return int(limit) if limit.isdecimal() and len(limit) <= 20 else 0


def _options(mail: Mail, extensions: Mapping[str, str]) -> str:
    size = f" SIZE={len(mail.data)}" if "size" in extensions else ""  # RFC 1870 §5: as sent, without dot-stuffing
    return f"{size} BODY=8BITMIME SMTPUTF8" if _beyond_ascii(mail) else size  # RFC 6531 §3.1: implies 8BITMIME


def _beyond_ascii(mail: Mail) -> bool:
    return not (mail.envelope_from.isascii() and mail.recipient.isascii() and mail.data.isascii())


def _writable(address: str) -> bool:
    found = _ADDRESS.fullmatch(address) if address.isprintable() else None
    return found is not None and len(found[1].encode()) <= _MAX_LOCAL_PART and len(address.encode()) <= _MAX_ADDRESS


def _only_crlf(data: bytes) -> bool:
    ends = data.count(b"\r\n")
    return data.count(b"\n") == ends == data.count(b"\r") and data.endswith(b"\r\n")


def _dot_stuffed(data: bytes) -> bytes:
    """RFC 5321 §4.5.2: a dot at the beginning of a line is doubled; the server takes it away again."""
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
