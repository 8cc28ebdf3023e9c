"""Digests ↔ JSON, each paper replaced by the hash of its body, so that thousands of digests share one copy of it.

A digest read back has the papers as they were when it was planned, whatever became of them since: the mail of a
resumed run is the same mail, byte for byte.

Writing goes around the codec: the picks of different readers differ in their numbers only, so all that is text in
them is encoded once for everybody. Digests of fifteen picks took 200 µs with the codec alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import fields
from hashlib import sha256
from math import isfinite
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar, get_type_hints

from sqlalchemy import bindparam, select

from digest.model import Digest, Match, Missed, Paper, Pick, Similar, Trend
from digest.state.codec import BodyError, Codec, dumps, encoder, loads, parse, to_text
from digest.state.database import chunks
from digest.state.schema import snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from digest.state.database import Database

T = TypeVar("T")

_NAMED = snapshot.c.hash.in_(bindparam("hashes", expanding=True))
_BODIES = select(snapshot.c.hash, snapshot.c.body).where(_NAMED)

#: papers kept in memory, some days' worth; then a Reader or Writer begins anew
_KEPT = 10_000
#: texts kept of what stands around the scores of picks; about 800 bytes each, with what they keep alive
_TEXTS = 20_000


class _Texts(Generic[T]):
    """Texts of values that are shared, each made once.

    By identity, for comparing a value's fields each time it appears would cost more than all the rest; the value is
    kept with its text, so that no other object can get its identity.
    """

    def __init__(self, make: Callable[[T], str]) -> None:
        self._make = make
        self._kept: dict[int, tuple[T, str]] = {}

    def __call__(self, value: T) -> str:
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
        self._upsert = new.on_conflict_do_update(
            index_elements=["hash"],
            set_={"last_planned_at": new.excluded.last_planned_at},
            where=snapshot.c.last_planned_at < new.excluded.last_planned_at,
        )
        self._stored = select(snapshot.c.hash).where(
            snapshot.c.hash.in_(database.elements("hashes")), snapshot.c.last_planned_at >= bindparam("now")
        )
        hints = get_type_hints(Digest)
        names = [one.name for one in fields(Digest) if one.name not in ("picks", "missed")]
        self._head = [(name, encoder(hints[name])) for name in names]
        self._hash: _Texts[Paper] = _Texts(lambda paper: sha256(dumps(Paper, paper).encode("ascii")).hexdigest())
        self._trend: _Texts[Trend] = _Texts(lambda trend: dumps(Trend, trend))
        self._moved: _Texts[Pick] = _Texts(self._pick)
        self._match: _Texts[Match] = _Texts(lambda match: dumps(Match, match))
        self._missed: _Texts[Missed] = _Texts(lambda missed: dumps(Missed, missed))
        self._around: dict[Hashable, tuple[str, str, object]] = {}

    def body(self, digest: Digest) -> str:
        """The digest as text. Its papers are stored by `write`. Raises ValueError for a score that is no number."""
        head = to_text({name: encode(getattr(digest, name)) for name, encode in self._head})
        # what trends is the same object for many readers, score and all
        picks = ",".join([self._moved(one) if one.part == "trending" else self._pick(one) for one in digest.picks])
        missed = ",".join(map(self._missed, digest.missed))
        return f'{head[:-1]},"picks":[{picks}],"missed":[{missed}]}}'

    def write(self, connection: Connection, digests: Iterable[Digest], *, now: datetime) -> None:
        """Store the papers of digests that were planned at `now` or before."""
        # by identity first: there are many picks, of few papers
        picked = {id(pick.paper): pick.paper for digest in digests for pick in digest.picks}
        papers = {self._hash(paper): paper for paper in picked.values()}
        for chunk in chunks(papers):
            stored = set(connection.scalars(self._stored, {"hashes": to_text(chunk), "now": now}))
            new = [(name, papers[name]) for name in chunk if name not in stored]
            rows = [{"hash": name, "last_planned_at": now, "body": dumps(Paper, paper)} for name, paper in new]
            if rows:
                connection.execute(self._upsert, rows)

    def _pick(self, pick: Pick) -> str:
        # what is around the score is the same for many readers, and the same objects
        part, why, summary, by = pick.part, pick.why, pick.summary, pick.summary_by
        parts = (pick.paper, pick.matches, pick.trend, pick.similar, part, why, summary, by)
        key = tuple(map(id, parts))
        known = self._around.get(key)
        if known is None:
            if len(self._around) >= _TEXTS:
                self._around.clear()
            before = f'{{"paper":"{self._hash(pick.paper)}","part":"{part}","score":'
            rest = {"why": why, "summary": summary, "summary_by": by}
            after = (
                f',"matches":[{",".join(map(self._match, pick.matches))}],"trend":{self._trend(pick.trend)},'
                f'"similar":{dumps(tuple[Similar, ...], pick.similar)},{to_text(rest)[1:]}'
            )
            # kept alive, so that their identities stay their own
            known = self._around[key] = (before, after, parts)
        return f"{known[0]}{_number(pick.score)}{known[1]}"


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


def _number(value: float) -> str:
    if not isfinite(value):
        message = f"{value} is not JSON compliant"
        raise ValueError(message)
    return repr(float(value))
