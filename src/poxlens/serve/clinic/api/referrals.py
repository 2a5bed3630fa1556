"""Filing a referral, and the reply by the code that the patient was given."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from poxlens.errors import PhotoError
from poxlens.serve.clinic.access.principal import Principal, allow
from poxlens.serve.clinic.api.answers import SIGNED, faults
from poxlens.serve.clinic.api.limits import limited
from poxlens.serve.clinic.faults import ApiError
from poxlens.serve.clinic.fhir.fields import FhirError
from poxlens.serve.clinic.fhir.reading import Result, read_result
from poxlens.serve.clinic.ids import plain_code, shown_code
from poxlens.serve.clinic.instants import to_iso
from poxlens.serve.clinic.referrals.filing import Filed, Wish, already, file, fingerprint
from poxlens.serve.clinic.referrals.replying import reply_to
from poxlens.serve.clinic.service import Service, service_of
from poxlens.serve.clinic.store.photos import prepare_photo
from poxlens.serve.clinic.store.rates import Limit
from poxlens.serve.clinic.words import Line

router = APIRouter(prefix="/v1", tags=["referrals"])

FILING = Limit(600, 3_600.0)  # of one device; a busy ward files some dozens a day
ASKING = Limit(
    120, 600.0
)  # of one address; a code has 60 bits, so that this is about load, not about guessing


class Consent(BaseModel):
    """What the person agreed to; said by the person, recorded on the phone."""

    model_config = ConfigDict(extra="forbid")

    photo: bool = Field(
        default=False, description="The photos may be sent to this clinic and kept there for a while."
    )
    training: bool = Field(
        default=False, description="Reviewed photos may teach later versions of the model."
    )


class ReferralIn(BaseModel):
    """A referral as a phone sends it."""

    model_config = ConfigDict(extra="forbid")

    result: dict[str, Any] = Field(
        description="The FHIR R4 Bundle of profile `urn:poxlens:profile:result:1` (docs/fhir.md)."
    )
    consent: Consent = Consent()
    photos: list[Annotated[str, Field(max_length=22_000_000)]] = Field(
        default_factory=list,
        max_length=12,
        description="The result's photos in their order, base64; empty without consent. Metadata is removed here.",
    )
    person: Line | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="How the clinic knows the person, such as the number of the register; kept encrypted.",
    )


class ReferralOut(BaseModel):
    """A referral that is on disk."""

    id: str
    code: str = Field(
        description="For the patient: with it anybody may read the reply.", examples=["7K2M-09XA-QPRT"]
    )
    filed_at: str
    replayed: bool = Field(description="Whether it had been filed before under the same key.")


class CodeIn(BaseModel):
    """The patient's code."""

    model_config = ConfigDict(extra="forbid")

    code: Line = Field(min_length=1, max_length=40)


class StatusOut(BaseModel):
    """Where a referral stands, for the patient."""

    state: Literal["waiting", "answered"]
    filed_at: str
    answered_at: str | None
    answer: Literal["suspected", "other_diagnosis", "not_suspected", "photo_unusable"] | None
    title: str = Field(description="What the clinic says, in one sentence.")
    message: str | None = Field(description="What the clinician wrote to the patient.")
    test_result: Literal["positive", "negative", "inconclusive", "not_done"] | None
    disclaimer: str


@router.post(
    "/referrals",
    status_code=201,
    responses={
        200: {"model": ReferralOut, "description": "It had been filed before."},
        **faults(*SIGNED, 409, 413, 415, 429),
    },
    summary="File a referral",
)
def refer(
    body: ReferralIn,
    request: Request,
    response: Response,
    principal: Annotated[Principal, Depends(allow("device", "clinician"))],
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=8,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="The same for every try of one referral; without it, the Bundle's identifier.",
        ),
    ] = None,
) -> ReferralOut:
    """A referral is filed once, however often the same request is sent under the same key. It is on disk before
    the answer is sent. Photos are taken only with `consent.photo`.
    """
    service = service_of(request)
    result = _result(body)
    key = idempotency_key or result.identifier
    told = fingerprint(body.model_dump())
    filed = already(service, principal, key, told)
    if filed is None:
        limited(service, f"file:{principal.actor}", FILING)
        photos = _photos(service, body)
        wish = Wish(key, told, result, photos, body.consent.photo, body.consent.training, body.person)
        filed = file(service, principal, wish)
    response.status_code = 200 if filed.replayed else 201
    return _answer(filed)


@router.post("/status", responses=faults(404, 429, 413, 415), summary="Ask for the reply")
def status(body: CodeIn, request: Request) -> StatusOut:
    """Needs no account, only the code. It is sent in the body, as addresses are written to logs."""
    service = service_of(request)
    address = request.client.host if request.client else "?"
    limited(service, f"status:{address}", ASKING)
    reply = reply_to(service, plain_code(body.code))
    return StatusOut(
        state="waiting" if reply.answer is None else "answered",
        filed_at=to_iso(reply.filed_at) or "",
        answered_at=to_iso(reply.answered_at),
        answer=reply.answer,
        title=reply.title,
        message=reply.message,
        test_result=reply.pcr,
        disclaimer=reply.disclaimer,
    )


def _result(body: ReferralIn) -> Result:
    try:
        result = read_result(body.result)
    except FhirError as fault:
        raise ApiError(422, "result", f"The result cannot be read: {fault}.") from None
    if body.photos and not body.consent.photo:
        raise ApiError(422, "consent", "Photos need the person's consent: consent.photo.")
    if body.photos and len(body.photos) != len(result.photos):
        raise ApiError(
            422, "photos", f"The result is of {len(result.photos)} photos, but {len(body.photos)} were sent."
        )
    return result


def _photos(service: Service, body: ReferralIn) -> list[bytes]:
    prepared = []
    for number, text in enumerate(body.photos, start=1):
        try:
            data = base64.b64decode(text, validate=True)
            with service.gate.core():
                prepared.append(prepare_photo(data))
        except (binascii.Error, ValueError):
            raise ApiError(422, "photos", f"Photo {number} is not base64.") from None
        except PhotoError as fault:
            raise ApiError(422, fault.reason, f"Photo {number}: {fault.client_message}") from None
    return prepared


def _answer(filed: Filed) -> ReferralOut:
    return ReferralOut(
        id=filed.id,
        code=shown_code(filed.code),
        filed_at=to_iso(filed.filed_at) or "",
        replayed=filed.replayed,
    )
