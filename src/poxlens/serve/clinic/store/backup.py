"""A copy of everything in one encrypted file, and the way back; also the way from SQLite to PostgreSQL.

The file is a .zip: `backup.json`, and for each table parts of at most some megabytes, each JSON lines, encrypted under
a key that a key of the key file wraps. Sessions, counts and leases are left out: nobody is to be signed in by a backup.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, text
from sqlalchemy.orm import Session

from poxlens.errors import PoxlensError
from poxlens.files import sha256_bytes
from poxlens.serve.clinic import audit
from poxlens.serve.clinic.store.database import Store
from poxlens.serve.clinic.store.keyfile import KeysError
from poxlens.serve.clinic.store.keyring import Keyring, SealedPhoto
from poxlens.serve.clinic.store.tables import (
    AuditHead,
    Base,
    Clinic,
    Job,
    Login,
    OidcLogin,
    Rate,
    ReferralCount,
)

FORMAT = "poxlens-clinic-backup/1"
_PART = 4_000_000  # bytes of JSON, about
_LEFT_OUT = {model.__tablename__ for model in (Login, Rate, Job, OidcLogin, ReferralCount)}
_MANIFEST = "backup.json"
Advance = Callable[[int], None]


class BackupError(PoxlensError):
    """A backup that cannot be made, is damaged, or does not fit the keys or the database."""


@dataclass(frozen=True)
class Copied:
    """What is in a backup."""

    rows: dict[str, int]  # by table
    audit_head: str


def back_up(
    store: Store, keyring: Keyring, out: Path, now: float, *, advance: Advance = lambda _: None
) -> Copied:
    """Write a backup, whole or not at all, of one moment, while the server goes on.

    Args:
        store: the database.
        keyring: the keys; the backup opens with the same file, or a later one that still has today's key.
        out: a file that does not exist yet.
        now: seconds since 1970.
        advance: called with the number of rows that are done.

    Raises:
        BackupError: when the file exists.
        OSError: when it cannot be written.
    """
    if out.exists():
        raise BackupError(f"{out}: exists already; choose another name.")
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.part")
    own = secrets.token_bytes(32)
    sealed_key = keyring.seal_photo(own, "backup")
    told: dict[str, Any] = {
        "format": FORMAT,
        "made_at": now,
        "key_id": sealed_key.key_id,
        "parts": {},
        "rows": {},
    }
    told["key"] = [base64.b64encode(part).decode() for part in (sealed_key.wrapped_key, sealed_key.sealed)]
    try:
        with store.reading() as session, zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
            _one_moment(session, store)
            told["schema"] = session.scalar(text("SELECT version_num FROM alembic_version"))
            told["audit_head"] = session.scalars(select(AuditHead)).one().chain
            for table in _tables():
                told["rows"][table.name] = _write_table(archive, session, table, own, told["parts"], advance)
            archive.writestr(_MANIFEST, json.dumps(told, indent=1))
        with aside.open("rb") as stream:
            os.fsync(stream.fileno())
        aside.chmod(0o600)
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)
    return Copied(told["rows"], told["audit_head"])


def restore(store: Store, keyring: Keyring, path: Path, *, advance: Advance = lambda _: None) -> Copied:
    """Put a backup into an empty database, whole or not at all.

    Args:
        store: of this version's schema, without a clinic.
        keyring: the keys.
        path: of the backup.
        advance: called with the number of rows that are done.

    Raises:
        BackupError: when the file is damaged or of another schema, the keys do not open it, the database is not empty,
            or the audit log in it does not verify.
    """
    try:
        with zipfile.ZipFile(path) as archive, store.writing() as session:
            told = _manifest(archive, path)
            _check_place(session, told, path)
            own = _own_key(keyring, told, path)
            session.execute(delete(AuditHead))
            for table in _tables():
                count = _read_table(archive, session, table, own, told, path, advance)
                if count != told["rows"].get(table.name):
                    raise BackupError(f"{path}: {table.name} is not complete.")
            found = audit.verify(session, keyring.keys.audit, noted=told["audit_head"])
            if found.fault is not None:
                raise BackupError(f"{path}: the audit log in it does not verify: {found.fault}.")
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as fault:
        raise BackupError(f"{path}: cannot be read as a backup ({fault}).") from fault
    return Copied(told["rows"], told["audit_head"])


def _one_moment(session: Session, store: Store) -> None:
    if not store.sqlite:  # SQLite's readers see one moment anyway
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))


def _tables() -> list[Table]:
    """Those that others refer to first."""
    return [table for table in Base.metadata.sorted_tables if table.name not in _LEFT_OUT]


def _write_table(
    archive: zipfile.ZipFile,
    session: Session,
    table: Table,
    key: bytes,
    parts: dict[str, str],
    advance: Advance,
) -> int:
    count, number, size = 0, 0, 0
    lines: list[str] = []

    def flush() -> None:
        nonlocal number, lines, size
        number += 1
        name = f"{table.name}/{number:06d}"
        sealed = Keyring.seal_with(key, "\n".join(lines).encode(), f"backup:{name}")
        archive.writestr(name, sealed)
        parts[name] = sha256_bytes(sealed)
        lines, size = [], 0

    for row in session.execute(select(table).execution_options(yield_per=20)):
        line = json.dumps(row._asdict(), default=_as_text)
        lines.append(line)
        size += len(line)
        count += 1
        advance(1)
        if size >= _PART:
            flush()
    if lines:
        flush()
    return count


def _read_table(
    archive: zipfile.ZipFile, session: Session, table: Table, key: bytes, told: dict[str, Any], path: Path,
    advance: Advance,
) -> int:  # fmt: skip
    count = 0
    for name in sorted(name for name in told["parts"] if name.startswith(f"{table.name}/")):
        rows = [_as_row(table, json.loads(line)) for line in _part(archive, name, key, told, path)]
        session.execute(insert(table), rows)
        count += len(rows)
        advance(len(rows))
    return count


def _part(
    archive: zipfile.ZipFile, name: str, key: bytes, told: dict[str, Any], path: Path
) -> Iterator[bytes]:
    sealed = archive.read(name)
    if sha256_bytes(sealed) != told["parts"][name]:
        raise BackupError(f"{path}: {name} is damaged.")
    try:
        yield from Keyring.open_with(key, sealed, f"backup:{name}").split(b"\n")
    except KeysError as fault:
        raise BackupError(f"{path}: {name} was changed.") from fault


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(archive.read(_MANIFEST))
    if told["format"] != FORMAT:
        raise BackupError(f"{path}: of format {told['format']!r}, not {FORMAT}.")
    return told


def _check_place(session: Session, told: dict[str, Any], path: Path) -> None:
    if session.scalar(select(func.count()).select_from(Clinic)):
        raise BackupError(
            "The database has a clinic already; restore into an empty one (another --data folder)."
        )
    schema = session.scalar(text("SELECT version_num FROM alembic_version"))
    if told["schema"] != schema:
        raise BackupError(
            f"{path}: of schema {told['schema']}, this version has {schema}. Restore with its version."
        )


def _own_key(keyring: Keyring, told: dict[str, Any], path: Path) -> bytes:
    wrapped, sealed = (base64.b64decode(part) for part in told["key"])
    try:
        return keyring.open_photo(SealedPhoto(told["key_id"], wrapped, sealed), "backup")
    except KeysError as fault:
        raise BackupError(f"{path}: the keys do not open it: {fault}") from fault


def _as_text(value: object) -> dict[str, str]:
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    raise TypeError(f"{type(value).__name__} cannot be copied")


def _as_row(table: Table, told: dict[str, Any]) -> dict[str, Any]:
    row = {}
    for column in table.columns:
        value = told[column.name]
        binary = isinstance(value, dict) and column.type.python_type is bytes
        row[column.name] = base64.b64decode(value["base64"]) if binary else value
    return row
