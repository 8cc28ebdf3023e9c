"""Small pictures of papers. Fetched by the next pulls, so that there is nothing to fill in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """From version 0009."""
    op.create_table(
        "thumbnail",
        sa.Column("url", sa.Text, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary),
    )
    op.create_index("ix_thumbnail_at", "thumbnail", ["at"])
    op.create_index("ix_thumbnail_name", "thumbnail", ["name"])
