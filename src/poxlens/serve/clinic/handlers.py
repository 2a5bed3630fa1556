"""Turning faults into answers that a client may see, and attempts at what is not theirs into lines of the audit log."""

from __future__ import annotations

import contextlib
import logging
import re

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from poxlens.errors import PoxlensError
from poxlens.serve.clinic.faults import ApiError
from poxlens.serve.clinic.instants import HOUR
from poxlens.serve.clinic.service import service_of
from poxlens.serve.clinic.store.database import StoreUnavailableError
from poxlens.serve.clinic.store.rates import Limit, count
from poxlens.serve.clinic.telemetry import metrics
from poxlens.serve.clinic.telemetry.logs import tell
from poxlens.serve.guard import TooLargeError

_NOTED = Limit(60, HOUR)
"""Lines of refused attempts of one address: nobody can fill the audit log; the counters tell of the rest."""

_STATUS = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method", "This address does not take this kind of request."),
}


def add_handlers(app: FastAPI) -> None:
    """Install them."""

    @app.exception_handler(ApiError)
    async def refused(request: Request, fault: ApiError) -> JSONResponse:
        metrics.REFUSED.labels(fault.code).inc()
        if fault.attempt:
            # An attempt stays refused also while the log cannot be written.
            with contextlib.suppress(PoxlensError):
                await run_in_threadpool(_note, request, fault)
        return _answer(fault.status, fault.code, fault.message, fault.headers)

    @app.exception_handler(RequestValidationError)
    async def wrong(_: Request, fault: RequestValidationError) -> JSONResponse:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "body")
        # Never the value: it may be a photo or a password.
        message = str(first["msg"]).removeprefix("Value error, ")
        return _answer(422, "invalid", f"{where or 'body'}: {message}"[:300])

    @app.exception_handler(TooLargeError)
    async def too_large(_: Request, __: TooLargeError) -> JSONResponse:
        return _answer(413, "too_large", "The request is too large. Send fewer or smaller photos.")

    @app.exception_handler(HTTPException)
    async def plain(request: Request, fault: HTTPException) -> JSONResponse:
        code, message = _STATUS.get(fault.status_code, ("refused", "The request cannot be read."))
        headers = dict(fault.headers or {})
        if fault.status_code == 405:
            headers["Allow"] = _methods(app, request.scope["path"]) or headers.get("Allow", "")
        return _answer(fault.status_code, code, message, headers)

    @app.exception_handler(StoreUnavailableError)
    async def gone(_: Request, fault: StoreUnavailableError) -> JSONResponse:
        tell("storage not available", logging.ERROR, why=str(fault))
        return _answer(503, "storage", fault.client_message, {"Retry-After": "5"})

    @app.exception_handler(PoxlensError)
    async def failed(_: Request, fault: PoxlensError) -> JSONResponse:
        tell("failed", logging.ERROR, why=str(fault))
        return _broken()

    @app.exception_handler(Exception)
    async def broken(_: Request, __: Exception) -> JSONResponse:
        return _broken()  # it is raised again for Watch, which writes it to the log


def _broken() -> JSONResponse:
    return _answer(500, "failed", "That did not work. It is in the server's log; nothing was lost.")


def _methods(app: FastAPI, path: str) -> str:
    """All methods of an address; the router itself names those of the first route that fits."""
    told: dict[str, dict[str, object]] = app.openapi()["paths"]
    found = {
        method.upper()
        for template, methods in told.items()
        if re.fullmatch(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template)), path)
        for method in methods
    }
    return ", ".join(sorted(found))


def _answer(status: int, code: str, message: str, headers: object = None) -> JSONResponse:
    extra = dict(headers) if isinstance(headers, dict) else None
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status, headers=extra)


def _note(request: Request, fault: ApiError) -> None:
    service = service_of(request)
    principal = getattr(request.state, "principal", None)
    address = request.client.host if request.client else "?"
    clinic_id = fault.clinic_id if principal is None else principal.clinic_id
    actor = "anyone" if principal is None else principal.actor
    route = str(getattr(request.scope.get("route"), "path", "none"))
    with service.store.writing() as session:
        if count(session, f"refused:{address}", _NOTED, service.now()):
            return
        service.log(session, actor, "refused", clinic_id, route[:64], code=fault.code, status=fault.status)
