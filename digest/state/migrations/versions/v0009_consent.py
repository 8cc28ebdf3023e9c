"""Readers who were asked whether they want mail, and when pauses were ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """From version 0008."""
    op.add_column("subscriber", sa.Column("asked_at", sa.DateTime(timezone=True)))
    op.create_table(
        "resumption",
        sa.Column("email", sa.Text, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
