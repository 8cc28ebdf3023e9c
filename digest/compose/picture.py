"""Which papers of a mail have a picture, where it is, and what of it travels with the mail. Pure.

A picture is a `Thumbnail`: fetched, shrunk and kept by us, so that no mail loads anything from a paper's source. It is
either a part of the mail, named by its Content-ID (RFC 2392), or lies in our own archive on the web.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from digest.compose import mime
from digest.compose.text import http_link

if TYPE_CHECKING:
    from collections.abc import Iterable

    from digest.compose.card import Detail
    from digest.compose.letter import Letterhead
    from digest.model import Digest, Thumbnail

#: how large a picture is shown: 128 × 96 pixels at most, which leaves room for text beside it on a phone; 80 × 60 in a
#: dense list
_SCALE, _SCALE_IN_LIST = 0.4, 0.25
#: most bytes of pictures that travel with one mail, encoded; papers after that have none
PICTURES_LIMIT = 380_000


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A paper's picture; it only adorns the title that it stands under, and says nothing to those who cannot see it."""

    #: `cid:` or http(s) address; empty: there is no picture
    picture_link: str = ""
    #: pixels on the page; the picture itself has more than twice as many, for dense screens
    picture_width: int = 0
    picture_height: int = 0


NO_PICTURE = Picture()


def pictures(digest: Digest, letterhead: Letterhead, detail: Detail) -> tuple[Picture, ...]:
    """One for each paper that a mail of this detail shows; empty if the reader wants none, or no paper has any."""
    wanted = digest.subscriber.images
    if wanted == "none" or (wanted == "linked" and not letterhead.archive_url):
        return ()
    found, left = [], PICTURES_LIMIT
    for number, pick in enumerate(digest.picks[: detail.papers], start=1):
        thumbnail = pick.thumbnail
        if thumbnail and detail.room(number) and (wanted == "linked" or len(thumbnail.data) <= left):
            left -= len(thumbnail.data)
            scale = _SCALE_IN_LIST if detail.compact else _SCALE
            width, height = ceil(scale * thumbnail.width), ceil(scale * thumbnail.height)
            found.append(_picture(thumbnail.name, width, height, wanted, letterhead))
        else:
            found.append(NO_PICTURE)
    return tuple(found) if any(one.picture_link for one in found) else ()


@lru_cache(maxsize=4096)
def _picture(name: str, width: int, height: int, wanted: str, letterhead: Letterhead) -> Picture:
    if wanted == "linked":
        link = http_link(f"{letterhead.archive_url}/{archive_path(name)}")
    else:
        link = f"cid:{content_id(name, letterhead)}"
    return Picture(picture_link=link, picture_width=width, picture_height=height)


def archive_path(name: str) -> str:
    """Where the archive has the picture of this name, from its top."""
    return f"thumbnails/{name}.jpg"


@lru_cache(maxsize=4096)
def content_id(name: str, letterhead: Letterhead) -> str:
    """The picture's Content-ID without angle brackets; the same bytes have the same one in every mail (RFC 2045 §7)."""
    domain = mime.mailbox(parseaddr(letterhead.from_address)[1]).rpartition("@")[2]
    return f"{name}@{domain}"


def attachments(digest: Digest, letterhead: Letterhead, shown: Iterable[Picture]) -> tuple[bytes, ...]:
    """The parts that the `cid:` addresses of these pictures name, each once, in the order of the papers."""
    links = {one.picture_link for one in shown if one.picture_link.startswith("cid:")}
    found: dict[str, bytes] = {}
    for pick in digest.picks if links else ():
        if (thumbnail := pick.thumbnail) and thumbnail.name not in found:
            identity = content_id(thumbnail.name, letterhead)
            if f"cid:{identity}" in links:
                found[thumbnail.name] = _part(thumbnail, identity)
    return tuple(found.values())


@lru_cache(maxsize=128)
def _part(thumbnail: Thumbnail, identity: str) -> bytes:
    return mime.inline_jpeg(thumbnail.data, identity, name=thumbnail.name)
