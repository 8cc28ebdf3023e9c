"""Run by alembic, inside the transaction of the connection that `migrate` hands over."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="schema_version",
    # SQLite changes columns by rebuilding the table
    render_as_batch=True,
)
context.run_migrations()
