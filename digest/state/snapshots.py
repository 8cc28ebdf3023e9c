"""Digests ↔ text, each paper replaced by the hash of its body, so that thousands of digests share one copy of it.

The text is a line of JSON for the digest, with numbers in place of its picks and missed papers, then a line for each
of these. Readers who share a pick share its line, which is made once and read once for all of them. Texts of earlier
versions, one line with everything inside, are read too.

A digest read back has the papers as they were when it was planned, whatever became of them since: the mail of a
resumed run is the same mail, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from sqlalchemy import bindparam, select

from digest.model import Digest, Missed, Paper, Pick
from digest.state.codec import BodyError, Codec, dumps, loads, parse
from digest.state.database import chunks
from digest.state.schema import snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from digest.state.database import Database

T = TypeVar("T")

_NAMED = snapshot.c.hash.in_(bindparam("hashes", expanding=True))
_BODIES = select(snapshot.c.hash, snapshot.c.body).where(_NAMED)
_STORED = select(snapshot.c.hash).where(_NAMED, snapshot.c.last_planned_at >= bindparam("now"))

#: papers kept in memory, some days' worth, and as many picks and missed papers; then each of them begins anew
_KEPT = 30_000


class _Texts(Generic[T]):
    """Texts of values, each made once.

    By identity, for comparing a value's fields each time it appears would cost more than all the rest; the value is
    kept with its text, so that no other object can get its identity.
    """

    def __init__(self, make: Callable[[T], str]) -> None:
        self._make = make
        self._values: dict[int, T] = {}
        self._texts: dict[int, str] = {}
        self._lock = Lock()

    def all(self, values: Sequence[T]) -> list[str]:
        """The text of each."""
        found = list(map(self._texts.get, map(id, values)))
        if None not in found:
            return cast("list[str]", found)
        return [self.one(value) for value in values]

    def one(self, value: T) -> str:
        """The text of a value."""
        text = self._texts.get(id(value))
        if text is None:
            text = self._make(value)
            # one thread at a time: whoever finds a text must find it with its value still kept
            with self._lock:
                if len(self._texts) >= _KEPT:
                    self._texts.clear()
                    self._values.clear()
                self._values[id(value)] = value
                self._texts[id(value)] = text
        return text


class Writer:
    """Turns digests into text."""

    def __init__(self, database: Database) -> None:
        new = database.insert(snapshot)
        self._upsert = new.on_conflict_do_update(
            index_elements=["hash"],
            set_={"last_planned_at": new.excluded.last_planned_at},
            where=snapshot.c.last_planned_at < new.excluded.last_planned_at,
        )
        self._head = Codec(encoders={tuple[Pick, ...]: len, tuple[Missed, ...]: len})
        self._hash: _Texts[Paper] = _Texts(_hash)
        codec = Codec(encoders={Paper: self._hash.one})
        self._pick: _Texts[Pick] = _Texts(lambda pick: codec.dumps(Pick, pick))
        self._missed: _Texts[Missed] = _Texts(lambda missed: dumps(Missed, missed))

    def body(self, digest: Digest) -> str:
        """The digest as text. Its papers are stored by `write`."""
        head = self._head.dumps(Digest, digest)
        return "\n".join([head, *self._pick.all(digest.picks), *self._missed.all(digest.missed)])

    def write(self, connection: Connection, digests: Iterable[Digest], *, now: datetime) -> None:
        """Store the papers of digests that were planned at `now` or before."""
        # by identity first: there are many picks, of few papers
        picked = {id(pick.paper): pick.paper for digest in digests for pick in digest.picks}
        papers = {self._hash.one(paper): paper for paper in picked.values()}
        for chunk in chunks(papers):
            stored = set(connection.scalars(_STORED, {"hashes": chunk, "now": now}))
            new = [(name, papers[name]) for name in chunk if name not in stored]
            rows = [{"hash": name, "last_planned_at": now, "body": dumps(Paper, paper)} for name, paper in new]
            if rows:
                connection.execute(self._upsert, rows)


class Reader:
    """Turns texts back into digests. Keeps papers and picks in memory: what a hash or a line says never changes."""

    def __init__(self) -> None:
        self._papers: dict[str, Paper] = {}
        self._picks: dict[str, Pick] = {}
        self._missed: dict[str, Missed] = {}
        self._codec = Codec(decoders={Paper: self._paper})
        self._head = Codec(decoders={tuple[Pick, ...]: lambda _: (), tuple[Missed, ...]: lambda _: ()})
        # one thread at a time: between fetching the papers and using them nobody may forget them
        self._lock = Lock()

    def digest(self, connection: Connection, body: str | None) -> Digest:
        """The digest as it was planned. Raises BodyError if it, or a paper in it, is missing or cannot be read."""
        if body is None:
            message = "they are missing"
            raise BodyError(message)
        head, *lines = body.split("\n")
        tree = parse(head)
        with self._lock:
            if not lines:
                return self._whole(connection, tree)
            digest: Digest = self._head.decoder(Digest)(tree)
            count = _count(tree, lines)
            picks, missed = self._read_picks(connection, lines[:count]), self._read_missed(lines[count:])
        return replace(digest, picks=picks, missed=missed)

    def _whole(self, connection: Connection, tree: Any) -> Digest:
        """From the one line that earlier versions wrote; a digest without picks is still one line."""
        self._fetch(connection, _hashes(tree["picks"] if isinstance(tree, dict) and "picks" in tree else []))
        digest: Digest = self._codec.decoder(Digest)(tree)
        return digest

    def _read_picks(self, connection: Connection, lines: Sequence[str]) -> tuple[Pick, ...]:
        missing = _unread(lines, self._picks)
        if missing:
            self._fetch(connection, _hashes(missing.values()))
            decode = self._codec.decoder(Pick)
            self._picks.update((line, decode(tree)) for line, tree in missing.items())
        return tuple([self._picks[line] for line in lines])

    def _read_missed(self, lines: Sequence[str]) -> tuple[Missed, ...]:
        decode = self._codec.decoder(Missed)
        self._missed.update((line, decode(tree)) for line, tree in _unread(lines, self._missed).items())
        return tuple([self._missed[line] for line in lines])

    def _fetch(self, connection: Connection, hashes: set[str]) -> None:
        missing = hashes - self._papers.keys()
        if not missing:
            return
        if len(self._papers) > _KEPT:
            self._papers.clear()
            missing = hashes
        for name, body in connection.execute(_BODIES, {"hashes": tuple(missing)}):
            self._papers[name] = loads(Paper, body)

    def _paper(self, name: str) -> Paper:
        found = self._papers.get(name)
        if found is None:
            message = f"the paper with hash {name} is missing"
            raise BodyError(message)
        return found


def _unread(lines: Sequence[str], kept: dict[str, T]) -> dict[str, Any]:
    """The trees of those lines that are not kept; begins anew with keeping if there are too many."""
    if len(kept) > _KEPT:
        kept.clear()
    return {line: parse(line) for line in lines if line not in kept}


def _count(tree: Any, lines: Sequence[str]) -> int:
    """How many of the lines are picks. Raises BodyError if lines are missing, or another program's."""
    picks, missed = tree.get("picks", 0), tree.get("missed", 0)
    if type(picks) is not int or type(missed) is not int or picks < 0 or picks + missed != len(lines):
        message = f"{picks} picks and {missed} missed papers expected, {len(lines)} lines found"
        raise BodyError(message)
    return picks


def _hash(paper: Paper) -> str:
    return sha256(dumps(Paper, paper).encode("ascii")).hexdigest()


def _hashes(picks: Iterable[Any]) -> set[str]:
    """The papers that picks name. Raises BodyError for anything else."""
    try:
        return {pick["paper"] for pick in picks}
    except (KeyError, TypeError) as error:
        message = "it is not a digest"
        raise BodyError(message) from error
