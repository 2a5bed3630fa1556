"""The application: the page, its bundle, `POST /api/screen` and `GET /api/bundle`, behind the guard."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from poxlens.errors import PoxlensError
from poxlens.screen.background import available_cores
from poxlens.screen.reasons import DISCLAIMER
from poxlens.serve.answers import Screens, answer_person, answer_photo, describe_bundle
from poxlens.serve.deployment import Deployment, deployed
from poxlens.serve.guard import MAX_BODY, POLICY, Guard, Hosts, TooLargeError
from poxlens.serve.page import File, add_page, page_files
from poxlens.serve.static_pages import fault as error
from poxlens.serve.upload import MAX_PHOTOS, RequestError, read_upload

log = logging.getLogger("poxlens.serve")


def create_app(
    screener: Screens,
    *,
    hosts: Hosts | None = None,
    max_body: int = MAX_BODY,
    page: Sequence[File] | None = None,
    settings: Deployment | None = None,
) -> Guard:
    """The ASGI application.

    Args:
        screener: made already, so that a damaged bundle shows before a server starts.
        hosts: which Host headers are served; None for the names of the local machine.
        max_body: bytes of one request.
        page: the files of the phone app; None for those that were built into the package.
        settings: of the deployment; None for the defaults.

    Raises:
        PageMissingError: when there are none.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    bundle = {
        **describe_bundle(screener.bundle),
        "disclaimer": DISCLAIMER,
        "max_bytes": max_body,
        "max_photos": MAX_PHOTOS,
    }
    cores = available_cores()

    @app.post("/api/screen")
    async def screen(request: Request) -> dict[str, Any]:
        upload = await read_upload(request)
        # Photos of one request run side by side, as many as there are cores, off the event loop.
        limiter = _limiter(app, cores)
        answers = await asyncio.gather(
            *(
                anyio.to_thread.run_sync(answer_photo, screener, photo, limiter=limiter)
                for photo in upload.photos
            )
        )
        person = answer_person([decision for decision, _ in answers], upload.context)
        return {"person": person, "photos": [shown for _, shown in answers]}

    @app.get("/api/bundle")
    async def about() -> dict[str, Any]:
        return bundle

    files = page_files() if page is None else page
    if settings is not None:
        files = deployed(files, settings)
    add_page(app, files, screener.bundle)
    _add_faults(app)
    policy = POLICY if settings is None else settings.policy(POLICY)
    return Guard(app, hosts=hosts or Hosts(), max_body=max_body, policy=policy)


def _limiter(app: FastAPI, cores: int) -> anyio.CapacityLimiter:
    # Made within the running loop, once.
    if not hasattr(app.state, "limiter"):
        app.state.limiter = anyio.CapacityLimiter(cores)
    limiter: anyio.CapacityLimiter = app.state.limiter
    return limiter


def _add_faults(app: FastAPI) -> None:
    @app.exception_handler(RequestError)
    async def refused(_: Request, fault: RequestError) -> JSONResponse:
        return error(fault.status, fault.code, fault.message)

    @app.exception_handler(TooLargeError)
    async def too_large(_: Request, fault: TooLargeError) -> JSONResponse:
        return error(413, "too_large", str(fault))

    @app.exception_handler(404)
    async def unknown(_: Request, __: Exception) -> JSONResponse:
        return error(404, "not_found", "There is nothing at this address.")

    @app.exception_handler(405)
    async def wrong_method(_: Request, __: Exception) -> JSONResponse:
        return error(405, "method", "This address does not take this kind of request.")

    @app.exception_handler(PoxlensError)
    async def failed(_: Request, fault: PoxlensError) -> JSONResponse:
        log.error("screening failed: %s", fault)
        return error(500, "failed", fault.client_message)

    @app.exception_handler(Exception)
    async def broken(_: Request, fault: Exception) -> JSONResponse:
        log.error("screening failed", exc_info=fault)
        return error(500, "failed", "The photos could not be screened. The program's window says why.")
