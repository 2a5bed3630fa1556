"""How Alembic runs the steps: on the connection and in the transaction that `store.migrate` gives it."""

from __future__ import annotations

from alembic import context

from poxlens.serve.clinic.store.tables import Base

connection = context.config.attributes["connection"]
# SQLite cannot alter columns in place: batch mode copies the table.
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
context.run_migrations()
