"""Summaries of what waits, and the second line where nobody has looked in time."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from poxlens.serve.clinic.instants import HOUR
from poxlens.serve.clinic.notice.writing import body_of, write
from poxlens.serve.clinic.policy import Policy
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store import leases
from poxlens.serve.clinic.store.tables import Clinic, Referral


def remind(service: Service) -> int:
    """Write the digests and escalations that are due, for every clinic.

    Returns:
        How many notices were written.
    """
    with service.store.reading() as session:
        clinics = [(one.id, Policy.model_validate(one.policy)) for one in session.scalars(select(Clinic))]
    return sum(_digest(service, *one) + _escalate(service, *one) for one in clinics)


def _digest(service: Service, clinic_id: str, policy: Policy) -> int:
    if policy.digest_hours == 0:
        return 0
    now, name = service.now(), f"digest:{clinic_id}"
    with service.store.writing() as session:
        if not leases.take(session, name, now, every=policy.digest_hours * HOUR):
            return 0
        leases.done(session, name, now)
        waiting = _waiting(session, clinic_id)
        if not sum(waiting.values()):
            return 0
        overdue = _overdue(session, clinic_id, now, blind=policy.blind)
        levels = [f"{count} {level}" for level, count in sorted(waiting.items()) if count]
        told = str(sum(waiting.values())) if policy.blind else ", ".join(levels)
        text = f"Referrals waiting: {told}. Not looked at in the time they should have been: {overdue}."
        body = body_of(text, service.settings.public_url)
        return write(session, clinic_id, "digest", "Referrals waiting", body, policy, at=now)


def _escalate(service: Service, clinic_id: str, policy: Policy) -> int:
    """Once for each referral that nobody has opened by its due time."""
    if not policy.escalate:
        return 0
    now = service.now()
    late = (
        Referral.clinic_id == clinic_id, Referral.waiting.is_(True), Referral.first_seen_at.is_(None),
        Referral.escalated_at.is_(None), Referral.due_at < now,
    )  # fmt: skip
    with service.store.reading() as session:  # nearly always there is nothing: no need to write
        if session.scalars(select(Referral.id).where(*late).limit(1)).first() is None:
            return 0
    with service.store.writing() as session:
        found = session.execute(
            update(Referral).where(*late).values(escalated_at=now).returning(Referral.id)
        ).all()
        if not found:
            return 0
        text = f"Referrals that nobody has opened in the time they should have been: {len(found)}."
        body = body_of(text, service.settings.public_url)
        service.log(session, "server", "escalated", clinic_id, f"clinic:{clinic_id}", referrals=len(found))
        return write(
            session,
            clinic_id,
            "escalation",
            "Referrals not looked at",
            body,
            policy,
            at=now,
            second_line=True,
        )


def _waiting(session: Session, clinic_id: str) -> dict[str, int]:
    wanted = (
        select(Referral.urgency, func.count())
        .where(Referral.clinic_id == clinic_id, Referral.waiting.is_(True))
        .group_by(Referral.urgency)
    )
    return {level: int(count) for level, count in session.execute(wanted).all()}


def _overdue(session: Session, clinic_id: str, now: float, *, blind: bool) -> int:
    due = Referral.blind_due_at if blind else Referral.due_at
    wanted = select(func.count()).where(
        Referral.clinic_id == clinic_id, Referral.waiting.is_(True), due < now
    )
    return int(session.scalar(wanted) or 0)
