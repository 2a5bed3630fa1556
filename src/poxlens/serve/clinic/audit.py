"""The audit log: lines that are only ever added, each chained to the one before by a keyed hash.

The chain is HMAC-SHA256 under a key that is not in the database, so a person with the database alone can neither
change a line nor leave one out unseen. Lines hold ids and codes, never anything about a patient.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from poxlens.serve.clinic.store.tables import AuditEntry, AuditHead

START = "0" * 64
_PAGE = 1_000


@dataclass(frozen=True)
class Verified:
    """What a check of the log found."""

    lines: int
    head: str  # the last chain value; noted elsewhere, it proves later that nothing was cut off
    fault: str | None  # the first thing wrong, or None


def record(
    session: Session,
    key: bytes,
    *,
    at: float,
    actor: str,
    action: str,
    clinic_id: str | None,
    object: str = "",
    **detail: str | int | float | bool | None,
) -> None:
    """Add a line; call it last in a transaction, as the end of the chain stays locked until the commit.

    Args:
        session: a writing transaction; the line is there exactly when what it tells of is.
        key: of the chain.
        at: when.
        actor: `user:ID`, `device:ID`, `command`, `server` or `anyone`.
        action: what was done, such as `verdict`.
        clinic_id: of which clinic; None for the server as a whole.
        object: to what, such as `referral:ID`.
        detail: more, without personal data.
    """
    head = session.scalars(select(AuditHead).with_for_update()).one()
    entry = AuditEntry(
        number=head.number + 1, at=round(at, 3), clinic_id=clinic_id, actor=actor, action=action, object=object,
        detail=json.dumps(detail, sort_keys=True)[:500], chain="",
    )  # fmt: skip
    entry.chain = _chain(key, head.chain, entry)
    head.number, head.chain = entry.number, entry.chain
    session.add(entry)
    session.flush()


def verify(session: Session, key: bytes, *, noted: str | None = None) -> Verified:
    """Go through the whole log.

    Args:
        session: any transaction.
        key: of the chain.
        noted: a head that an earlier check gave; it must still be in the log.
    """
    before, number, seen = START, 0, noted in (None, START)
    for entry in _entries(session):
        number += 1
        if entry.number != number:
            return Verified(number - 1, before, f"line {number} is missing")
        if not hmac.compare_digest(entry.chain, _chain(key, before, entry)):
            return Verified(number - 1, before, f"line {number} was changed, or the key is another one")
        before = entry.chain
        seen = seen or entry.chain == noted
    head = session.scalars(select(AuditHead)).one()
    if (head.number, head.chain) != (number, before):
        return Verified(
            number, before, f"lines after {number} are missing: the log said it had {head.number}"
        )
    if not seen:
        return Verified(number, before, "the noted head is not in the log: it was cut off or replaced")
    return Verified(number, before, None)


def entries(
    session: Session, clinic_id: str, *, before: int | None = None, most: int = 100
) -> list[AuditEntry]:
    """The latest lines of a clinic, newest first."""
    wanted = select(AuditEntry).where(AuditEntry.clinic_id == clinic_id)
    if before is not None:
        wanted = wanted.where(AuditEntry.number < before)
    return list(session.scalars(wanted.order_by(AuditEntry.number.desc()).limit(most)))


def detail_of(entry: AuditEntry) -> dict[str, Any]:
    """The detail of a line; one that was cut at its limit gives nothing."""
    try:
        found = json.loads(entry.detail)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _entries(session: Session) -> Iterator[AuditEntry]:
    number = -1
    while True:
        wanted = select(AuditEntry).where(AuditEntry.number > number).order_by(AuditEntry.number)
        page = list(session.scalars(wanted.limit(_PAGE)))
        if not page:
            return
        yield from page
        number = page[-1].number
        session.expunge_all()


def _chain(key: bytes, before: str, entry: AuditEntry) -> str:
    told = [
        before, entry.number, f"{entry.at:.3f}", entry.clinic_id, entry.actor, entry.action, entry.object, entry.detail,
    ]  # fmt: skip
    return hmac.new(key, json.dumps(told).encode(), hashlib.sha256).hexdigest()
