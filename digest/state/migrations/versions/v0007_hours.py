"""When, on its day, a source said what it said of a paper."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """From version 0006."""
    op.add_column("signal", sa.Column("at", sa.DateTime(timezone=True)))
