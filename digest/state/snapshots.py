"""Digests ↔ JSON, what many of them share replaced by a name, so that thousands of digests share one copy of it.

    planned body    {…, "picks": [["<name>", score], …], "missed": ["<name>", …]}
    snapshots       a pick, its paper and picture by name; a missed paper; a paper; a picture

A name is made of what it names (SHA-256), so what a name means never changes: a digest read back has the papers as
they were when it was planned, whatever became of them since, and the mail of a resumed run is the same mail, byte for
byte. Written out in full, a digest of ten picks took 7 kB instead of 2.

Writing goes around the codec: readers share picks, so each is encoded once for everybody. Digests of fifteen picks took
200 µs with the codec alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from math import isfinite
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import bindparam, select

from digest.model import Digest, Match, Missed, Paper, Pick, Similar, Thumbnail, Trend
from digest.once import Once
from digest.state.bulk import Bulk
from digest.state.codec import BodyError, Codec, dumps, loads, parse, quoted, text_encoder, to_text
from digest.state.database import chunks, elements
from digest.state.schema import snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from digest.state.database import Database

T = TypeVar("T")

_NAMED = snapshot.c.hash.in_(bindparam("hashes", expanding=True))
_BODIES = select(snapshot.c.hash, snapshot.c.body).where(_NAMED)

#: characters of a name: 128 bits
_NAME = 32
#: values of other kinds kept in memory: some days' worth of papers
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
        self._head = text_encoder(Digest, without=("picks", "scores", "missed"))
        self._paper: Once[Paper, Part] = Once(lambda paper: _part(partial(dumps, Paper, paper)), most=_KEPT)
        self._trend: Once[Trend, str] = Once(lambda trend: dumps(Trend, trend), most=_KEPT)
        self._match: Once[Match, str] = Once(lambda match: dumps(Match, match), most=_KEPT)
        self._similar: Once[tuple[Similar, ...], str] = Once(lambda some: dumps(tuple[Similar, ...], some), most=_KEPT)
        self._missed: Once[Missed, Part] = Once(lambda missed: _part(partial(dumps, Missed, missed)), most=_KEPT)
        self._thumbnail: Once[Thumbnail, Part] = Once(lambda one: _part(partial(dumps, Thumbnail, one)), most=_KEPT)
        #: what stands before the score, and what is stored for the pick
        self._pick: Once[Pick, tuple[str, tuple[Part, ...]]] = Once(self._named, most=_PICKS)

    def body(self, digest: Digest) -> Body:
        """The digest as text. What it names is stored by `write`.

        Raises:
            ValueError: there is not one score for each pick, or a score is no number.
        """
        parts: list[Part] = []
        picks = []
        for pick, score in zip(digest.picks, digest.scores, strict=True):
            opening, named = self._pick(pick)
            parts += named
            picks.append(f"{opening}{_number(score)}]")
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

    def _named(self, pick: Pick) -> tuple[str, tuple[Part, ...]]:
        part = _part(partial(self._around, pick))
        illustration = [self._thumbnail(pick.thumbnail)] if pick.thumbnail else []
        return f'["{part.name}",', (part, self._paper(pick.paper), *illustration)

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
            scores = [one["score"] if isinstance(one, dict) else one[1] for one in tree["picks"]]
            missed = {one for one in tree["missed"] if isinstance(one, str)}
        except (IndexError, KeyError, TypeError) as error:
            message = "it is not a digest"
            raise BodyError(message) from error
        with self._lock:
            self._fetch(connection, picks, missed, papers)
            digest: Digest = self._codec.decoder(Digest)(tree | {"scores": scores})
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
            self._picks[name] = self._full.decoder(Pick)(tree)
        for name, body in _bodies(connection, missed - self._missed.keys()):
            self._missed[name] = loads(Missed, body)

    def _pick(self, tree: Any) -> Pick:
        if not isinstance(tree, list):
            return cast("Pick", self._full.decoder(Pick)(tree))
        return _found(self._picks, "pick", tree[0])

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
