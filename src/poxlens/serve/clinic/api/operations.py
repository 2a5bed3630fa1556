"""For who runs the server: is it up, is it ready, how is it doing."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from poxlens import __version__
from poxlens.errors import PoxlensError
from poxlens.serve.clinic.api.answers import faults
from poxlens.serve.clinic.faults import ApiError, busy
from poxlens.serve.clinic.service import service_of
from poxlens.serve.clinic.store.keyfile import read_keys
from poxlens.serve.clinic.store.migrate import is_current
from poxlens.serve.clinic.telemetry import metrics

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["up"]
    version: str


class Ready(BaseModel):
    """Everything that a request needs is there."""

    status: Literal["ready"]
    bundle: str


@router.get("/health", responses=faults(), summary="Is it up")
def health() -> Health:
    """Asks nothing of the database."""
    return Health(status="up", version=__version__)


@router.get("/ready", responses=faults(), summary="Is it ready")
def ready(request: Request) -> Ready:
    """503 while the database or the keys are not there, or the schema is another version's."""
    service = service_of(request)
    try:
        service.store.check()
        read_keys(service.settings.keys)
        current = is_current(service.store)
    except (PoxlensError, SQLAlchemyError):
        raise busy("The database or the keys are not available.", code="not_ready", seconds=5) from None
    if not current:
        raise busy("The database has another schema than this version.", code="not_ready", seconds=60)
    return Ready(status="ready", bundle=service.model.screener.bundle.label)


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=faults(403),
    summary="Counters for Prometheus",
)
def counters(request: Request) -> Response:
    """Only to the addresses of `metrics_from`, by default this machine's own."""
    address = request.client.host if request.client else ""
    if address not in service_of(request).settings.metrics_from:
        raise ApiError(403, "forbidden", "Counters are not shown to this address.")
    body, kind = metrics.page()
    return Response(body, headers={"content-type": kind})
