"""Deleting: one person's data on request, and everybody's when its time is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from poxlens.serve.clinic.faults import not_found
from poxlens.serve.clinic.ids import hashed
from poxlens.serve.clinic.instants import DAY
from poxlens.serve.clinic.policy import Policy
from poxlens.serve.clinic.referrals.filing import person_key
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.tables import Clinic, Note, Photo, Referral

_AT_A_TIME = 200  # rows in one transaction: others wait for it


@dataclass(frozen=True)
class Gone:
    """How much was deleted."""

    referrals: int
    photos: int


def erase(
    service: Service, clinic_id: str, *, person: str | None = None, code: str | None = None, actor: str
) -> Gone:
    """Erase a person, or the one referral of a code.

    Args:
        service: the server.
        clinic_id: of which clinic.
        person: the reference that the clinic knows the person by.
        code: of a referral, without hyphens.
        actor: who asks.

    Raises:
        ApiError: 404 when nothing is known of the person.
    """
    wanted = select(Referral.id).where(Referral.clinic_id == clinic_id)
    if code is not None:
        wanted = wanted.where(Referral.code_hash == hashed(code))
    else:
        wanted = wanted.where(Referral.person_key == person_key(service, clinic_id, person))
    with service.store.writing() as session:
        found = list(session.scalars(wanted))
        if not found:
            raise not_found("person or code")
        gone = _delete(session, found)
        # The log tells that somebody was erased, not who.
        service.log(
            session,
            actor,
            "erased",
            clinic_id,
            f"clinic:{clinic_id}",
            referrals=gone.referrals,
            photos=gone.photos,
        )
        return gone


def delete_expired(service: Service) -> Gone:
    """Delete photos and referrals that are older than their clinics keep them."""
    with service.store.reading() as session:
        clinics = [(one.id, Policy.model_validate(one.policy)) for one in session.scalars(select(Clinic))]
    total = Gone(0, 0)
    for clinic_id, policy in clinics:
        while (gone := _delete_some(service, clinic_id, policy)) != Gone(0, 0):
            total = Gone(total.referrals + gone.referrals, total.photos + gone.photos)
    return total


def _delete_some(service: Service, clinic_id: str, policy: Policy) -> Gone:
    now = service.now()
    old = (
        select(Referral.id)
        .where(Referral.clinic_id == clinic_id, Referral.filed_at < now - policy.referral_days * DAY)
        .order_by(Referral.filed_at)
    )
    pictures = select(Photo.id).where(
        Photo.clinic_id == clinic_id, Photo.filed_at < now - policy.photo_days * DAY
    )
    with service.store.writing() as session:
        gone = _delete(session, list(session.scalars(old.limit(_AT_A_TIME))))
        photos = list(session.scalars(pictures.limit(_AT_A_TIME)))
        if photos:
            session.execute(delete(Photo).where(Photo.id.in_(photos)))
        gone = Gone(gone.referrals, gone.photos + len(photos))
        if gone != Gone(0, 0):
            service.log(
                session, "server", "retention", clinic_id, f"clinic:{clinic_id}", referrals=gone.referrals,
                photos=gone.photos,
            )  # fmt: skip
        return gone


def _delete(session: Session, referrals: Sequence[str]) -> Gone:
    if not referrals:
        return Gone(0, 0)
    # Locked first: deleting one by one, PostgreSQL could wait for somebody who waits for the clinic's counts.
    session.execute(
        select(Referral.id).where(Referral.id.in_(referrals)).order_by(Referral.id).with_for_update()
    )
    photos = session.execute(delete(Photo).where(Photo.referral_id.in_(referrals)).returning(Photo.id)).all()
    session.execute(delete(Note).where(Note.referral_id.in_(referrals)))
    session.execute(delete(Referral).where(Referral.id.in_(referrals)))
    return Gone(len(referrals), len(photos))
