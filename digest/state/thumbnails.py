"""Small pictures of papers, made of what their sources show; made again where they are missing."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, or_, select

from digest.model import Thumbnail
from digest.state.database import chunks
from digest.state.schema import storable, thumbnail

if TYPE_CHECKING:
    from digest.state.database import Database

_ASKED = thumbnail.c.url.in_(bindparam("urls", expanding=True))
_FOUND = select(thumbnail).where(_ASKED, thumbnail.c.data.is_not(None))
#: there, or could not be read so short a time ago that asking again is of no use
_TRIED = select(thumbnail.c.url).where(
    _ASKED, or_(thumbnail.c.data.is_not(None), thumbnail.c.at > bindparam("tried_after"))
)
_NAMES = select(thumbnail.c.name).where(thumbnail.c.data.is_not(None))
_FILE = select(thumbnail.c.data).where(thumbnail.c.name == bindparam("name")).limit(1)


class Thumbnails:
    """The pictures of one state, by the address of what they were made of."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._put = database.upsert(thumbnail)

    def tried(self, urls: Iterable[str], *, after: datetime) -> set[str]:
        """Those of the addresses that need not be asked: their pictures are there, or were tried `after` this."""
        found = set()
        with self._database.reading() as connection:
            for chunk in chunks(urls):
                asked = {storable(url): url for url in chunk}
                rows = connection.scalars(_TRIED, {"urls": list(asked), "tried_after": after})
                found |= {asked[url] for url in rows}
        return found

    def get(self, urls: Iterable[str]) -> dict[str, Thumbnail]:
        """The pictures that there are, by address."""
        found = {}
        with self._database.reading() as connection:
            for chunk in chunks(urls):
                asked = {storable(url): url for url in chunk}
                for row in connection.execute(_FOUND, {"urls": list(asked)}):
                    data = b64encode(row.data).decode()
                    found[asked[row.url]] = Thumbnail(row.name, row.width, row.height, data)
        return found

    def put(self, tried: Mapping[str, Thumbnail | None], *, at: datetime) -> None:
        """Keep what was made at this moment, by address; None: nothing could be made of it."""
        rows = [
            {
                "url": url,
                "at": at,
                "name": one.name if one else "",
                "width": one.width if one else 0,
                "height": one.height if one else 0,
                "data": b64decode(one.data) if one else None,
            }
            for url, one in tried.items()
        ]
        if rows:
            with self._database.writing() as connection:
                connection.execute(self._put, rows)

    def names(self) -> set[str]:
        """The names of all pictures."""
        with self._database.reading() as connection:
            return set(connection.scalars(_NAMES))

    def file(self, name: str) -> bytes | None:
        """The JPEG file of the picture of this name; None if it is not there (any more)."""
        with self._database.reading() as connection:
            return connection.scalar(_FILE, {"name": name})
