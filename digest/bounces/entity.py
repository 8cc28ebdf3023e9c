"""MIME as far as reports need it: a message becomes its fields and, if it has parts, the parts. Pure.

Written out here because these bytes come from strangers: one level of parts, no recursion, everything bounded and in
time proportional to the size. The standard library's parser follows nesting as deep as the sender likes, and looks at
every open boundary for each line.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from typing import TYPE_CHECKING

from digest.strangers import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: bytes of a message that are looked at; a report stands in front of the mail it returns
MAX_BYTES = 262_144
#: reports have three parts; some programs add a footer
_MAX_PARTS = 10
#: characters of one field, fields of one name
_MAX_FIELD = 2_000
_MAX_REPEATS = 20

_NAME = re.compile(r"[!-9;-~]{1,80}")
_FOLD = re.compile(rb"\n[ \t]+")
#: RFC 2046 §5.1.1: 1 to 70 characters
_BOUNDARY = re.compile(r'\bboundary\s*=\s*(?:"([^"]{1,70})"|([^\s";]{1,70}))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fields:
    """A header, or a block of a status report, which has the same form (RFC 3464 §2.1)."""

    #: names in lower case; values unfolded, the top 20 of each name, at most 2,000 characters each
    values: Mapping[str, Sequence[str]]

    def first(self, name: str) -> str:
        """The topmost field of this name (in lower case); empty if there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> Sequence[str]:
        """Every field of this name (in lower case), the topmost first."""
        return self.values.get(name, ())


@dataclass(frozen=True, slots=True)
class Entity:
    """A message, or a part of one."""

    fields: Fields
    #: after the transfer encoding was undone; line ends are `\n`
    body: bytes

    @property
    def content_type(self) -> str:
        """`text/plain`, in lower case, without parameters."""
        return self.fields.first("content-type").partition(";")[0].strip().lower() or "text/plain"

    def parts(self) -> tuple[Entity, ...]:
        """The parts directly below, at most 10; none if it is not multipart or its boundary is missing."""
        found = _BOUNDARY.search(self.fields.first("content-type"))
        if found is None or not self.content_type.startswith("multipart/"):
            return ()
        line = rb"(?:\A|\n)--" + re.escape((found[1] or found[2]).encode()) + rb"(?:--)?[ \t]*(?=\n|\Z)"
        _preamble, *parts = re.split(line, self.body, maxsplit=_MAX_PARTS)
        return tuple(_entity(part.removeprefix(b"\n")) for part in parts[:_MAX_PARTS])


def read_entity(message: bytes) -> Entity:
    """A whole message, of which the first `MAX_BYTES` are looked at. Never fails: what cannot be read is not there."""
    return _entity(message[:MAX_BYTES].replace(b"\r\n", b"\n").lstrip(b"\n"))


def read_fields(block: bytes) -> Fields:
    """The fields up to the first empty line, of a block with bare line feeds; lines that are no fields are left out."""
    values: dict[str, list[str]] = {}
    head, _, _ = block.lstrip(b"\n").partition(b"\n\n")
    for line in _FOLD.sub(b" ", head).split(b"\n"):
        name, colon, value = line[: _MAX_FIELD + 80].decode("utf-8", "replace").partition(":")
        name = name.rstrip().lower()
        if colon and _NAME.fullmatch(name) and len(same := values.setdefault(name, [])) < _MAX_REPEATS:
            same.append(value.strip()[:_MAX_FIELD])
    return Fields(values)


def subject(mail: Entity) -> str:
    """The subject on one line, encoded words (RFC 2047) undone; what is not ASCII in them becomes `�`.

    What we look for is ASCII, but some programs encode every subject, or all of one for the “Re:” in front of it.
    """
    written = mail.fields.first("subject")
    try:
        pieces = decode_header(written)
    except HeaderParseError:  # base64 of an impossible length
        return one_line(written, _MAX_FIELD)
    text = "".join(piece if isinstance(piece, str) else piece.decode("ascii", "replace") for piece, _ in pieces)
    return one_line(text, _MAX_FIELD)


def _entity(data: bytes) -> Entity:
    # a part may begin with the empty line, which means that it has no header
    head, _, body = (b"", b"", data[1:]) if data.startswith(b"\n") else data.partition(b"\n\n")
    fields = read_fields(head)
    return Entity(fields, _decoded(body, fields.first("content-transfer-encoding").lower()))


def _decoded(body: bytes, encoding: str) -> bytes:
    """RFC 2045 §6. Reports should not be encoded (RFC 6522 §3), some are."""
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    if encoding == "base64":
        try:
            return binascii.a2b_base64(body).replace(b"\r\n", b"\n")
        except binascii.Error:
            return body
    return body
