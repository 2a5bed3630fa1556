"""Memory before it runs out: bytes of all requests at a time, and the time that one may take to arrive."""

from __future__ import annotations

import asyncio
import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poxlens.serve.clinic.telemetry import metrics

_COPIES = 4
"""A body is held as bytes, as text, as JSON and decoded: at most so many times its length at once."""


class Capacity:
    """ASGI middleware that answers 503 where the requests together would hold too much.

    Args:
        app: the application behind it.
        memory: bytes for all requests of this process.
        max_body: bytes of one, which is what a request without a length is counted as.
        seconds: longest time for one request to arrive.
    """

    def __init__(self, app: ASGIApp, *, memory: int, max_body: int, seconds: float) -> None:
        self.app, self.memory, self.max_body, self.seconds = app, memory, max_body, seconds
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self.app(scope, receive, send)
            return
        need = self._need(scope)
        # One alone is always served: a limit below a single photo would refuse everything for ever.
        if self.held and self.held + need > self.memory:
            await _busy(send)
            return
        self.held += need
        metrics.HELD.inc(need)
        try:
            await self.app(scope, self._in_time(receive), send)
        finally:
            self.held -= need
            metrics.HELD.dec(need)

    def _need(self, scope: Scope) -> int:
        told = dict(scope["headers"]).get(b"content-length", b"")
        # Where no length is told there may be no body at all, or as much as is allowed.
        chunked = b"transfer-encoding" in dict(scope["headers"])
        length = int(told) if told.isdigit() else self.max_body if chunked else 0
        return _COPIES * min(length, self.max_body)

    def _in_time(self, receive: Receive) -> Receive:
        loop = asyncio.get_running_loop()
        end, arrived = loop.time() + self.seconds, False

        async def timed() -> Message:
            nonlocal arrived
            if arrived:
                return await receive()  # waits for the client to leave: no limit
            try:
                async with asyncio.timeout_at(end):
                    message = await receive()
            except TimeoutError:
                arrived = True
                return {"type": "http.disconnect"}
            arrived = not message.get("more_body", False)
            return message

        return timed


async def _busy(send: Send) -> None:
    body = json.dumps(
        {"error": {"code": "busy", "message": "Too much at a time. Wait a moment and try again."}}
    ).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", b"3"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": body})
