"""The database: SQLite in WAL mode, or PostgreSQL by URL; transactions that either are on disk or never were."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from poxlens.errors import PoxlensError

WAIT = 15  # seconds for a lock or a connection, then the caller is told to come back


# pg8000 lets these through where the connection breaks while it reads.
_GONE = (ConnectionError, TimeoutError, struct.error)


class StoreError(PoxlensError):
    """A database that cannot be used as told: an address that is wrong, or a schema that is newer."""


class StoreUnavailableError(PoxlensError):
    """The database is gone, full or too busy; what was asked for was not done and may be asked again."""


class Store:
    """Transactions on the clinic's database; safe to share between threads.

    Args:
        url: `sqlite:///path` or `postgresql://user:password@host/name`.

    Raises:
        StoreError: when the address is of neither kind.
    """

    def __init__(self, url: str) -> None:
        self.url = _driver(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(self.url) if self.sqlite else _postgresql(self.url)
        self.writer = self.engine.execution_options(poxlens_write=True)
        # SQLite has one writer: waiting here is fair and free, waiting in SQLite polls.
        self._turn: Any = threading.Lock() if self.sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that changes nothing.

        Raises:
            StoreUnavailableError: when the database cannot be reached.
        """
        with _told(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """A connection for a statement that changes nothing: for what each request asks, at half a session's cost.

        Raises:
            StoreUnavailableError: when the database cannot be reached.
        """
        with _told(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed, and on disk, when the block ends without an exception.

        Raises:
            StoreUnavailableError: when the database is gone or full; nothing was changed.
            IntegrityError: when a row breaks a rule of its table; nothing was changed.
        """
        with _told(), self._turn, Session(self.writer, expire_on_commit=False) as session, session.begin():
            yield session

    def check(self) -> None:
        """Ask the database for anything.

        Raises:
            StoreUnavailableError: when it does not answer.
        """
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, PoolTimeoutError, *_GONE) as fault:
        raise StoreUnavailableError(
            f"database: {_first_line(fault)}",
            client_message="The storage is not available at the moment. Nothing was changed; try again soon.",
        ) from fault


def _first_line(fault: Exception) -> str:
    # Statements and their values, which SQLAlchemy puts below, could hold what must not be in a log.
    cause = getattr(fault, "orig", None) or fault
    return f"{type(cause).__name__}: {str(cause).splitlines()[0] if str(cause) else ''}"[:200]


def _driver(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("--database: not an address such as postgresql://user@host/name") from None
    if parsed.drivername in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+pg8000")
    if parsed.drivername not in ("sqlite", "postgresql+pg8000"):
        raise StoreError(f"--database: {parsed.drivername} is not served; SQLite and PostgreSQL are.")
    return parsed


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url, pool_size=20, max_overflow=20, pool_timeout=WAIT, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions begin below, not where the driver thinks
        for setting in (
            f"busy_timeout = {WAIT * 1000}",
            "journal_mode = WAL",
            "synchronous = FULL",  # what was acknowledged survives a power cut
            "foreign_keys = ON",
            "secure_delete = ON",  # what was erased is overwritten
        ):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes later could find that another has written between.
        write = connection.get_execution_options().get("poxlens_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url, pool_size=10, max_overflow=10, pool_timeout=WAIT, pool_pre_ping=True,
        connect_args={"timeout": 2 * WAIT},
    )  # fmt: skip
