"""What came back of each reader's mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """From version 0003."""
    op.create_table(
        "bounce",
        sa.Column("email", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("diagnostic", sa.Text, nullable=False),
    )
