"""Digest → Mail: the letter written, rendered, kept under the size that mail programs show, and put into bytes.

Pure but for the templates: the same digest, letterhead and templates give the same bytes, so a mail that is sent again
after a crash is the same mail with the same Message-ID.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import TYPE_CHECKING

from digest.compose import mime
from digest.compose.card import Detail
from digest.compose.invitation import write_invitation
from digest.compose.letter import contact, issue, write
from digest.compose.picture import attachments, pictures
from digest.compose.text import one_line
from digest.errors import DigestError
from digest.languages.language import ENGLISH
from digest.model import Mail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from digest.compose.invitation import Way
    from digest.compose.letter import Cover, Issue, Letterhead
    from digest.compose.render import Renderer
    from digest.model import Digest, Subscriber

#: Gmail hides what is beyond 102 KB of HTML, and with it the footer and the way out
SIZE_LIMIT = 100_000
#: what is given up first, until a mail is small enough: length of abstracts, then abstracts from the end, then
#: everything but titles, from the end too, then (for absurd input only) papers
DETAILS = (
    *(Detail(abstract=length) for length in (420, 300, 200, 150)),
    *(Detail(abstract=150, abstracts=count) for count in (40, 30, 20, 10)),
    *(Detail(title=150, abstract=150, abstracts=10, facts=count) for count in (50, 30, 20, 10)),
    *(Detail(title=120, facts=0, papers=count) for count in (100, 50, 25, 12)),
)
#: the same for the compact layout, which has no abstracts to give up
COMPACT_DETAILS = (
    Detail(compact=True),
    *(Detail(title=150, facts=count, compact=True) for count in (75, 50, 25)),
    *(Detail(title=120, facts=0, papers=count, compact=True) for count in (100, 50, 25, 12)),
)


def compose(digest: Digest, letterhead: Letterhead, renderer: Renderer) -> Mail:
    """The digest as one mail to its subscriber, smaller than `SIZE_LIMIT` bytes without the pictures in it.

    Raises:
        TemplateError: a template cannot be rendered.
        DigestError: an address cannot be written into a header, or the mail cannot be made small enough.
    """
    return fitting(digest, lambda detail: compose_with(detail, digest, letterhead, renderer))


def compose_with(detail: Detail, digest: Digest, letterhead: Letterhead, renderer: Renderer) -> Mail:
    """The digest's mail with this much of every paper, however large it gets; raises as `compose` does."""
    letter = write(digest, letterhead, detail)
    rendered = renderer.speaking(digest.subscriber.language).render(letter)
    text, html = [mime.quoted_printable(rendered.text)], [mime.quoted_printable(rendered.html)]
    # a page of one's own may leave pictures out
    shown = [one for one in pictures(digest, letterhead, detail) if one.picture_link in rendered.html]
    parts = attachments(digest, letterhead, shown)
    mail = addressed(digest, letterhead, letter, subject=rendered.subject, text=text, html=html, pictures=parts)
    return replace(mail, text=rendered.text, html=rendered.html)


def fitting(digest: Digest, compose_at: Callable[[Detail], Mail]) -> Mail:
    """The first mail, of the details that give up ever more, that is smaller than `SIZE_LIMIT` bytes but for pictures.

    Raises:
        DigestError: there is none.
    """
    for detail in details(digest.subscriber):
        mail = compose_at(detail)
        if len(mail.data) - mail.pictures < SIZE_LIMIT:
            return mail
    raise DigestError(
        f"the mail to {digest.subscriber.email} of {digest.local_date} is too large even with only titles",
        hint="make the templates smaller",
    )


def details(reader: Subscriber) -> tuple[Detail, ...]:
    """The details that are tried for a reader, the one that shows most first."""
    return COMPACT_DETAILS if reader.layout == "compact" else DETAILS


def addressed(
    digest: Digest,
    letterhead: Letterhead,
    cover: Cover,
    *,
    subject: str,
    text: Sequence[bytes],
    html: Sequence[bytes],
    pictures: Sequence[bytes],
) -> Mail:
    """The mail with this cover, these bodies and pictures, as `mime.alternatives` takes them; without previews.

    Raises:
        DigestError: an address cannot be written into a header.
    """
    reader, same = digest.subscriber, _same_headers(letterhead)
    identity = message_id(reader.email, digest.local_date, same.domain, token=reader.token)
    # RFC 8058 only where there is a page to post to
    page = cover.unsubscribe_link if cover.unsubscribe_link.startswith("https:") else ""
    ways_out = ([f"<{page}>,"] if page else []) + [f"<{cover.unsubscribe_mailto}>"]
    headers = (
        same.sender,
        mime.named_address_header("To", one_line(reader.name, 60), reader.email),
        same.reply_to,
        _date_header(digest.planned_at),
        f"Message-ID: {identity}\r\n",
        mime.text_header("Subject", subject),
        same.list_id,
        mime.token_header("List-Unsubscribe", ways_out),
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if page else "",
        same.list_help,
        _feedback_id(issue(digest)),
        _content_language(cover.language),
    )
    data = b"".join(["".join(headers).encode(), *mime.alternatives(text, html, seed=identity, pictures=pictures)])
    sender, recipient, size = same.envelope_from, mime.mailbox(reader.email), sum(map(len, pictures))
    return Mail(sender, recipient, identity, subject, data, text="", html="", vouched=True, pictures=size)


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
        _reply_to(letterhead),
        _date_header(at),
        f"Message-ID: {identity}\r\n",
        mime.text_header("Subject", rendered.subject),
        _user_agent(letterhead),
        "Auto-Submitted: auto-generated\r\n",  # RFC 3834 §5: no vacation notice in answer to it
        _content_language(ENGLISH.code),
    ]
    data = "".join(headers).encode() + mime.single_part(mime.quoted_printable(rendered.text))
    sender, to = _envelope_from(letterhead), mime.mailbox(recipient)
    return Mail(sender, to, identity, rendered.subject, data, text=rendered.text, html="")


def compose_invitation(
    reader: Subscriber, way: Way, letterhead: Letterhead, renderer: Renderer, *, at: datetime
) -> Mail:
    """The question whether somebody wants the mail that they, or somebody else, asked for in their name.

    It names the list, as an administrative message of one does, and says how to join it (RFC 2369 §3.3). It says
    nothing of leaving (RFC 8058): nobody is in yet.

    Args:
        reader: what they would get, with their token.
        way: how to say yes.
        letterhead: who asks.
        renderer: the templates.
        at: when it is asked, aware; the mail's Date. The same arguments give the same bytes.

    Raises:
        TemplateError: a template cannot be rendered.
        DigestError: an address cannot be written into a header.
    """
    invitation, same = write_invitation(reader, letterhead, way), _same_headers(letterhead)
    rendered = renderer.speaking(reader.language).render_invitation(invitation)
    identity = f"<invitation.{_fingerprint(reader.email, at.isoformat(), reader.token)}@{same.domain}>"
    headers = [
        same.sender,
        mime.named_address_header("To", one_line(reader.name, 60), reader.email),
        same.reply_to,
        _date_header(at),
        f"Message-ID: {identity}\r\n",
        mime.text_header("Subject", rendered.subject),
        same.list_id,
        mime.token_header("List-Subscribe", [f"<{invitation.confirm_link}>"]),
        same.list_help,
        "Auto-Submitted: auto-generated\r\n",  # RFC 3834 §5: no vacation notice in answer to it
        _content_language(invitation.language),
    ]
    bodies = [mime.quoted_printable(rendered.text)], [mime.quoted_printable(rendered.html)]
    data = b"".join(["".join(headers).encode(), *mime.alternatives(*bodies, seed=identity)])
    sender, to = same.envelope_from, mime.mailbox(reader.email)
    return Mail(sender, to, identity, rendered.subject, data, text=rendered.text, html=rendered.html, vouched=True)


def message_id(email: str, local_date: date, domain: str, *, token: str) -> str:
    """The Message-ID of a subscriber's digest of one local day, with angle brackets; the same whenever it is asked for.

    Args:
        email: whose.
        local_date: of which day.
        domain: of the sender, in ASCII.
        token: the subscriber's; nobody who does not know it can name the mail, in a forged bounce for instance.

    >>> from datetime import date
    >>> message_id("ada@example.org", date(2026, 9, 15), "example.net", token="t0ken")
    '<2026-09-15.5421d258dcea23af603d@example.net>'
    """
    return f"<{local_date}.{_fingerprint(email, local_date.isoformat(), token)}@{domain}>"


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:20]


@lru_cache(maxsize=64)
def _date_header(at: datetime) -> str:
    return f"Date: {format_datetime(at)}\r\n"


@dataclass(frozen=True, slots=True)
class _SameHeaders:
    """What all mails of a letterhead have in common, in order."""

    envelope_from: str
    #: of the sender, in ASCII
    domain: str
    #: From
    sender: str
    #: empty: there is none
    reply_to: str
    #: User-Agent and List-Id
    list_id: str
    #: List-Help, List-Post and Precedence
    list_help: str


@lru_cache(maxsize=64)
def _same_headers(letterhead: Letterhead) -> _SameHeaders:
    domain = _domain(letterhead)
    list_id = ["Paper", "digest", f"<papers.{domain}>"]  # RFC 2919
    list_help = [
        mime.token_header("List-Help", [f"<mailto:{contact(letterhead)}>"]),
        "List-Post: NO\r\n",  # RFC 2369 §3.4: readers cannot post to it
        "Precedence: list\r\n",  # no standard, but what old vacation programs look for
    ]
    return _SameHeaders(
        envelope_from=_envelope_from(letterhead),
        domain=domain,
        sender=mime.address_header("From", letterhead.from_address),
        reply_to=_reply_to(letterhead),
        list_id=_user_agent(letterhead) + mime.token_header("List-Id", list_id),
        list_help="".join(list_help),
    )


@lru_cache(maxsize=64)
def _feedback_id(of: Issue) -> str:
    """https://support.google.com/a/answer/6254652: campaign, customer, mail type, sender."""
    kind = "quiet" if of.quiet else "weekly" if of.frequency == "weekly" else "daily"
    return f"Feedback-ID: {of.local_date:%Y%m%d}:{kind}:digest:paper-digest\r\n"


def _content_language(code: str) -> str:
    return f"Content-Language: {code}\r\n"  # RFC 3282


def _envelope_from(letterhead: Letterhead) -> str:
    return mime.mailbox(letterhead.envelope_from or _bare_address(letterhead.from_address))


def _reply_to(letterhead: Letterhead) -> str:
    return mime.address_header("Reply-To", letterhead.reply_to) if letterhead.reply_to else ""


def _user_agent(letterhead: Letterhead) -> str:
    return mime.text_header("User-Agent", one_line(letterhead.user_agent, 60))


def _domain(letterhead: Letterhead) -> str:
    return _bare_address(letterhead.from_address).rpartition("@")[2]


@lru_cache(maxsize=64)
def _bare_address(written: str) -> str:
    return mime.mailbox(parseaddr(written)[1])
