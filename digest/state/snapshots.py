"""Digests ↔ JSON, each paper replaced by the hash of its body, so that thousands of digests share one copy of it.

A digest read back has the papers as they were when it was planned, whatever became of them since: the mail of a
resumed run is the same mail, byte for byte.
"""

from __future__ import annotations

from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from digest.model import Digest, Paper
from digest.state.codec import BodyError, Codec, dumps, loads, parse
from digest.state.schema import snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from digest.state.database import Database

_BODIES = select(snapshot.c.hash, snapshot.c.body).where(snapshot.c.hash.in_(bindparam("hashes", expanding=True)))

#: papers that a Reader keeps in memory, some days' worth; then it begins anew
_KEPT = 10_000


class Writer:
    """Turns the digests of one call of `plan` into text, and remembers which papers are still to be written."""

    def __init__(self, database: Database) -> None:
        new = database.insert(snapshot)
        self._upsert = new.on_conflict_do_update(
            index_elements=["hash"],
            set_={"last_planned_at": new.excluded.last_planned_at},
            where=snapshot.c.last_planned_at < new.excluded.last_planned_at,
        )
        self._codec = Codec(encoders={Paper: self._hash})
        # by identity, for comparing a paper's fields each time it appears would cost more than all the rest; the
        # paper is kept with its hash, so that no other object can get its identity
        self._hashes: dict[int, tuple[Paper, str]] = {}
        self._unwritten: dict[str, str] = {}

    def body(self, digest: Digest) -> str:
        """The digest as text; its papers wait for `write`."""
        return self._codec.dumps(Digest, digest)

    def write(self, connection: Connection, *, now: datetime) -> None:
        """Store the papers not yet stored by this writer, as used by digests planned at `now` or before."""
        rows = [{"hash": name, "last_planned_at": now, "body": body} for name, body in self._unwritten.items()]
        if rows:
            connection.execute(self._upsert, rows)
        self._unwritten.clear()

    def _hash(self, paper: Paper) -> str:
        found = self._hashes.get(id(paper))
        if found is not None:
            return found[1]
        body = dumps(Paper, paper)
        name = sha256(body.encode("ascii")).hexdigest()
        self._hashes[id(paper)] = (paper, name)
        self._unwritten[name] = body
        return name


class Reader:
    """Turns texts back into digests. Keeps papers in memory: what a hash names never changes."""

    def __init__(self) -> None:
        self._papers: dict[str, Paper] = {}
        self._codec = Codec(decoders={Paper: self._paper})
        # one thread at a time: between fetching the papers and using them nobody may forget them
        self._lock = Lock()

    def digest(self, connection: Connection, body: str | None) -> Digest:
        """The digest as it was planned. Raises BodyError if it, or a paper in it, is missing or cannot be read."""
        if body is None:
            message = "they are missing"
            raise BodyError(message)
        tree = parse(body)
        with self._lock:
            self._fetch(connection, _hashes(tree))
            digest: Digest = self._codec.decoder(Digest)(tree)
        return digest

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


def _hashes(tree: Any) -> set[str]:
    """The papers that a digest's text names. Raises BodyError for another text."""
    try:
        return {pick["paper"] for pick in tree.get("picks", ())}
    except (AttributeError, KeyError, TypeError) as error:
        message = "it is not a digest"
        raise BodyError(message) from error
