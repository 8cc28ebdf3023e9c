"""Digests ↔ JSON, what many of them share replaced by a name, so that thousands of digests share one copy of it.

    planned body    {…, "picks": [["<name>", score], …], "missed": ["<name>", …]}
    snapshots       a pick without its score, its paper and picture by name; a missed paper; a paper; a picture

A name is made of what it names (SHA-256), so what a name means never changes: a digest read back has the papers as
they were when it was planned, whatever became of them since, and the mail of a resumed run is the same mail, byte for
byte. Written out in full, a digest of ten picks took 7 kB instead of 2.

Writing goes around the codec: the picks of different readers differ in their numbers only, so all that is text in
them is encoded once for everybody. Digests of fifteen picks took 200 µs with the codec alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from math import isfinite
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from sqlalchemy import bindparam, select

from digest.model import Digest, Match, Missed, Paper, Pick, Similar, Thumbnail, Trend
from digest.state.bulk import Bulk
from digest.state.codec import BodyError, Codec, dumps, loads, parse, quoted, text_encoder, to_text
from digest.state.database import chunks, elements
from digest.state.schema import snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from digest.state.database import Database

T = TypeVar("T")
M = TypeVar("M")

_NAMED = snapshot.c.hash.in_(bindparam("hashes", expanding=True))
_BODIES = select(snapshot.c.hash, snapshot.c.body).where(_NAMED)

#: characters of a name: 128 bits
_NAME = 32
#: values kept in memory, some days' worth of papers; then a Reader or Writer begins anew
_KEPT = 10_000
#: picks kept in memory; about 700 bytes each, with what they keep alive
_PICKS = 16_000


@dataclass(slots=True, eq=False)
class Part:
    """What digests name, as it is stored."""

    name: str
    #: makes the text, always the same
    make: Callable[[], str]
    #: empty once it is stored: few are asked for again, and 16,000 picks would take 10 MB
    text: str
    #: the moment of the plan for which it is stored for good
    stored_for: datetime | None = None

    @property
    def body(self) -> str:
        """The text."""
        return self.text or self.make()


def _part(make: Callable[[], str]) -> Part:
    text = make()
    return Part(sha256(text.encode("ascii")).hexdigest()[:_NAME], make, text)


@dataclass(frozen=True, slots=True)
class Body:
    """A digest as text."""

    text: str
    #: what it names; some twice
    parts: Sequence[Part]


class _Made(Generic[T, M]):
    """What is made of values that are shared, once of each.

    By identity, for comparing a value's fields each time it appears would cost more than all the rest; the value is
    kept with what was made of it, so that no other object can get its identity.
    """

    def __init__(self, make: Callable[[T], M]) -> None:
        self._make = make
        self._kept: dict[int, tuple[T, M]] = {}

    def __call__(self, value: T) -> M:
        found = self._kept.get(id(value))
        if found is None:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            found = self._kept[id(value)] = (value, self._make(value))
        return found[1]


class Writer:
    """Turns digests into text."""

    def __init__(self, database: Database) -> None:
        new = database.insert(snapshot)
        self._new = Bulk(
            database,
            new.on_conflict_do_update(
                index_elements=["hash"],
                set_={"last_planned_at": new.excluded.last_planned_at},
                where=snapshot.c.last_planned_at < new.excluded.last_planned_at,
            ),
            ("hash", "last_planned_at", "body"),
        )
        self._stored = select(snapshot.c.hash).where(
            snapshot.c.hash.in_(elements("hashes")), snapshot.c.last_planned_at >= bindparam("now")
        )
        self._head = text_encoder(Digest, without=("picks", "missed"))
        self._paper: _Made[Paper, Part] = _Made(lambda paper: _part(partial(dumps, Paper, paper)))
        self._trend: _Made[Trend, str] = _Made(lambda trend: dumps(Trend, trend))
        self._match: _Made[Match, str] = _Made(lambda match: dumps(Match, match))
        self._similar: _Made[tuple[Similar, ...], str] = _Made(lambda some: dumps(tuple[Similar, ...], some))
        self._missed: _Made[Missed, Part] = _Made(lambda missed: _part(partial(dumps, Missed, missed)))
        self._thumbnail: _Made[Thumbnail, Part] = _Made(lambda one: _part(partial(dumps, Thumbnail, one)))
        self._picks: dict[Hashable, tuple[str, tuple[Part, ...], Pick]] = {}

    def body(self, digest: Digest) -> Body:
        """The digest as text. What it names is stored by `write`. Raises ValueError for a score that is no number."""
        parts: list[Part] = []
        picks = []
        for pick in digest.picks:
            opening, named, _ = self._pick(pick)
            parts += named
            picks.append(f"{opening}{_number(pick.score)}]")
        missed = [self._missed(one) for one in digest.missed]
        parts += missed
        names = ",".join([f'"{part.name}"' for part in missed])
        return Body(f'{self._head(digest)[:-1]},"picks":[{",".join(picks)}],"missed":[{names}]}}', parts)

    def write(self, connection: Connection, bodies: Iterable[Body], *, now: datetime) -> None:
        """Store what is named by bodies of digests that were planned at `now` or before; see `written`."""
        parts = _not_stored(bodies, now)
        for chunk in chunks(parts):
            stored = set(connection.scalars(self._stored, {"hashes": to_text(chunk), "now": now}))
            if new := [name for name in chunk if name not in stored]:
                texts = [parts[name].body for name in new]
                self._new.execute(connection, {"hash": new, "body": texts}, last_planned_at=now)

    def written(self, bodies: Iterable[Body], *, now: datetime) -> None:
        """What these name need not be looked for again at this `now`: the transaction in which it was written is over.

        Others keep it for a day (`retention`).
        """
        for part in _not_stored(bodies, now).values():
            part.text, part.stored_for = "", now

    def _pick(self, pick: Pick) -> tuple[str, tuple[Part, ...], Pick]:
        """What stands before the score, and what is stored for the pick. The same for many readers' picks.

        They are of the same objects, which the pick that is kept keeps alive, so that their identities stay their own.
        """
        ids = id(pick.paper), id(pick.matches), id(pick.trend), id(pick.similar), id(pick.thumbnail)
        key = (*ids, pick.part, id(pick.why), id(pick.summary), id(pick.summary_by))
        known = self._picks.get(key)
        if known is None:
            if len(self._picks) >= _PICKS:
                self._picks.clear()
            part = _part(partial(self._around, pick))
            parts = [part, self._paper(pick.paper), *([self._thumbnail(pick.thumbnail)] if pick.thumbnail else [])]
            known = self._picks[key] = (f'["{part.name}",', tuple(parts), pick)
        return known

    def _around(self, pick: Pick) -> str:
        thumbnail = f',"thumbnail":"{self._thumbnail(pick.thumbnail).name}"' if pick.thumbnail else ""
        return (
            f'{{"paper":"{self._paper(pick.paper).name}","part":"{pick.part}",'
            f'"matches":[{",".join(map(self._match, pick.matches))}],"trend":{self._trend(pick.trend)},'
            f'"similar":{self._similar(pick.similar)},"why":{quoted(pick.why)},"summary":{quoted(pick.summary)},'
            f'"summary_by":{quoted(pick.summary_by)}{thumbnail}}}'
        )


class Reader:
    """Turns texts back into digests. Keeps what they name in memory: what a name means never changes."""

    def __init__(self) -> None:
        self._papers: dict[str, Paper] = {}
        self._thumbnails: dict[str, Thumbnail] = {}
        self._picks: dict[str, Pick] = {}
        self._missed: dict[str, Missed] = {}
        # as version 0007 and older wrote them, picks and missed papers may be there in full
        self._full = Codec(
            decoders={
                Paper: lambda name: _found(self._papers, "paper", name),
                Thumbnail: lambda name: _found(self._thumbnails, "picture", name),
            }
        )
        self._codec = Codec(decoders={Pick: self._pick, Missed: self._miss})
        # one thread at a time: between fetching what is named and using it nobody may forget it
        self._lock = Lock()

    def digest(self, connection: Connection, body: str | None) -> Digest:
        """The digest as it was planned. Raises BodyError if it, or a part of it, is missing or cannot be read."""
        if body is None:
            message = "they are missing"
            raise BodyError(message)
        tree = parse(body)
        try:
            picks = {one[0] for one in tree["picks"] if isinstance(one, list)}
            papers = {one["paper"] for one in tree["picks"] if isinstance(one, dict)}
            missed = {one for one in tree["missed"] if isinstance(one, str)}
        except (IndexError, KeyError, TypeError) as error:
            message = "it is not a digest"
            raise BodyError(message) from error
        with self._lock:
            self._fetch(connection, picks, missed, papers)
            digest: Digest = self._codec.decoder(Digest)(tree)
        return digest

    def _fetch(self, connection: Connection, picks: set[str], missed: set[str], papers: set[str]) -> None:
        if len(self._picks) + len(self._missed) > _PICKS:
            self._papers, self._picks, self._missed, self._thumbnails = {}, {}, {}, {}
        new = {name: parse(body) for name, body in _bodies(connection, picks - self._picks.keys())}
        papers |= {str(tree["paper"]) for tree in new.values() if isinstance(tree, dict) and "paper" in tree}
        for name, body in _bodies(connection, papers - self._papers.keys()):
            self._papers[name] = loads(Paper, body)
        thumbnails = {str(tree["thumbnail"]) for tree in new.values() if isinstance(tree, dict) and "thumbnail" in tree}
        for name, body in _bodies(connection, thumbnails - self._thumbnails.keys()):
            self._thumbnails[name] = loads(Thumbnail, body)
        for name, tree in new.items():
            self._picks[name] = self._full.decoder(Pick)(tree | {"score": 0.0} if isinstance(tree, dict) else tree)
        for name, body in _bodies(connection, missed - self._missed.keys()):
            self._missed[name] = loads(Missed, body)

    def _pick(self, tree: Any) -> Pick:
        if not isinstance(tree, list):
            return cast("Pick", self._full.decoder(Pick)(tree))
        name, score = tree if len(tree) == 2 else (None, None)
        return replace(_found(self._picks, "pick", name), score=self._full.decoder(float)(score))

    def _miss(self, tree: Any) -> Missed:
        if not isinstance(tree, str):
            return cast("Missed", self._full.decoder(Missed)(tree))
        return _found(self._missed, "missed paper", tree)


def _not_stored(bodies: Iterable[Body], now: datetime) -> dict[str, Part]:
    """By name, what is not known to be stored for the plan of this moment."""
    return {part.name: part for one in bodies for part in one.parts if part.stored_for is not now}


def _bodies(connection: Connection, names: set[str]) -> Iterator[tuple[str, str]]:
    for chunk in chunks(names):
        yield from iter(connection.execute(_BODIES, {"hashes": chunk}))


def _found(known: Mapping[str, T], what: str, name: Any) -> T:
    found = known.get(name)
    if found is None:
        message = f"the {what} with hash {name} is missing"
        raise BodyError(message)
    return found


def _number(value: float) -> str:
    if not isfinite(value):
        message = f"{value} is not JSON compliant"
        raise ValueError(message)
    return repr(float(value))
