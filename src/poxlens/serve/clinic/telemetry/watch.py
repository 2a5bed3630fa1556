"""Around everything: a number for each request, its line in the log, its counters, and an answer where code failed."""

from __future__ import annotations

import json
import logging
import secrets
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poxlens.serve.clinic.telemetry import metrics
from poxlens.serve.clinic.telemetry.logs import tell

_BROKEN = json.dumps(
    {
        "error": {
            "code": "failed",
            "message": "That did not work. It is in the server's log; nothing was lost.",
        }
    }
).encode()


class Watch:
    """ASGI middleware.

    Args:
        app: the application behind it.
        secure: whether browsers reach it through TLS, and are to do so for a year from now on.
    """

    def __init__(self, app: ASGIApp, *, secure: bool = False) -> None:
        self.app = app
        self._headers = [(b"strict-transport-security", b"max-age=31536000")] if secure else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and tell of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number, start, status = secrets.token_hex(6), perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = [(b"x-request-id", number.encode()), *self._headers]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            await send(message)

        metrics.IN_FLIGHT.inc()
        try:
            await self.app(scope, receive, noted)
        except Exception as fault:
            tell("failed", logging.ERROR, fault=fault, request=number, route=_route(scope))
            if status == 0:
                await _answer(noted)
            status = status or 500
        finally:
            metrics.IN_FLIGHT.dec()
            _tell(scope, number, status, perf_counter() - start)


def _tell(scope: Scope, number: str, status: int, seconds: float) -> None:
    route = _route(scope)
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.REQUESTS.labels(method, route, str(status)).inc()
    metrics.SECONDS.labels(route).observe(seconds)
    who: Any = scope.get("state", {}).get("principal")
    tell(
        "request",
        request=number,
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        who=getattr(who, "actor", None),
        clinic=getattr(who, "clinic_id", None),
    )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _route(scope: Scope) -> str:
    """The route's pattern: an address itself could hold anything."""
    return str(getattr(scope.get("route"), "path", "none"))


async def _answer(send: Send) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_BROKEN)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": _BROKEN})
