"""The referrals of some days, as few numbers as the figures need."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from poxlens.serve.clinic.store.tables import Note, Referral


@dataclass(frozen=True)
class Case:
    """One referral."""

    id: str
    filed_at: float
    due_at: float
    answered_at: float | None
    outcome: str
    novelty: float | None
    tone: str | None
    quality_failed: bool
    verdict: str | None
    pcr: str | None

    @property
    def mpox(self) -> bool | None:
        """What the laboratory says; None where it says nothing."""
        return {"positive": True, "negative": False}.get(self.pcr or "")


def cases_between(session: Session, clinic_id: str, start: float, end: float) -> list[Case]:
    """The referrals that were filed from `start` to before `end`, oldest first."""
    wanted = (
        select(
            Referral.id, Referral.filed_at, Referral.due_at, Referral.verdict_at.label("answered_at"), Referral.outcome,
            Referral.novelty,
            Referral.tone, Referral.quality_failed, Referral.verdict, Referral.pcr,
        )
        .where(Referral.clinic_id == clinic_id, Referral.filed_at >= start, Referral.filed_at < end)
        .order_by(Referral.filed_at, Referral.id)
    )  # fmt: skip
    return [Case(**row) for row in session.execute(wanted).mappings()]


def blind_opinions(session: Session, clinic_id: str, start: float, end: float) -> dict[str, str]:
    """Referral -> the first verdict that a clinician noted before the model's opinion could be seen."""
    found: dict[str, str] = {}
    for referral, verdict in _blind(session, clinic_id, start, end):
        found.setdefault(referral, verdict)
    return found


def _blind(session: Session, clinic_id: str, start: float, end: float) -> Iterator[tuple[str, str]]:
    wanted = (
        select(Note.referral_id, Note.verdict)
        .join(Referral, Referral.id == Note.referral_id)
        .where(
            Note.clinic_id == clinic_id, Note.blind.is_(True), Note.verdict.is_not(None), Referral.filed_at >= start,
            Referral.filed_at < end,
        )
        .order_by(Note.at)
    )  # fmt: skip
    for referral, verdict in session.execute(wanted):
        if verdict is not None:
            yield referral, verdict
