"""Screening a photo on the server, the explanation of a referral's photo, and the bundle for phones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import BaseModel, Field
from pydantic_core import to_json

from poxlens.screen.decision import Decision
from poxlens.serve.answers import answer_person, answer_photo, describe_bundle
from poxlens.serve.clinic.access.principal import Principal, allow_later
from poxlens.serve.clinic.api.answers import SIGNED, faults
from poxlens.serve.clinic.api.worklist import Clinician, PhotoNumber, ReferralId, stored_photo
from poxlens.serve.clinic.faults import ApiError, not_found
from poxlens.serve.clinic.referrals.models import Explanation
from poxlens.serve.clinic.referrals.reviewing import has_opinion
from poxlens.serve.clinic.referrals.showing import hidden
from poxlens.serve.clinic.service import Service, service_of
from poxlens.serve.upload import RequestError, Upload, read_upload

router = APIRouter(prefix="/v1", tags=["screening"])

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["photos"],
                    "properties": {
                        "photos": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "minItems": 1,
                            "maxItems": 12,
                            "description": "JPEG, PNG, WebP, HEIC … as a camera makes them.",
                        },
                        "context": {
                            "type": "string",
                            "description": 'Answers as JSON, such as {"fever": true} (docs/screening.md).',
                        },
                    },
                }
            }
        },
    }
}


class Screened(BaseModel):
    """The decisions: fields as `poxlens screen --json` prints them (docs/screening.md)."""

    person: dict[str, Any] = Field(description="Of all photos together, with title, subtitle and next steps.")
    photos: list[dict[str, Any]] = Field(
        description="In their order; with heatmap=true also `heatmap`, `heatmap_box`, `heatmap_warning` and `preview`."
    )


class FileOut(BaseModel):
    """A file of the bundle."""

    path: str
    bytes: int
    sha256: str


class BundleOut(BaseModel):
    """The bundle that this server screens with."""

    name: str
    version: str
    digest: str
    label: str
    archive: str = Field(description="Where all of it is, as one .zip.")
    archive_sha256: str
    archive_bytes: int
    files: list[FileOut]
    about: dict[str, Any] = Field(
        description="Classes, operating points, figures with intervals, limits, licence."
    )


@router.post(
    "/screen",
    response_model=Screened,
    responses=faults(*SIGNED, 400, 413, 415),
    openapi_extra=_FORM,
    summary="Screen photos of one person",
)
async def screen(
    request: Request,
    caller: Annotated[Callable[[], Principal], Depends(allow_later("device", "clinician"))],
    heatmap: Annotated[bool, Query(description="Also the heat maps, which takes twice as long.")] = False,
) -> Response:
    """Nothing is kept: neither the photos nor the answer."""
    service = service_of(request)
    try:
        upload = await read_upload(request)
    except RequestError as fault:
        raise ApiError(fault.status, fault.code, fault.message) from None
    # All of it in one thread: changing to another costs more than looking up a token or writing the answer.
    answer = await run_in_threadpool(_answer, service, caller, upload, heatmap)
    return Response(answer, media_type="application/json")


@router.get(
    "/worklist/{referral}/photos/{number}/explanation",
    tags=["worklist"],
    responses=faults(*SIGNED, 404, 410),
    summary="What in a photo the answer rests on",
)
def explanation(
    referral: ReferralId, number: PhotoNumber, request: Request, principal: Clinician
) -> Explanation:
    """Computed here, by this server's bundle, which may be another version than the phone's."""
    service = service_of(request)
    data = stored_photo(service, principal, referral, number)
    with service.store.reading() as session:
        opined = has_opinion(session, principal, referral)
    if hidden(principal, opined):
        raise ApiError(403, "blind", "Note your own opinion first; then the model's is shown.")
    with service.gate.core():
        decision, shown = answer_photo(service.model.explainer, data)
    return Explanation(
        outcome=decision.outcome,
        reasons=shown["reasons"],
        probabilities=shown["probabilities"],
        bundle=decision.bundle,
        heatmap=shown["heatmap"],
        heatmap_box=shown["heatmap_box"],
        heatmap_warning=shown["heatmap_warning"],
    )


@router.get("/bundle", responses=faults(), summary="The bundle for phones")
def bundle(request: Request) -> BundleOut:
    """Needs no account. A phone compares `digest` with its own."""
    service = service_of(request)
    own, model = service.model.screener.bundle, service.model
    return BundleOut(
        name=own.name,
        version=own.version,
        digest=own.digest,
        label=own.label,
        archive=f"/v1/bundle/{own.digest}.zip",
        archive_sha256=model.archive_sha256,
        archive_bytes=len(model.archive),
        files=[FileOut(path=file.path, bytes=file.bytes, sha256=file.sha256) for file in own.manifest.files],
        about=describe_bundle(own),
    )


@router.get(
    "/bundle/{digest}.zip",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "The bundle."}, **faults(404)},
    summary="The bundle as one file",
)
def download(digest: str, request: Request) -> Response:
    """The address holds the digest, so that a copy never grows old."""
    service = service_of(request)
    if digest != service.model.screener.bundle.digest:
        raise not_found("version of the bundle")
    return Response(
        service.model.archive,
        media_type="application/zip",
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",
            "ETag": f'"{service.model.archive_sha256}"',
        },
    )


def _answer(service: Service, caller: Callable[[], Principal], upload: Upload, heatmap: bool) -> bytes:
    caller()
    answers = [_screened(service, photo, heatmap) for photo in upload.photos]
    person = answer_person([decision for decision, _ in answers], upload.context)
    # Made already of what `Screened` says: going through it value by value again costs a millisecond.
    return to_json({"person": person, "photos": [shown for _, shown in answers]})


def _screened(service: Service, photo: bytes, heatmap: bool) -> tuple[Decision, dict[str, Any]]:
    with service.gate.core():
        if heatmap:
            return answer_photo(service.model.explainer, photo)
        decision = service.model.screener.screen(photo)
    return decision, {**decision.to_json(), "assessed": decision.assessed, "readable": decision.readable}
