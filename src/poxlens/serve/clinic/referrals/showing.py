"""A referral as a clinician may see it: in blind mode without the model's opinion until they have noted their own."""

from __future__ import annotations

from typing import Any

from poxlens.serve.clinic.access.principal import Principal
from poxlens.serve.clinic.instants import to_iso
from poxlens.serve.clinic.referrals.models import Detail, Item, NoteOut, PhotoOut
from poxlens.serve.clinic.referrals.urgency import dangers
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.tables import Note, Referral


def hidden(principal: Principal, opined: bool) -> bool:
    """Whether the model's opinion is kept from a clinician."""
    return principal.policy.blind and not opined


def item(referral: Referral, principal: Principal, now: float, *, opined: bool) -> Item:
    """A line of the worklist.

    Args:
        referral: of the clinic.
        principal: who looks.
        now: seconds since 1970.
        opined: whether they have noted an opinion on it.
    """
    return Item.model_validate(_line(referral, principal, now, opined=opined))


def detail(
    service: Service, referral: Referral, principal: Principal, notes: list[tuple[Note, str]], photos: set[int],
    *, opined: bool,
) -> Detail:  # fmt: skip
    """A referral in full.

    Args:
        service: the server.
        referral: of the clinic.
        principal: who looks.
        notes: on it, with their authors' names.
        photos: numbers of the photos that are stored.
        opined: whether the principal has noted an opinion.
    """
    blind, told, ring = hidden(principal, opined), referral.result, service.keyring
    message, person = referral.message_sealed, referral.person_sealed
    return Detail.model_validate(
        {
            **_line(referral, principal, service.now(), opined=opined),
            "answers": referral.answers,
            "screened_at": to_iso(told["at"]),
            "bundle": referral.bundle,
            "target": told["target"],
            "reasons": [] if blind else list(told["reasons"]),
            "deciding_photo": None if blind else told["deciding"] + 1,
            "photo_results": [
                _photo(number, photo, number in photos, blind)
                for number, photo in enumerate(told["photos"], start=1)
            ],
            "photo_consent": referral.photo_consent,
            "training_consent": referral.training_consent,
            "person": ring.open_text(person, f"person:{referral.id}") if person is not None else None,
            "source": referral.source,
            "message": ring.open_text(message, f"message:{referral.id}") if message is not None else None,
            "notes": [_note(service, note, name) for note, name in notes],
        }
    )


def _line(referral: Referral, principal: Principal, now: float, *, opined: bool) -> dict[str, Any]:
    blind = hidden(principal, opined)
    claimed = referral.claimed_until > now and referral.claimed_by is not None
    # Of the queue that they look at, also after they have noted an opinion.
    due = referral.blind_due_at if principal.policy.blind else referral.due_at
    return {
        "id": referral.id,
        "state": referral.state,
        "waiting": referral.waiting,
        "revision": referral.revision,
        "filed_at": to_iso(referral.filed_at),
        "urgency": "hidden" if blind else referral.urgency,  # it follows from the outcome
        "due_at": to_iso(due),
        "overdue": referral.waiting and due < now,
        "dangers": dangers(referral.answers),
        "age": referral.answers.get("age"),
        "photos": referral.photo_count,
        "seen": referral.first_seen_at is not None,
        "claimed_by_me": claimed and referral.claimed_by == principal.id,
        "claimed": claimed and referral.claimed_by != principal.id,
        "blind": blind,
        "outcome": None if blind else referral.outcome,
        "probability": None if blind else referral.probability,
        "verdict": referral.verdict,
        "diagnosis": referral.diagnosis,
        "verdict_at": to_iso(referral.verdict_at),
        "pcr": referral.pcr,
        "reply_read": referral.reply_read_at is not None,
    }


def _photo(number: int, told: dict[str, Any], available: bool, blind: bool) -> PhotoOut:
    return PhotoOut(
        number=number,
        available=available,
        outcome=None if blind else told["outcome"],
        reasons=[] if blind else list(told["reasons"]),
        probabilities={} if blind else told["probabilities"],
        prediction_set=[] if blind else list(told["prediction_set"]),
        novelty=None if blind else told["novelty"],
        tone=told["tone"],
        map_unstable=None if blind else told["map_unstable"],
    )


def _note(service: Service, note: Note, name: str) -> NoteOut:
    sealed = note.text_sealed
    return NoteOut(
        kind=note.kind,
        by=name,
        at=to_iso(note.at) or "",
        verdict=note.verdict,  # type: ignore[arg-type]  # pydantic reads the code
        diagnosis=note.diagnosis,  # type: ignore[arg-type]
        text=service.keyring.open_text(sealed, f"note:{note.id}") if sealed is not None else None,
        blind=note.blind,
    )
