"""A mail as receivers open it: header fields, both bodies, and the page as a tree."""

from __future__ import annotations

import email
import re
from dataclasses import dataclass
from email import policy
from email.header import decode_header, make_header
from functools import cached_property
from typing import TYPE_CHECKING

from lxml import etree, html

if TYPE_CHECKING:
    from email.message import Message

_LINE_END = re.compile(rb"\r?\n(?![ \t])")


@dataclass(frozen=True)
class Opened:
    """The bytes of a mail, and what is in them; nothing here raises, whatever the bytes are."""

    data: bytes

    @cached_property
    def head(self) -> bytes:
        """All header fields, without the empty line after them."""
        return re.split(rb"\r?\n\r?\n", self.data, maxsplit=1)[0]

    @cached_property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Names in lower case and values, unfolded, in order; lines that are no field have the name ``."""
        found = []
        for line in _LINE_END.split(self.head):
            name, colon, value = line.partition(b":")
            whole = re.fullmatch(rb"[!-9;-~]+[ \t]*", name) and colon
            text = re.sub(rb"\r?\n", b"", value if whole else line).decode("utf-8", "replace").strip()
            found.append((name.decode("ascii").strip().lower() if whole else "", text))
        return tuple(found)

    def values(self, name: str) -> tuple[str, ...]:
        """What the fields of this name (in lower case) say, encoded words still encoded."""
        return tuple(value for known, value in self.fields if known == name)

    @cached_property
    def parsed(self) -> Message:
        """The MIME tree."""
        return email.message_from_bytes(self.data, policy=policy.compat32)

    @cached_property
    def parts(self) -> tuple[Message, ...]:
        """The leaves of the MIME tree, in order."""
        return tuple(part for part in self.parsed.walk() if not part.is_multipart())

    @cached_property
    def size(self) -> int:
        """Bytes of the mail but for its pictures, which mail programs do not count."""
        pictures = (part.get_payload() for part in self.parts if part.get_content_maintype() == "image")
        return len(self.data) - sum(len(body) for body in pictures if isinstance(body, str))

    @cached_property
    def text(self) -> str:
        """The body in plain text; empty without one."""
        return self._body("text/plain")

    @cached_property
    def page(self) -> str:
        """The body in HTML; empty without one."""
        return self._body("text/html")

    @cached_property
    def tree(self) -> html.HtmlElement | None:
        """The body in HTML as a tree; None without one."""
        return tree(self.page)

    def _body(self, kind: str) -> str:
        for part in self.parts:
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                payload = part.get_payload(decode=True)
                return _decoded(payload if isinstance(payload, bytes) else b"", part.get_content_charset("utf-8"))
        return ""


def tree(page: str) -> html.HtmlElement | None:
    """HTML as browsers would mend it; None if there is nothing in it."""
    try:
        return html.document_fromstring(page.encode("utf-8", "replace"), html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError):
        return None


def header_text(value: str) -> str:
    """A header's value as it is shown (RFC 2047); as written if it cannot be decoded."""
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError):
        return value


def _decoded(payload: bytes, charset: str) -> str:
    try:
        return payload.decode(charset, "replace")
    except LookupError:
        return payload.decode("latin-1")
