"""FHIR out: a referral as the Bundle that came in, with the clinic's answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from poxlens.serve.clinic.api.answers import SIGNED, faults
from poxlens.serve.clinic.api.worklist import Clinician, ReferralId
from poxlens.serve.clinic.faults import ApiError
from poxlens.serve.clinic.fhir.reading import PhotoResult, Result
from poxlens.serve.clinic.fhir.writing import Answered, write_result
from poxlens.serve.clinic.referrals import reviewing, showing
from poxlens.serve.clinic.service import Service, service_of
from poxlens.serve.clinic.store.tables import Referral

router = APIRouter(prefix="/v1/worklist", tags=["worklist"])


class FhirAnswer(JSONResponse):
    """JSON under FHIR's own name."""

    media_type = "application/fhir+json"


@router.get(
    "/{referral}/fhir",
    response_class=Response,
    responses={
        200: {"content": {FhirAnswer.media_type: {}}, "description": "The Bundle."},
        **faults(*SIGNED, 404),
    },
    summary="A referral as a FHIR R4 Bundle",
)
def as_fhir(referral: ReferralId, request: Request, principal: Clinician) -> FhirAnswer:
    """docs/fhir.md; with the verdict and the PCR's result as final Observations once there are any."""
    service = service_of(request)
    found = reviewing.open_referral(service, principal, referral)
    with service.store.reading() as session:
        opined = reviewing.has_opinion(session, principal, found.id)
    if showing.hidden(principal, opined):
        raise ApiError(403, "blind", "Note your own opinion first; then the model's is shown.")
    return FhirAnswer(bundle_of(service, found))


def bundle_of(service: Service, referral: Referral) -> dict[str, Any]:
    """The Bundle of a referral."""
    return write_result(stored_result(referral), _answered(service, referral))


def stored_result(referral: Referral) -> Result:
    """What was filed, as it was read."""
    told = referral.result
    photos = tuple(
        PhotoResult(
            **{**one, "reasons": tuple(one["reasons"]), "prediction_set": tuple(one["prediction_set"])}
        )
        for one in told["photos"]
    )
    return Result(
        **{**told, "reasons": tuple(told["reasons"]), "photos": photos, "answers": referral.answers}
    )


def _answered(service: Service, referral: Referral) -> Answered | None:
    if referral.verdict is None:
        return None
    message = referral.message_sealed
    return Answered(
        verdict=referral.verdict,
        at=referral.verdict_at or referral.filed_at,
        diagnosis=referral.diagnosis,
        message=service.keyring.open_text(message, f"message:{referral.id}") if message is not None else None,
        pcr=referral.pcr,
        pcr_at=referral.pcr_at,
    )
