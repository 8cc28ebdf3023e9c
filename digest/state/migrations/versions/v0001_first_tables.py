"""The first tables."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Boolean, Column, Date, DateTime, ForeignKey, ForeignKeyConstraint, Integer, String, Text

revision = "0001"
down_revision = None

Moment = DateTime(timezone=True)


def upgrade() -> None:
    """From nothing."""
    _papers()
    _subscribers()
    _mail()
    _runs()


def _papers() -> None:
    op.create_table(
        "paper",
        Column("key", Text, primary_key=True),
        Column("first_seen_at", Moment, nullable=False, index=True),
        Column("edition", Date, index=True),
        Column("body", Text, nullable=False),
    )
    op.create_table(
        "alias",
        Column("alias", Text, primary_key=True),
        Column("paper", Text, ForeignKey("paper.key"), nullable=False, index=True),
    )
    op.create_table(
        "signal",
        Column("paper", Text, ForeignKey("paper.key"), primary_key=True),
        Column("day", Date, primary_key=True),
        Column("source", Text, primary_key=True),
        Column("upvotes", Integer),
        Column("comments", Integer),
        Column("stars", Integer),
        Column("position", Integer),
        sqlite_with_rowid=False,
    )
    op.create_table("source", Column("name", Text, primary_key=True), Column("memory", Text, nullable=False))


def _subscribers() -> None:
    op.create_table(
        "subscriber",
        Column("email", Text, primary_key=True),
        Column("created_at", Moment, nullable=False),
        Column("body", Text, nullable=False),
    )
    op.create_table(
        "token", Column("email", Text, primary_key=True), Column("token", Text, nullable=False, unique=True)
    )
    op.create_table(
        "pause",
        Column("email", Text, primary_key=True),
        Column("until", Date),
        Column("reason", Text, nullable=False),
        Column("at", Moment, nullable=False),
    )


def _mail() -> None:
    op.create_table(
        "snapshot",
        Column("hash", String(64), primary_key=True),
        Column("last_planned_at", Moment, nullable=False, index=True),
        Column("body", Text, nullable=False),
    )
    op.create_table(
        "ledger",
        Column("email", Text, primary_key=True),
        Column("local_date", Date, primary_key=True),
        Column("state", Text, nullable=False),
        Column("message_id", Text, nullable=False, unique=True),
        Column("planned_at", Moment, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("next_attempt_at", Moment),
        Column("owner", Text, nullable=False),
        Column("answer", Text, nullable=False),
        Column("updated_at", Moment, nullable=False),
        Column("papers", Text, nullable=False),
    )
    op.create_table(
        "planned",
        Column("email", Text, primary_key=True),
        Column("local_date", Date, primary_key=True),
        Column("planned_at", Moment, nullable=False, index=True),
        Column("body", Text, nullable=False),
        ForeignKeyConstraint(["email", "local_date"], ["ledger.email", "ledger.local_date"]),
    )


def _runs() -> None:
    op.create_table(
        "run",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("command", Text, nullable=False),
        Column("started_at", Moment, nullable=False, index=True),
        Column("finished_at", Moment, nullable=False),
        Column("notes", Text, nullable=False),
    )
    op.create_table(
        "verdict",
        Column("run", Integer, ForeignKey("run.id"), primary_key=True, autoincrement=False),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("scope", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("finding", Text, nullable=False),
        Column("sentence", Text, nullable=False),
        Column("at", Moment, nullable=False),
        Column("counts", Text, nullable=False),
        Column("trouble", Boolean, nullable=False),
    )
    op.create_index("ix_verdict_scope_name_at", "verdict", ["scope", "name", "at"])
