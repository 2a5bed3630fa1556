"""The worklist: a page of a clinic's referrals in the order of their due times, by an index and never by an offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select, tuple_
from sqlalchemy.orm import Session, load_only

from poxlens.serve.clinic.referrals.states import State
from poxlens.serve.clinic.store.tables import Note, Referral, ReferralCount

COLUMNS = (
    Referral.id, Referral.filed_at, Referral.due_at, Referral.blind_due_at, Referral.urgency, Referral.outcome,
    Referral.probability,
    Referral.answers, Referral.photo_count, Referral.state, Referral.waiting, Referral.revision, Referral.first_seen_at,
    Referral.claimed_by, Referral.claimed_until, Referral.verdict, Referral.diagnosis, Referral.verdict_at,
    Referral.verdict_by, Referral.pcr, Referral.pcr_at, Referral.source, Referral.reply_read_at,
)  # fmt: skip
"""What a list shows: never the sealed columns or the whole result."""


CURSOR = r"^[0-9]{1,12}\.[0-9]{1,9}-[0-9a-f]{32}$"
"""What a place in a list looks like: the due time and the id of the last referral before it."""


@dataclass(frozen=True)
class Filter:
    """Which referrals; None is any."""

    waiting: bool | None = True
    state: str | None = None
    outcome: str | None = None
    urgency: str | None = None
    verdict: str | None = None
    pcr: str | None = None
    filed_from: float | None = None
    filed_to: float | None = None
    person_key: str | None = None
    code_hash: str | None = None


@dataclass(frozen=True)
class Page:
    """Some referrals and the place after them."""

    referrals: Sequence[Referral]
    next: str | None


def page(
    session: Session,
    clinic_id: str,
    wanted: Filter,
    *,
    after: str | None = None,
    most: int = 50,
    blind: bool = False,
) -> Page:
    """The next referrals of a list, those first that are due first.

    Args:
        session: any transaction.
        clinic_id: whose.
        wanted: which.
        after: the `next` of the page before, as CURSOR says.
        most: how many.
        blind: whether the order is that of blind mode, by the person's answers and the time of waiting alone.
    """
    due = Referral.blind_due_at if blind else Referral.due_at
    query: Select[Any] = (
        select(Referral)
        .options(load_only(*COLUMNS))
        .where(Referral.clinic_id == clinic_id, *_conditions(wanted))
    )
    if after is not None:
        time, last = _place(after)
        query = query.where(tuple_(due, Referral.id) > tuple_(time, last))
    found = list(session.scalars(query.order_by(due, Referral.id).limit(most + 1)))
    more = len(found) > most
    found = found[:most]
    return Page(found, _cursor(found[-1], blind=blind) if more else None)


def counts(session: Session, clinic_id: str) -> dict[str, int]:
    """How many referrals there are in each state."""
    found = session.get(ReferralCount, clinic_id)
    return {state: 0 if found is None else int(getattr(found, f"of_{state}")) for state in State}


def opinions_of(session: Session, user_id: str, referrals: Sequence[str]) -> set[str]:
    """Those of the referrals of which a clinician has noted an opinion."""
    if not referrals:
        return set()
    query = select(Note.referral_id).where(
        Note.user_id == user_id, Note.referral_id.in_(referrals), Note.kind.in_(("opinion", "verdict"))
    )
    return set(session.scalars(query))


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    given: list[tuple[Any, Any]] = [
        (Referral.waiting, wanted.waiting), (Referral.state, wanted.state), (Referral.outcome, wanted.outcome),
        (Referral.urgency, wanted.urgency), (Referral.verdict, wanted.verdict), (Referral.pcr, wanted.pcr),
        (Referral.person_key, wanted.person_key), (Referral.code_hash, wanted.code_hash),
    ]  # fmt: skip
    found: list[ColumnElement[bool]] = [column == value for column, value in given if value is not None]
    if wanted.filed_from is not None:
        found.append(Referral.filed_at >= wanted.filed_from)
    if wanted.filed_to is not None:
        found.append(Referral.filed_at < wanted.filed_to)
    return found


def _cursor(last: Referral, *, blind: bool) -> str:
    due = last.blind_due_at if blind else last.due_at
    return f"{due!r}-{last.id}"


def _place(cursor: str) -> tuple[float, str]:
    due, _, last = cursor.partition("-")
    return float(due), last
