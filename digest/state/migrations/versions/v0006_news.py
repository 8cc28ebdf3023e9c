"""What became of papers after they became known, for those who were sent them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """From version 0005."""
    op.create_table(
        "news",
        sa.Column("paper", sa.Text, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("sentence", sa.Text, nullable=False),
    )
    op.create_index("ix_news_at", "news", ["at"])
