"""The phone app of another origin: it may send with a device token, to the few addresses that a phone needs.

No cookie is ever accepted from another origin, so that a page there can do no more than a program could.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = frozenset({"/v1/referrals", "/v1/status", "/v1/screen", "/v1/bundle", "/health"})
_ALLOW = [
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"authorization, content-type, idempotency-key"),
    (b"access-control-max-age", b"600"),
]


class Origins:
    """ASGI middleware.

    Args:
        app: the application behind it, which refuses other origins.
        allowed: origins such as `https://app.example`.
    """

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self.app, self.allowed = app, frozenset(allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a browser's question first; let an allowed origin through as if it were no browser."""
        origin = _header(scope, b"origin") if scope["type"] == "http" else ""
        if origin not in self.allowed or not _open(scope["path"]):
            await self.app(scope, receive, send)
            return
        told = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"origin")]
        if scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": told + _ALLOW})
            await send({"type": "http.response.body", "body": b""})
            return
        dropped = (b"origin", b"sec-fetch-site", b"cookie")
        inner = {**scope, "headers": [one for one in scope["headers"] if one[0] not in dropped]}

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *told]}
            await send(message)

        await self.app(inner, receive, telling)


def _open(path: str) -> bool:
    return path in PATHS or (path.startswith("/v1/bundle/") and path.endswith(".zip"))


def _header(scope: Scope, name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""
