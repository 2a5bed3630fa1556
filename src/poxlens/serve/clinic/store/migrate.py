"""Bringing the database to the schema of this version, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from poxlens.serve.clinic.store.database import Store, StoreError

_LOCK = (
    7_085_291  # of PostgreSQL's advisory locks: two servers that start at a time migrate one after the other
)


def upgrade(store: Store) -> None:
    """Bring the schema to this version's; nothing happens where it is already.

    Raises:
        StoreError: when the database was made by a newer version.
    """
    config = _config()
    with store.writer.connect() as connection, connection.begin():
        if not store.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _check_known(config, MigrationContext.configure(connection).get_current_revision())
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(store: Store) -> bool:
    """Whether the schema is this version's."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def _check_known(config: Config, revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"The database is of a newer version of poxlens (schema {revision}). Update poxlens; nothing was changed."
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
