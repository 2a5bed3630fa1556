"""The worklist and what clinicians do with a referral."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy import select

from poxlens.screen.decision import Outcome
from poxlens.serve.clinic.access.principal import Principal, allow
from poxlens.serve.clinic.api.answers import SIGNED, faults
from poxlens.serve.clinic.faults import ApiError, not_found
from poxlens.serve.clinic.ids import hashed, plain_code
from poxlens.serve.clinic.referrals import reviewing, showing
from poxlens.serve.clinic.referrals.filing import person_key
from poxlens.serve.clinic.referrals.models import (
    ClaimIn,
    Colleague,
    Counts,
    Detail,
    Item,
    OpinionIn,
    PcrIn,
    SecondOpinionIn,
    VerdictIn,
    WorklistPage,
)
from poxlens.serve.clinic.referrals.queue import CURSOR, Filter, counts, opinions_of, page
from poxlens.serve.clinic.referrals.reviewing import Said
from poxlens.serve.clinic.referrals.states import Pcr, State, Verdict
from poxlens.serve.clinic.service import Service, service_of
from poxlens.serve.clinic.store.photos import read_photo
from poxlens.serve.clinic.store.tables import Photo, Referral, User
from poxlens.serve.clinic.words import Line

router = APIRouter(prefix="/v1/worklist", tags=["worklist"])
Clinician = Annotated[Principal, Depends(allow("clinician"))]
ReferralId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
PhotoNumber = Annotated[int, Path(ge=1, le=12)]
_READ = faults(*SIGNED, 404)
_CHANGE = faults(*SIGNED, 404, 409, 413, 415)


def _filter(
    request: Request,
    principal: Clinician,
    waiting: Annotated[
        bool | None,
        Query(description="Only those that wait for a clinician; the default unless `state` is given."),
    ] = None,
    state: State | None = None,
    outcome: Outcome | None = None,
    verdict: Verdict | None = None,
    pcr: Pcr | None = None,
    filed_from: Annotated[float | None, Query(ge=0, le=1e11, description="Seconds since 1970.")] = None,
    filed_to: Annotated[float | None, Query(ge=0, le=1e11)] = None,
    person: Annotated[
        Line | None, Query(min_length=1, max_length=64, description="Reference of the person.")
    ] = None,
    code: Annotated[
        Line | None, Query(min_length=1, max_length=40, description="The patient's code.")
    ] = None,
) -> Filter:
    if outcome is not None and principal.policy.blind:
        raise ApiError(403, "blind", "In blind mode the list cannot be searched by what the model said.")
    every = (
        state is not None or verdict is not None or pcr is not None or person is not None or code is not None
    )
    return Filter(
        waiting=waiting if waiting is not None or every else True,
        state=state,
        outcome=outcome,
        verdict=verdict,
        pcr=pcr,
        filed_from=filed_from,
        filed_to=filed_to,
        person_key=person_key(service_of(request), principal.clinic_id, person),
        code_hash=hashed(plain_code(code)) if code is not None else None,
    )


@router.get("", responses=faults(*SIGNED), summary="The worklist, or a search")
def worklist(
    request: Request,
    principal: Clinician,
    wanted: Annotated[Filter, Depends(_filter)],
    after: Annotated[str | None, Query(pattern=CURSOR, description="`next` of the page before.")] = None,
    most: Annotated[int, Query(ge=1, le=200)] = 50,
) -> WorklistPage:
    """The most urgent first: sorted by the time by which each should have been looked at, which comes from the
    outcome, risk group, pregnancy, weak immunity, age, the eyes, and how long it has waited; in blind mode all but
    the outcome.
    """
    service = service_of(request)
    with service.store.reading() as session:
        found = page(
            session, principal.clinic_id, wanted, after=after, most=most, blind=principal.policy.blind
        )
        known = [one.id for one in found.referrals] if principal.policy.blind else []
        opined = opinions_of(session, principal.id, known)
    now = service.now()
    items = [showing.item(one, principal, now, opined=one.id in opined) for one in found.referrals]
    return WorklistPage(items=items, next=found.next)


@router.get("/counts", responses=faults(*SIGNED), summary="How many stand where")
def how_many(request: Request, principal: Clinician) -> Counts:
    """Of this clinic."""
    with service_of(request).store.reading() as session:
        found = counts(session, principal.clinic_id)
    return Counts(**found)


@router.get("/colleagues", responses=faults(*SIGNED), summary="Who can be asked for a second opinion")
def colleagues(request: Request, principal: Clinician) -> list[Colleague]:
    """The clinic's other clinicians."""
    wanted = select(User).where(
        User.clinic_id == principal.clinic_id, User.disabled_at.is_(None), User.id != principal.id
    )
    with service_of(request).store.reading() as session:
        found = session.scalars(wanted.order_by(User.name)).all()
    return [
        Colleague(id=user.id, name=user.name, on_duty=user.on_duty)
        for user in found
        if "clinician" in user.roles.split(",")
    ]


@router.get("/{referral}", responses=_READ, summary="A referral in full")
def read(referral: ReferralId, request: Request, principal: Clinician) -> Detail:
    """Who opened it is written to the audit log."""
    service = service_of(request)
    return _detail(service, principal, reviewing.open_referral(service, principal, referral))


@router.get(
    "/{referral}/photos/{number}",
    responses={200: {"content": {"image/jpeg": {}}, "description": "The photo."}, **_READ, **faults(410)},
    response_class=Response,
    summary="A photo",
)
def photo(referral: ReferralId, number: PhotoNumber, request: Request, principal: Clinician) -> Response:
    """As JPEG without metadata."""
    service = service_of(request)
    return Response(stored_photo(service, principal, referral, number), media_type="image/jpeg")


@router.post("/{referral}/claim", responses=_CHANGE, summary="Say that you are at work on it")
def claim(referral: ReferralId, body: ClaimIn, request: Request, principal: Clinician) -> Item:
    """For a quarter of an hour colleagues are told so; it ends by itself."""
    service = service_of(request)
    found = reviewing.claim(service, principal, referral, free=not body.claim)
    return _item(service, principal, found)


@router.post("/{referral}/opinion", responses=_CHANGE, summary="Note what you think")
def opinion(referral: ReferralId, body: OpinionIn, request: Request, principal: Clinician) -> Detail:
    """In blind mode this opens the model's opinion."""
    service = service_of(request)
    said = Said(body.verdict, body.diagnosis, body.note)
    return _detail(service, principal, reviewing.note_opinion(service, principal, referral, said))


@router.post("/{referral}/verdict", responses=_CHANGE, summary="Give the clinic's answer")
def verdict(referral: ReferralId, body: VerdictIn, request: Request, principal: Clinician) -> Detail:
    """The patient reads it with the code. It can be given again; the earlier one stays among the notes."""
    service = service_of(request)
    said = Said(body.verdict, body.diagnosis, body.note, body.message)
    return _detail(
        service, principal, reviewing.give_verdict(service, principal, referral, said, body.revision)
    )


@router.post("/{referral}/second-opinion", responses=_CHANGE, summary="Ask a colleague")
def second_opinion(
    referral: ReferralId, body: SecondOpinionIn, request: Request, principal: Clinician
) -> Detail:
    """The referral goes back to the queue, and the colleague gets a notice."""
    service = service_of(request)
    found = reviewing.ask_second(service, principal, referral, body.note, body.colleague, body.revision)
    return _detail(service, principal, found)


@router.post("/{referral}/pcr", responses=_CHANGE, summary="Add the result of the PCR test")
def pcr(referral: ReferralId, body: PcrIn, request: Request, principal: Clinician) -> Detail:
    """It is what the monitoring measures the model by."""
    service = service_of(request)
    return _detail(
        service, principal, reviewing.add_pcr(service, principal, referral, body.result, body.revision)
    )


def stored_photo(service: Service, principal: Principal, referral: str, number: int) -> bytes:
    """A photo of a referral of the principal's clinic.

    Raises:
        ApiError: 404 when there is none, 410 when it was deleted.
    """
    with service.store.reading() as session:
        own = reviewing.own_referral(session, principal, referral)
        data = read_photo(
            session, service.keyring, clinic_id=principal.clinic_id, referral_id=referral, position=number
        )
    if data is None and number <= own.photo_count:
        raise ApiError(410, "deleted", "The photo was deleted when its time was over.")
    if data is None:
        raise not_found("photo")
    return data


def _detail(service: Service, principal: Principal, referral: Referral) -> Detail:
    with service.store.reading() as session:
        notes = reviewing.notes_of(session, referral)
        stored = set(session.scalars(select(Photo.position).where(Photo.referral_id == referral.id)))
        opined = reviewing.has_opinion(session, principal, referral.id)
    return showing.detail(service, referral, principal, notes, stored, opined=opined)


def _item(service: Service, principal: Principal, referral: Referral) -> Item:
    with service.store.reading() as session:
        opined = reviewing.has_opinion(session, principal, referral.id)
    return showing.item(referral, principal, service.now(), opined=opined)
