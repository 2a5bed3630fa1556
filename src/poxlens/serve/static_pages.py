"""What every page of poxlens is served by: its files, and faults as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse


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
