"""Taking a referral in: once, however often a phone sends it, and on disk before the phone hears so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from poxlens.serve.clinic.access.principal import Principal
from poxlens.serve.clinic.faults import ApiError
from poxlens.serve.clinic.fhir.reading import Result
from poxlens.serve.clinic.ids import code_for, hashed, keyed, new_id
from poxlens.serve.clinic.notice.writing import notice_of_referral
from poxlens.serve.clinic.referrals.states import State
from poxlens.serve.clinic.referrals.urgency import urgency
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.photos import add_photo
from poxlens.serve.clinic.store.tables import Referral


@dataclass(frozen=True)
class Wish:
    """What a phone, or a clinician who scanned a phone's codes, wants to file.

    Attributes:
        key: what makes it the same wish when it is sent again.
        fingerprint: of everything that was sent.
        result: the screening.
        photos: prepared, in the result's order; empty without consent.
        photo_consent: whether the person agreed that the photos are sent.
        training_consent: whether they agreed that reviewed photos may teach later models.
        person: how the clinic knows the person, if it was told.
    """

    key: str
    fingerprint: str
    result: Result
    photos: Sequence[bytes]
    photo_consent: bool
    training_consent: bool
    person: str | None


@dataclass(frozen=True)
class Filed:
    """A referral that is on disk."""

    id: str
    code: str
    filed_at: float
    replayed: bool  # it was there already


def fingerprint(told: object) -> str:
    """SHA-256 of a JSON value, whatever the order of its fields."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def already(service: Service, principal: Principal, key: str, wanted: str) -> Filed | None:
    """The referral of a key, if it was filed before.

    Raises:
        ApiError: 409 when something else was filed under the key.
    """
    with service.store.reading() as session:
        found = session.scalars(
            select(Referral).where(
                Referral.clinic_id == principal.clinic_id,
                Referral.source == principal.actor,
                Referral.idempotency_key == key,
            )
        ).first()
    if found is None:
        return None
    if found.fingerprint != wanted:
        raise ApiError(
            409, "key_reused", "Something else was sent under this Idempotency-Key. Use a new key for it."
        )
    return Filed(found.id, code_for(service.keyring.keys.code, found.id), found.filed_at, True)


def file(service: Service, principal: Principal, wish: Wish) -> Filed:
    """File a referral.

    Args:
        service: the server.
        principal: who files; the referral belongs to its clinic.
        wish: what.

    Raises:
        ApiError: 409 when something else was filed under the key.
        StoreUnavailableError: when it could not be written; nothing was.
    """
    referral = _referral(service, principal, wish)
    try:
        with service.store.writing() as session:
            session.add(referral)
            session.flush()
            for position, data in enumerate(wish.photos, start=1):
                add_photo(
                    session, service.keyring, clinic_id=referral.clinic_id, referral_id=referral.id,
                    position=position, data=data, now=referral.filed_at,
                )  # fmt: skip
            _tell(session, service, principal, referral)
    except IntegrityError:
        # The same request arrived twice at a time; the other one was first.
        found = already(service, principal, wish.key, wish.fingerprint)
        if found is None:
            raise
        return found
    return Filed(referral.id, code_for(service.keyring.keys.code, referral.id), referral.filed_at, False)


def _tell(session: Session, service: Service, principal: Principal, referral: Referral) -> None:
    notice_of_referral(session, referral, principal.policy, service.settings.public_url)
    service.log(
        session, principal.actor, "referral.filed", principal.clinic_id, f"referral:{referral.id}",
        photos=referral.photo_count, outcome=referral.outcome,
    )  # fmt: skip


def _referral(service: Service, principal: Principal, wish: Wish) -> Referral:
    now, keys, result = service.now(), service.keyring.keys, wish.result
    own = new_id()
    how = urgency(result.outcome, result.answers)
    reasons = [reason for photo in result.photos for reason in photo.reasons]
    return Referral(
        id=own,
        clinic_id=principal.clinic_id,
        source=principal.actor,
        idempotency_key=wish.key,
        fingerprint=wish.fingerprint,
        code_hash=hashed(code_for(keys.code, own)),
        filed_at=now,
        due_at=how.due(now),
        blind_due_at=how.blind_due(now),
        urgency=how.level,
        outcome=result.outcome,
        probability=result.decided.probabilities.get(result.target) if result.decided.assessed else None,
        novelty=result.decided.novelty,
        tone=result.decided.tone,
        quality_failed=any(reason.startswith("quality.") for reason in reasons),
        bundle=result.bundle,
        result=_kept(result),
        answers=result.answers,
        photo_consent=wish.photo_consent,
        training_consent=wish.training_consent and wish.photo_consent,
        photo_count=len(wish.photos),
        person_key=person_key(service, principal.clinic_id, wish.person),
        person_sealed=(
            service.keyring.seal_text(wish.person, f"person:{own}") if wish.person is not None else None
        ),
        state=State.new,
        waiting=True,
        revision=1,
        claimed_until=0.0,
    )


def person_key(service: Service, clinic_id: str, person: str | None) -> str | None:
    """What a person's reference is compared by; the reference itself cannot be read from it."""
    if person is None:
        return None
    return keyed(service.keyring.keys.person, clinic_id, " ".join(person.split()).casefold())


def _kept(result: Result) -> dict[str, Any]:
    kept = asdict(result)
    del kept["answers"]  # they have a column of their own
    return kept
