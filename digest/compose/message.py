"""Digest → Mail: the letter written, rendered, kept under the size that mail programs show, and put into bytes.

Pure but for the templates: the same digest, letterhead and templates give the same bytes, so a mail that is sent again
after a crash is the same mail with the same Message-ID.
"""

from __future__ import annotations

import hashlib
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

from digest.compose import mime
from digest.compose.card import Detail
from digest.compose.letter import contact, unsubscribe_link, unsubscribe_mailto, write
from digest.compose.text import one_line
from digest.errors import DigestError
from digest.model import Mail

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from digest.compose.letter import Letterhead
    from digest.compose.render import Rendered, Renderer
    from digest.model import Digest, Subscriber

#: Gmail hides what is beyond 102 KB of HTML, and with it the footer and the way out
SIZE_LIMIT = 100_000
#: what is given up first, until a mail is small enough: length of abstracts, then abstracts from the end, then
#: everything but titles, then (for absurd input only) papers from the end
_DETAILS = (
    *(Detail(abstract=length) for length in (600, 400, 250, 150)),
    *(Detail(abstract=150, abstracts=count) for count in (40, 30, 20, 10, 0)),
    *(Detail(title=120, abstracts=0, facts=False, papers=count) for count in (100, 50, 25, 12)),
)


def compose(digest: Digest, letterhead: Letterhead, renderer: Renderer) -> Mail:
    """The digest as one mail to its subscriber, smaller than `SIZE_LIMIT` bytes.

    Raises:
        TemplateError: a template cannot be rendered.
        DigestError: an address cannot be written into a header, or the mail cannot be made small enough.
    """
    for detail in _DETAILS:
        mail = _mail_with(detail, digest, letterhead, renderer)
        if len(mail.data) < SIZE_LIMIT:
            return mail
    raise DigestError(
        f"the mail to {digest.subscriber.email} of {digest.local_date} is too large even with only titles",
        hint="make the templates smaller",
    )


def _mail_with(detail: Detail, digest: Digest, letterhead: Letterhead, renderer: Renderer) -> Mail:
    rendered = renderer.render(write(digest, letterhead, detail))
    email = digest.subscriber.email
    identity = message_id(email, digest.local_date, _domain(letterhead))
    body = mime.alternatives(rendered.text, rendered.html, seed=identity)
    data = _headers(digest, letterhead, identity, rendered.subject).encode() + body
    return _mail(letterhead, email, identity, rendered, data)


def compose_notice(
    subject: str, lines: Sequence[str], letterhead: Letterhead, renderer: Renderer, *, recipient: str, at: datetime
) -> Mail:
    """A short mail in plain text to the person who runs this installation.

    Args:
        subject: one line.
        lines: sentences and `- ` items, in reading order.
        letterhead: who sends.
        renderer: the templates.
        recipient: a bare address.
        at: when it is written, aware; the mail's Date.

    Raises:
        TemplateError: a template cannot be rendered.
        DigestError: an address cannot be written into a header.
    """
    rendered = renderer.render_notice(
        one_line(subject), [one_line(line, 1000) for line in lines], letterhead.user_agent
    )
    identity = f"<notice.{_fingerprint(recipient, at.isoformat(), *lines)}@{_domain(letterhead)}>"
    headers = [
        mime.address_header("From", letterhead.from_address),
        mime.named_address_header("To", "", recipient),
        *_common(letterhead, identity, rendered.subject, at),
        "Auto-Submitted: auto-generated\r\n",  # RFC 3834 §5: no vacation notice in answer to it
    ]
    data = "".join(headers).encode() + mime.single_part(rendered.text)
    return _mail(letterhead, recipient, identity, rendered, data)


def message_id(email: str, local_date: date, domain: str) -> str:
    """The Message-ID of a subscriber's digest of one local day, with angle brackets; the same whenever it is asked for.

    >>> from datetime import date
    >>> message_id("ada@example.org", date(2026, 9, 15), "example.net")
    '<2026-09-15.8ec0c3b1fe52edaafc5b@example.net>'
    """
    return f"<{local_date}.{_fingerprint(email, local_date.isoformat())}@{domain}>"


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:20]


def _mail(letterhead: Letterhead, recipient: str, identity: str, rendered: Rendered, data: bytes) -> Mail:
    return Mail(
        envelope_from=mime.mailbox(letterhead.envelope_from or parseaddr(letterhead.from_address)[1]),
        recipient=mime.mailbox(recipient),
        message_id=identity,
        subject=rendered.subject,
        data=data,
        text=rendered.text,
        html=rendered.html,
    )


def _headers(digest: Digest, letterhead: Letterhead, identity: str, subject: str) -> str:
    reader = digest.subscriber
    return "".join(
        [
            mime.address_header("From", letterhead.from_address),
            mime.named_address_header("To", one_line(reader.name, 60), reader.email),
            *_common(letterhead, identity, subject, digest.planned_at),
            *_list_headers(reader, letterhead),
            # https://support.google.com/a/answer/6254652: campaign, customer, mail type, sender
            f"Feedback-ID: {digest.local_date:%Y%m%d}:daily:digest:paper-digest\r\n",
        ]
    )


def _common(letterhead: Letterhead, identity: str, subject: str, at: datetime) -> list[str]:
    return [
        *([mime.address_header("Reply-To", letterhead.reply_to)] if letterhead.reply_to else []),
        f"Date: {format_datetime(at)}\r\n",
        f"Message-ID: {identity}\r\n",
        mime.text_header("Subject", subject),
        mime.text_header("User-Agent", one_line(letterhead.user_agent, 60)),
    ]


def _list_headers(reader: Subscriber, letterhead: Letterhead) -> list[str]:
    """RFC 2919 and RFC 2369; RFC 8058 only where there is a page to post to."""
    link = unsubscribe_link(reader, letterhead)
    ways_out = [f"<{link}>,"] if link.startswith("https:") else []
    list_id = letterhead.list_id or f"papers.{_domain(letterhead)}"
    return [
        mime.token_header("List-Id", ["Paper", "digest", f"<{list_id}>"]),
        mime.token_header("List-Unsubscribe", [*ways_out, f"<{unsubscribe_mailto(reader, letterhead)}>"]),
        *(["List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"] if ways_out else []),
        mime.token_header("List-Help", [f"<mailto:{contact(letterhead)}>"]),
        "List-Post: NO\r\n",  # RFC 2369 §3.4: readers cannot post to it
        "Precedence: list\r\n",  # no standard, but what old vacation programs look for
    ]


def _domain(letterhead: Letterhead) -> str:
    return mime.mailbox(parseaddr(letterhead.from_address)[1]).rpartition("@")[2]
