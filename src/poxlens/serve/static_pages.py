"""What every page of poxlens is served by: its files, and faults as JSON."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from poxlens.errors import PhotoError, PoxlensError

INSUFFICIENT_STORAGE = 507


def add_files(app: FastAPI, package: str, names: Mapping[str, tuple[str, str]]) -> None:
    """Serve files of a package's `static` folder; read once.

    Args:
        app: the application.
        package: whose folder.
        names: path -> file and content type.
    """
    static = files(package) / "static"
    for path, (name, kind) in names.items():
        content = (static / name).read_bytes()

        def serve(content: bytes = content, kind: str = kind) -> Response:
            return Response(content, media_type=kind, headers={"cache-control": "no-cache"})

        app.add_api_route(path, serve, methods=["GET", "HEAD"], include_in_schema=False)


def fault(status: int, code: str, message: str) -> JSONResponse:
    """A fault as every page's script expects it."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def add_faults(
    app: FastAPI, log: logging.Logger, kinds: Mapping[type[PoxlensError], tuple[int, str]]
) -> None:
    """Answer each fault of a local page over a table of images with what a person may read, and log the others.

    Args:
        app: the application.
        log: told of what could not be saved, and of what went wrong inside.
        kinds: the page's own faults -> status and code; a photo that cannot be read is known already.
    """

    @app.exception_handler(PhotoError)
    async def unreadable(_: Request, cause: PhotoError) -> JSONResponse:
        return fault(422, cause.reason, cause.client_message)

    for kind, (status, code) in kinds.items():

        async def own(
            _: Request, cause: Exception, *, status: int = status, code: str = code
        ) -> JSONResponse:
            if status == INSUFFICIENT_STORAGE:
                log.error("not saved: %s", cause)
            assert isinstance(cause, PoxlensError)
            return fault(status, code, cause.client_message)

        app.add_exception_handler(kind, own)

    @app.exception_handler(404)
    async def unknown(_: Request, __: Exception) -> JSONResponse:
        return fault(404, "not_found", "There is nothing at this address.")

    @app.exception_handler(405)
    async def wrong_method(_: Request, __: Exception) -> JSONResponse:
        return fault(405, "method", "This address does not take this kind of request.")

    @app.exception_handler(Exception)
    async def broken(_: Request, cause: Exception) -> JSONResponse:
        log.error("a request failed", exc_info=cause)
        return fault(500, "failed", "That did not work. The program's window says why.")
