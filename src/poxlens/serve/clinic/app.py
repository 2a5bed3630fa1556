"""The clinic's application: routes, pages, faults, and what stands before them."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from poxlens import __version__
from poxlens.serve.clinic.api import (
    administration,
    fhir,
    monitoring,
    openid,
    operations,
    referrals,
    screening,
    sessions,
    worklist,
)
from poxlens.serve.clinic.capacity import Capacity
from poxlens.serve.clinic.handlers import add_handlers
from poxlens.serve.clinic.origins import Origins
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.telemetry.watch import Watch
from poxlens.serve.guard import Guard, Hosts
from poxlens.serve.page import File, add_page

DESCRIPTION = """Referrals from phones, the clinicians' worklist, and what keeps them. A screening aid, not a diagnosis;
PCR decides. Guide: docs/clinic-api.md."""

_UPLOADS = 256  # at a time; what they may hold together is Capacity's


def create_clinic(service: Service, *, hosts: Hosts | None = None, page: Sequence[File] = ()) -> ASGIApp:
    """The ASGI application.

    Args:
        service: the server's parts.
        hosts: which Host headers are served; None for the names of the local machine.
        page: the files of the phone app and the clinic's pages; empty for the API alone.
    """
    app = routes(service)
    if page:
        add_page(app, page, service.model.screener.bundle)
        _add_clinic_page(app, page)
    settings = service.settings
    guarded = Guard(app, hosts=hosts or Hosts(), max_body=settings.max_body, max_in_flight=_UPLOADS)
    capacity = Capacity(
        guarded, memory=settings.memory, max_body=settings.max_body, seconds=settings.request_seconds
    )
    return Watch(Origins(capacity, settings.origins), secure=service.secure)


def routes(service: Service) -> FastAPI:
    """The routes alone, for the documentation and the tests."""
    app = FastAPI(
        title="poxlens clinic",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    # Addresses are looked for in this order; what phones ask most comes first.
    for part in (
        screening,
        referrals,
        sessions,
        openid,
        worklist,
        fhir,
        monitoring,
        administration,
        operations,
    ):
        app.include_router(part.router)
    add_handlers(app)
    return app


def _add_clinic_page(app: FastAPI, page: Sequence[File]) -> None:
    """`/clinic/` is the clinic's pages, whose file the build calls clinic/index.html or clinic.html."""
    names = {file.name: file for file in page}
    start = names.get("clinic/index.html") or names.get("clinic.html")
    if start is None:
        return

    def clinic(request: Request) -> Response:
        headers = {"cache-control": "no-cache", "etag": start.tag}
        if request.headers.get("if-none-match") == start.tag:
            return Response(status_code=304, headers=headers)
        return Response(start.content, media_type=start.kind, headers=headers)

    def to_clinic() -> Response:
        return RedirectResponse("/clinic/", status_code=308)

    app.add_api_route("/clinic/", clinic, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/clinic", to_clinic, methods=["GET", "HEAD"], include_in_schema=False)
