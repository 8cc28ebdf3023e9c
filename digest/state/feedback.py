"""What readers said of papers, authors and words. What follows from it is decided elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, delete, func, select, update

from digest.model import FeedbackKind, FeedbackVerb
from digest.state.codec import to_text
from digest.state.database import chunks, elements
from digest.state.schema import alias, feedback, secret

if TYPE_CHECKING:
    from sqlalchemy import RowMapping

    from digest.state.database import Database

#: what was said of a paper under a name that it had before is said of the paper
_PRESENT = func.coalesce(alias.c.paper, feedback.c.what)
_SAID = select(
    *(column for column in feedback.c if column.name != "what"), _PRESENT.label("what"), feedback.c.what.label("typed")
).outerjoin(alias, and_(feedback.c.kind == "paper", alias.c.alias == feedback.c.what))
_READERS = select(feedback.c.email).where(feedback.c.undone_at.is_(None)).distinct()


@dataclass(frozen=True, slots=True)
class StoredFeedback:
    """One thing that one reader said."""

    #: the reader
    email: str
    #: when it was said, aware
    at: datetime
    verb: FeedbackVerb
    kind: FeedbackKind
    #: the paper's key, of what was read the present one; or the author or word as typed
    what: str
    #: when it was taken back, aware; None: it counts
    undone_at: datetime | None = None


class Feedback:
    """What the readers of one state said."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._record = database.insert(feedback).on_conflict_do_nothing()
        self._new_secret = database.insert(secret).on_conflict_do_nothing()
        self._counting = _SAID.where(feedback.c.email.in_(elements("emails")), feedback.c.undone_at.is_(None)).order_by(
            feedback.c.email, feedback.c.at
        )

    def record(self, said: Iterable[StoredFeedback]) -> None:
        """Keep them, all or none. The same one, read again after a crash, is kept once."""
        rows = [asdict(one) for one in said]
        if rows:
            with self._database.writing() as connection:
                connection.execute(self._record, rows)

    def undo(
        self, email: str, *, now: datetime, kind: FeedbackKind | None = None, what: str = ""
    ) -> StoredFeedback | None:
        """Take back the last thing that the reader said and that counts; None if there is none.

        Args:
            email: the reader.
            now: when it is taken back.
            kind: only of this kind, and about `what`; None: whatever it was about.
            what: the paper's present key, or as it was recorded.
        """
        last = _SAID.where(feedback.c.email == email, feedback.c.undone_at.is_(None))
        if kind is not None:
            last = last.where(feedback.c.kind == kind, _PRESENT == what)  # noqa: SIM300 - a column
        with self._database.transaction() as connection:
            row = connection.execute(last.order_by(feedback.c.at.desc()).limit(1)).mappings().one_or_none()
            if row is None:
                return None
            found = _read(row)
            same = [column == row["typed" if column.name == "what" else column.name] for column in feedback.primary_key]
            connection.execute(update(feedback).where(*same).values(undone_at=now))
        return replace(found, undone_at=now)

    def log(self, email: str) -> tuple[StoredFeedback, ...]:
        """Everything the reader ever said, oldest first, what was taken back included."""
        query = _SAID.where(feedback.c.email == email).order_by(feedback.c.at)
        with self._database.reading() as connection:
            return tuple(_read(row) for row in connection.execute(query).mappings())

    def counting(self, emails: Iterable[str]) -> dict[str, tuple[StoredFeedback, ...]]:
        """What counts, of those of the readers who said anything: the last word on each thing, oldest first."""
        last: dict[str, dict[tuple[str, str], StoredFeedback]] = {}
        with self._database.reading() as connection:
            for chunk in chunks(emails):
                for row in connection.execute(self._counting, {"emails": to_text(list(chunk))}).mappings():
                    one, own = _read(row), last.setdefault(row["email"], {})
                    own.pop((one.kind, one.what), None)
                    own[one.kind, one.what] = one
        return {email: tuple(own.values()) for email, own in last.items()}

    def readers(self) -> frozenset[str]:
        """Those who said something that counts."""
        with self._database.reading() as connection:
            return frozenset(connection.scalars(_READERS))

    def forget(self, email: str) -> int:
        """Delete everything the reader said; returns how much it was."""
        with self._database.writing() as connection:
            return connection.execute(delete(feedback).where(feedback.c.email == email)).rowcount

    def secret(self) -> str:
        """What signs the links in mails by which readers say more or less, or confirm that they want mail.

        Made when first asked for.
        """
        wanted = select(secret.c.value).where(secret.c.name == bindparam("name"))
        with self._database.reading() as connection:
            found = connection.scalar(wanted, {"name": "feedback"})
        if found is None:
            with self._database.writing() as connection:
                connection.execute(self._new_secret, {"name": "feedback", "value": secrets.token_urlsafe(32)})
            # read again: another process may have been quicker
            with self._database.reading() as connection:
                found = connection.scalar(wanted, {"name": "feedback"})
        return str(found)


def _read(row: RowMapping) -> StoredFeedback:
    return StoredFeedback(**{name: value for name, value in row.items() if name != "typed"})
