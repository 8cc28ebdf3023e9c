"""The tables. The same for SQLite and PostgreSQL; bodies are JSON text (see `codec`), not queried inside.

One thing is looked for in them, see `Subscribers.want_pictures`. A change here needs a new script in
`migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

if TYPE_CHECKING:
    from sqlalchemy import Dialect


class Moment(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC. SQLite knows no zones, so UTC is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """To UTC; a naive datetime is a mistake in the caller and raises ValueError."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = f"{value} has no time zone"
            raise ValueError(message)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """UTC whatever the zone of the PostgreSQL session."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def storable(text: str) -> str:
    """The nearest text that every database takes: PostgreSQL refuses NUL, both refuse lone surrogates."""
    if text.isprintable():
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


class PlainText(TypeDecorator[str]):
    """Text from outside, made `storable`; the same for storing and for looking up."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """What is written or looked for."""
        return None if value is None else storable(value)


metadata = MetaData()

#: every paper ever seen, under the best of its identifiers
paper = Table(
    "paper",
    metadata,
    Column("key", PlainText, primary_key=True),
    Column("first_seen_at", Moment, nullable=False, index=True),
    # null: known, but never to be mailed
    Column("edition", Date, index=True),
    Column("body", Text, nullable=False),
)

#: every identifier of every paper, `paper.key` itself included: one lookup finds a paper by any of them
alias = Table(
    "alias",
    metadata,
    Column("alias", PlainText, primary_key=True),
    Column("paper", ForeignKey("paper.key"), nullable=False, index=True),
)

#: what each source said about a paper, the last word of each UTC day
signal = Table(
    "signal",
    metadata,
    Column("paper", ForeignKey("paper.key"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("source", PlainText, primary_key=True),
    Column("upvotes", Integer),
    Column("comments", Integer),
    Column("stars", Integer),
    Column("position", Integer),
    # null: before version 0007 hours were not kept
    Column("at", Moment),
    sqlite_with_rowid=False,
)

#: what became of papers after they became known. The key is the paper's of that day: `alias` knows the present one
news = Table(
    "news",
    metadata,
    Column("paper", PlainText, primary_key=True),
    Column("at", Moment, primary_key=True, index=True),
    Column("kind", Text, primary_key=True),
    Column("sentence", PlainText, nullable=False),
)

#: what is remembered of each source between pulls
source = Table(
    "source",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("memory", Text, nullable=False),
)

#: readers who joined at run time; those of the configuration are not here
subscriber = Table(
    "subscriber",
    metadata,
    Column("email", PlainText, primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("body", Text, nullable=False),
    # when they were last asked whether they want mail; null: they have said so, or were never asked
    Column("asked_at", Moment),
)

#: names for readers in unsubscribe links; kept for good, because old mails carry them
token = Table(
    "token",
    metadata,
    Column("email", PlainText, primary_key=True),
    Column("token", PlainText, nullable=False, unique=True),
)

#: readers, of the configuration too, who asked for silence or cannot be reached
pause = Table(
    "pause",
    metadata,
    Column("email", PlainText, primary_key=True),
    # null: until resumed
    Column("until", Date),
    Column("reason", PlainText, nullable=False),
    Column("at", Moment, nullable=False),
)

#: when pauses were last ended; what was refused before is not held against a reader
resumption = Table(
    "resumption",
    metadata,
    Column("email", PlainText, primary_key=True),
    Column("at", Moment, nullable=False),
)

#: what came back of readers' mail; forgotten when they are resumed
bounce = Table(
    "bounce",
    metadata,
    Column("email", PlainText, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("message_id", PlainText, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("status", PlainText, nullable=False),
    Column("diagnostic", PlainText, nullable=False),
)

#: what readers said of papers, authors and words, in the order said; taken back, it stays as a record
feedback = Table(
    "feedback",
    metadata,
    Column("email", PlainText, primary_key=True),
    Column("at", Moment, primary_key=True),
    # more, less, mute
    Column("verb", Text, primary_key=True),
    # what `what` is: paper (a key), author, word
    Column("kind", Text, primary_key=True),
    Column("what", PlainText, primary_key=True),
    # null: it counts
    Column("undone_at", Moment),
)

#: papers that readers had before they came, from their own lists of references
interest = Table(
    "interest",
    metadata,
    Column("email", PlainText, primary_key=True),
    # the key, or what else tells items of one reader apart
    Column("item", PlainText, primary_key=True),
    Column("title", PlainText, nullable=False),
    # empty if it is unknown
    Column("abstract", PlainText, nullable=False),
    # canonical key, whether or not the paper is in `paper`; null: the list does not tell
    Column("paper", PlainText),
    Column("weight", Float, nullable=False),
    # path of the file it came from; once, its name alone
    Column("source", PlainText, nullable=False),
    Column("at", Moment, nullable=False),
)

#: the interests of each reader as one, so that no run reads them all again. Follows from `interest` and the papers of
#: the run in which it was made, and is made again where it is missing: it is not exported
direction = Table(
    "direction",
    metadata,
    Column("email", PlainText, primary_key=True),
    # of the way in which it was made
    Column("version", Integer, nullable=False),
    # how many papers the run had
    Column("papers", Integer, nullable=False),
    # a JSON list of keys: interests of which nothing but the key was known
    Column("waiting", Text, nullable=False),
    # separated by spaces
    Column("stems", PlainText, nullable=False),
    # two rows of numbers, one for each stem: 32-bit floats, little-endian
    Column("numbers", LargeBinary, nullable=False),
    info={"derived": True},
)

#: what machines wrote of papers, so that they are asked once
summary = Table(
    "summary",
    metadata,
    Column("paper", PlainText, primary_key=True),
    # SHA-256 of the text that was summarised
    Column("hash", String(64), primary_key=True),
    Column("language", PlainText, primary_key=True),
    Column("model", PlainText, primary_key=True),
    Column("text", PlainText, nullable=False),
    Column("at", Moment, nullable=False, index=True),
)

#: what machines were asked, per UTC day
usage = Table(
    "usage",
    metadata,
    Column("day", Date, primary_key=True),
    Column("model", PlainText, primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
)

#: small pictures of papers, by the address of what they were made of. They are fetched again where they are missing
thumbnail = Table(
    "thumbnail",
    metadata,
    Column("url", PlainText, primary_key=True),
    # when it was tried last
    Column("at", Moment, nullable=False, index=True),
    # made of the data (SHA-256); empty without
    Column("name", Text, nullable=False, index=True),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    # a JPEG file; null: nothing could be made of it
    Column("data", LargeBinary),
    info={"derived": True},
)

#: keys for signing; nobody outside ever sees them
secret = Table(
    "secret",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("value", PlainText, nullable=False),
)

#: papers exactly as they were when a digest was planned, and what else many digests share; by the SHA-256 of the body
snapshot = Table(
    "snapshot",
    metadata,
    Column("hash", String(64), primary_key=True),
    # not earlier than `planned_at` of every digest that names it
    Column("last_planned_at", Moment, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

#: SQL for "not final". Written out because SQLite uses a partial index only for the very same condition
OPEN = text("state IN ('planned', 'sending', 'deferred', 'in_doubt', 'held')")

#: one row per mail; its primary key is the promise "one digest per subscriber per local day". What was delivered to
#: whom is in here too: the papers of rows in state `sent`
ledger = Table(
    "ledger",
    metadata,
    Column("email", PlainText, primary_key=True),
    Column("local_date", Date, primary_key=True, index=True),
    Column("state", Text, nullable=False),
    Column("message_id", PlainText, nullable=False, unique=True),
    Column("planned_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Moment),
    # who sends or sent it last: `host:pid`
    Column("owner", PlainText, nullable=False),
    Column("answer", PlainText, nullable=False),
    Column("updated_at", Moment, nullable=False),
    # keys of the picks, a JSON list
    Column("papers", Text, nullable=False),
)
Index("ix_ledger_open", ledger.c.local_date, ledger.c.email, sqlite_where=OPEN, postgresql_where=OPEN)
Index("ix_ledger_open_email", ledger.c.email, sqlite_where=OPEN, postgresql_where=OPEN)

#: what is in the mail: digests with snapshot hashes for papers. Apart from the ledger, whose rows are rewritten at
#: each step: with the body inside, a claim would write four times as much
planned = Table(
    "planned",
    metadata,
    Column("email", PlainText, primary_key=True),
    Column("local_date", Date, primary_key=True),
    Column("planned_at", Moment, nullable=False, index=True),
    Column("body", Text, nullable=False),
    ForeignKeyConstraint(["email", "local_date"], ["ledger.email", "ledger.local_date"]),
)

#: runs of commands
run = Table(
    "run",
    metadata,
    # from 1, in the order recorded
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("command", PlainText, nullable=False),
    Column("started_at", Moment, nullable=False, index=True),
    Column("finished_at", Moment, nullable=False),
    # a JSON list of sentences
    Column("notes", Text, nullable=False),
)

#: what each run found, per source and subscriber
verdict = Table(
    "verdict",
    metadata,
    Column("run", ForeignKey("run.id"), primary_key=True, autoincrement=False),
    # place within the report, from 0
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("scope", Text, nullable=False),
    Column("name", PlainText, nullable=False),
    Column("finding", Text, nullable=False),
    Column("sentence", PlainText, nullable=False),
    Column("at", Moment, nullable=False),
    # a JSON object of numbers
    Column("counts", Text, nullable=False),
    Column("trouble", Boolean, nullable=False),
    Index("ix_verdict_scope_name_at", "scope", "name", "at"),
)

#: alembic's own table, apart from the others: it is neither exported nor compared
schema_version = Table("schema_version", MetaData(), Column("version_num", String(32), primary_key=True))
