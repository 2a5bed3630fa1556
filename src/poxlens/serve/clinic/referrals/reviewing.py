"""What clinicians do with a referral: open it, claim it, note an opinion, give a verdict, ask another, add the PCR."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from poxlens.serve.clinic.access.principal import Principal
from poxlens.serve.clinic.faults import ApiError, not_found
from poxlens.serve.clinic.ids import new_id
from poxlens.serve.clinic.instants import MINUTE
from poxlens.serve.clinic.notice.writing import body_of, write
from poxlens.serve.clinic.referrals.states import WAITING, Diagnosis, Pcr, State, Verdict, state_after
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.tables import Note, Referral, User

CLAIM = 15 * MINUTE
"""Seconds for which a claim keeps colleagues off; it ends by itself if the browser is closed."""


@dataclass(frozen=True)
class Said:
    """An opinion or a verdict."""

    verdict: Verdict
    diagnosis: Diagnosis | None = None
    note: str | None = None  # for colleagues
    message: str | None = None  # for the patient; of a verdict only


def open_referral(service: Service, principal: Principal, referral_id: str) -> Referral:
    """A referral in full; who opened it is in the audit log.

    Raises:
        ApiError: 404 when the clinic has none of this id.
    """
    with service.store.writing() as session:
        referral = own_referral(session, principal, referral_id)
        if referral.first_seen_at is None:
            referral.first_seen_at = service.now()
        service.log(
            session, principal.actor, "referral.opened", principal.clinic_id, f"referral:{referral.id}"
        )
        return referral


def claim(service: Service, principal: Principal, referral_id: str, *, free: bool = False) -> Referral:
    """Tell colleagues that one is at work on it, or not any more.

    Raises:
        ApiError: 404; 409 when a colleague is at work on it.
    """
    with service.store.writing() as session:
        referral = own_referral(session, principal, referral_id, lock=True)
        _unclaimed(referral, principal, service.now())
        referral.claimed_by = None if free else principal.id
        referral.claimed_until = 0.0 if free else service.now() + CLAIM
        return referral


def note_opinion(service: Service, principal: Principal, referral_id: str, said: Said) -> Referral:
    """Note what one thinks; in blind mode this opens the model's opinion.

    Raises:
        ApiError: 404; 422 when the diagnosis does not fit.
    """
    _check(said)
    with service.store.writing() as session:
        referral = own_referral(session, principal, referral_id, lock=True)
        _add(session, service, principal, referral, "opinion", said)
        referral.revision += 1
        service.log(
            session,
            principal.actor,
            "opinion",
            principal.clinic_id,
            f"referral:{referral.id}",
            verdict=said.verdict,
        )
        return referral


def give_verdict(
    service: Service, principal: Principal, referral_id: str, said: Said, revision: int
) -> Referral:
    """The clinic's answer. A later verdict replaces it; the earlier one stays among the notes.

    Args:
        service: the server.
        principal: who gives it.
        referral_id: on which.
        said: the verdict.
        revision: of the referral as the clinician saw it.

    Raises:
        ApiError: 404; 409 when a colleague was faster or is at work on it; 422 when the diagnosis does not fit.
    """
    _check(said)
    now = service.now()
    with service.store.writing() as session:
        referral = own_referral(session, principal, referral_id, lock=True)
        _unclaimed(referral, principal, now)
        _unchanged(referral, revision)
        _add(session, service, principal, referral, "verdict", said)
        referral.verdict, referral.diagnosis = said.verdict, said.diagnosis
        referral.verdict_by, referral.verdict_at = principal.id, now
        referral.message_sealed = _sealed(service, said.message, f"message:{referral.id}")
        referral.reply_read_at = None
        _move(referral, state_after(said.verdict) if referral.pcr is None else State.closed)
        service.log(
            session, principal.actor, "verdict", principal.clinic_id, f"referral:{referral.id}",
            verdict=said.verdict, message=said.message is not None,
        )  # fmt: skip
        return referral


def ask_second(
    service: Service, principal: Principal, referral_id: str, note: str | None, of: str | None, revision: int
) -> Referral:
    """Ask a colleague for a second opinion.

    Args:
        service: the server.
        principal: who asks.
        referral_id: about which.
        note: the question.
        of: a colleague's id; None for whoever is on duty.
        revision: of the referral as the clinician saw it.

    Raises:
        ApiError: 404, also for a colleague that the clinic does not have; 409 as `give_verdict`.
    """
    now = service.now()
    with service.store.writing() as session:
        referral = own_referral(session, principal, referral_id, lock=True)
        _unclaimed(referral, principal, now)
        _unchanged(referral, revision)
        if of is not None:
            _colleague(session, principal, of)
        _add(session, service, principal, referral, "question", Said(Verdict.suspected, note=note))
        referral.claimed_by, referral.claimed_until = None, 0.0
        _move(referral, State.second_opinion)
        text = body_of("A colleague asks for a second opinion.", service.settings.public_url)
        write(
            session, principal.clinic_id, "second_opinion", "Second opinion asked for", text, principal.policy,
            at=now, second_line=True, to=of,
        )  # fmt: skip
        service.log(
            session, principal.actor, "second_opinion", principal.clinic_id, f"referral:{referral.id}"
        )
        return referral


def add_pcr(service: Service, principal: Principal, referral_id: str, pcr: Pcr, revision: int) -> Referral:
    """Note what the laboratory found.

    Raises:
        ApiError: 404; 409 when a colleague was faster, or there is no verdict yet.
    """
    now = service.now()
    with service.store.writing() as session:
        referral = own_referral(session, principal, referral_id, lock=True)
        _unchanged(referral, revision)
        if referral.verdict is None:
            raise ApiError(409, "no_verdict", "Give a verdict first: it is what the patient is answered.")
        referral.pcr, referral.pcr_at, referral.reply_read_at = pcr, now, None
        _move(referral, State.closed)
        service.log(session, principal.actor, "pcr", principal.clinic_id, f"referral:{referral.id}", pcr=pcr)
        return referral


def own_referral(session: Session, principal: Principal, referral_id: str, *, lock: bool = False) -> Referral:
    """A referral of the principal's own clinic.

    Raises:
        ApiError: 404; also where another clinic has it, so that this cannot be told apart.
    """
    wanted = select(Referral).where(Referral.id == referral_id, Referral.clinic_id == principal.clinic_id)
    referral = session.scalars(wanted.with_for_update() if lock else wanted).first()
    if referral is None:
        fault = not_found("referral")
        fault.attempt = session.get(Referral, referral_id) is not None  # another clinic's
        raise fault
    return referral


def has_opinion(session: Session, principal: Principal, referral_id: str) -> bool:
    """Whether a clinician has noted an opinion on a referral."""
    wanted = select(Note.id).where(
        Note.referral_id == referral_id, Note.user_id == principal.id, Note.kind.in_(("opinion", "verdict"))
    )
    return session.scalars(wanted.limit(1)).first() is not None


def notes_of(session: Session, referral: Referral) -> list[tuple[Note, str]]:
    """The notes on a referral, oldest first, each with the name of who wrote it."""
    wanted = (
        select(Note, User.name).join(User, User.id == Note.user_id).where(Note.referral_id == referral.id)
    )
    return [(note, name) for note, name in session.execute(wanted.order_by(Note.at, Note.id)).all()]


def _add(
    session: Session, service: Service, principal: Principal, referral: Referral, kind: str, said: Said
) -> None:
    own = new_id()
    question = kind == "question"
    session.add(
        Note(
            id=own, clinic_id=referral.clinic_id, referral_id=referral.id, user_id=principal.id, kind=kind,
            verdict=None if question else said.verdict, diagnosis=None if question else said.diagnosis,
            text_sealed=_sealed(service, said.note, f"note:{own}"),
            blind=principal.policy.blind and not has_opinion(session, principal, referral.id), at=service.now(),
        )
    )  # fmt: skip
    session.flush()


def _sealed(service: Service, text: str | None, about: str) -> bytes | None:
    return service.keyring.seal_text(text, about) if text else None


def _move(referral: Referral, state: State) -> None:
    referral.state, referral.waiting = state, state in WAITING
    referral.revision += 1
    if not referral.waiting:
        referral.claimed_by, referral.claimed_until = None, 0.0


def _check(said: Said) -> None:
    if (said.verdict is Verdict.other_diagnosis) != (said.diagnosis is not None):
        raise ApiError(
            422, "diagnosis", "A diagnosis belongs to the verdict other_diagnosis, and to no other verdict."
        )


def _unchanged(referral: Referral, revision: int) -> None:
    if referral.revision != revision:
        raise ApiError(409, "changed", "A colleague has changed this referral meanwhile. Look at it again.")


def _unclaimed(referral: Referral, principal: Principal, now: float) -> None:
    if referral.claimed_by not in (None, principal.id) and referral.claimed_until > now:
        raise ApiError(409, "claimed", "A colleague is at work on this referral.")


def _colleague(session: Session, principal: Principal, user_id: str) -> None:
    user = session.get(User, user_id)
    if user is None or user.clinic_id != principal.clinic_id or user.disabled_at is not None:
        raise not_found("colleague")
