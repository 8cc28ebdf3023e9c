"""The bytes of a mail → what receivers, filters and readers would mind, each with its cure. Pure, and quick enough.

Mails are judged as they leave, whoever wrote the templates: by RFC 5322, 2045–2047, 2369, 2919, 8058, by what Gmail,
Yahoo and Outlook.com ask of senders (https://support.google.com/a/answer/81126), and by WCAG 2.1 for colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.compose.lint import bodies, contrast, headers, links
from digest.compose.lint.opened import Opened, header_text
from digest.compose.message import SIZE_LIMIT
from digest.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: named at most, of one check
_MOST = 10


def lint(data: bytes, titles: Sequence[str] = ()) -> tuple[Finding, ...]:
    """All that was looked at: for each check, what it found, or that it is in order.

    Args:
        data: the whole message, as it is handed to a relay; any bytes.
        titles: of the papers that were chosen for it, as they came.
    """
    return tuple(_all(Opened(data), titles))


def _all(mail: Opened, titles: Sequence[str]) -> Iterator[Finding]:
    yield from _check("size", bodies.size(mail), f"{mail.size:,} bytes, under {SIZE_LIMIT:,}")
    yield from _check("parts", bodies.parts(mail), "plain text first, then HTML")
    yield from _check("papers", bodies.papers(mail, titles), "the same in plain text and HTML")
    yield from _check("links", links.links(mail), "only http, https and mailto, and to names of their own")
    yield from _check("content", links.content(mail), "nothing active, and nothing loaded from elsewhere")
    yield from _check("unsubscribe", links.way_out(mail), "in the headers and in both parts")
    subject = header_text(next(iter(mail.values("subject")), ""))
    yield from _check("headers", headers.headers(mail), f"complete; a subject of {len(subject)} characters")
    yield from _check("lines", headers.lines(mail), f"none over {headers.LINE_LIMIT} bytes, and only ASCII")
    if mail.values("dkim-signature"):
        yield from _check("signature", headers.signature(mail), "covers who sends and the way out")
    yield from _check("contrast", contrast.contrast(mail), f"at least {contrast.CONTRAST} in both colour schemes")


def _check(name: str, found: Iterable[Finding], good: str) -> Iterator[Finding]:
    findings = list(found)
    if not findings:
        yield Finding(name, "good", good)
    yield from findings[:_MOST]
    if len(findings) > _MOST:
        yield Finding(name, "wrong", f"{len(findings) - _MOST} more of this kind", "mend these first")
