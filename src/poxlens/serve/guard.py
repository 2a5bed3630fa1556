"""What stands before the API: who may ask, how much may be sent, and what a browser may do with the page.

A page on another site can make a visitor's browser send requests to 127.0.0.1, and can point a name of its
own at 127.0.0.1 to read the answers (DNS rebinding). So the Host header must name this machine, an upload
must come from this page, and no other origin is ever allowed (no CORS).
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
MAX_BODY = 60_000_000
"""Bytes of one request; a dozen phone photos fit."""
MAX_IN_FLIGHT = 8
"""Uploads at a time; each may hold MAX_BODY bytes of memory."""
_DRAIN = 4  # times the limit that is read and dropped, so that a browser gets to see the refusal

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""What a browser may do with a page: nothing outside its own origin."""
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"cache-control": b"no-store",
    # Both together give the page shared memory, so that the model runs on several threads.
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-embedder-policy": b"require-corp",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"geolocation=(), microphone=()",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
}


@dataclass(frozen=True)
class Hosts:
    """Which names of this machine a request may use.

    Attributes:
        names: lower case, without port.
        any_address: whether every bare IP address is allowed; such a request cannot come by a rebound name.
    """

    names: frozenset[str] = LOCAL_NAMES
    any_address: bool = False

    @classmethod
    def serving(cls, host: str) -> Hosts:
        """The names for a server that listens on `host`."""
        if host in LOCAL_NAMES:
            return cls()
        if host in ("0.0.0.0", "::", ""):
            own = socket.gethostname().lower()
            return cls(LOCAL_NAMES | {own, f"{own}.local"}, any_address=True)
        return cls(LOCAL_NAMES | {host.lower()})

    def allow(self, header: str) -> bool:
        """Whether a Host header (name or address, with or without port) names this machine."""
        try:
            name = urlsplit(f"//{header}").hostname
        except ValueError:
            return False
        if not name:
            return False
        if name.rstrip(".") in self.names:
            return True
        return self.any_address and _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class TooLargeError(Exception):
    """A body that went over the limit while it was read.

    Args:
        limit: in bytes.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The photos are larger than {limit / 1e6:g} MB together. Send fewer, or smaller copies."
        )


@dataclass
class Guard:
    """ASGI middleware that refuses before the application sees a request.

    Attributes:
        app: the application behind it.
        hosts: which Host headers are served.
        max_body: bytes of a request's body, counted as they arrive.
        max_in_flight: requests with a body at a time.
        policy: the content security policy.
    """

    app: ASGIApp
    hosts: Hosts = field(default_factory=Hosts)
    max_body: int = MAX_BODY
    max_in_flight: int = MAX_IN_FLIGHT
    policy: str = POLICY
    _in_flight: int = field(default=0, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            return
        send = _with_headers(send, {**HEADERS, b"content-security-policy": self.policy.encode()})
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._stranger(scope["method"], headers)
        if refusal is not None:
            await _refuse(send, *refusal)
        elif scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
        elif self._in_flight >= self.max_in_flight:
            await _refuse(send, 503, "busy", "Too many photos at a time. Wait a moment and try again.")
        else:
            self._in_flight += 1
            try:
                await self._counted(scope, receive, send, headers)
            finally:
                self._in_flight -= 1

    def _stranger(self, method: str, headers: dict[bytes, str]) -> tuple[int, str, str] | None:
        host = headers.get(b"host", "")
        if not self.hosts.allow(host):
            return 421, "host", "This name is not served here. Open the address that poxlens printed."
        if method in ("GET", "HEAD"):
            return None
        origin = headers.get(b"origin")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != host.lower()
        if foreign or headers.get(b"sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "origin", "Requests from other sites are refused."
        return None

    async def _counted(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, str]) -> None:
        total = 0

        async def counted() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > self.max_body:
                await _drain(message, receive, _DRAIN * self.max_body)
                raise TooLargeError(self.max_body)
            return message

        length = headers.get(b"content-length", "0")
        if length.isdigit() and int(length) > self.max_body:
            await _drain({"type": "http.request", "more_body": True}, receive, _DRAIN * self.max_body)
            await _refuse(send, 413, "too_large", str(TooLargeError(self.max_body)))
        else:
            await self.app(scope, counted, send)


async def _drain(message: Message, receive: Receive, most: int) -> None:
    """Read the rest of a body and drop it: a browser that is still sending does not see an early refusal."""
    total = 0
    while message["type"] == "http.request" and message.get("more_body", False) and total <= most:
        message = await receive()
        total += len(message.get("body", b""))


def _with_headers(send: Send, headers: Mapping[bytes, bytes]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message.get("headers", [])}
            extra = [(name, value) for name, value in headers.items() if name not in given]
            message = {**message, "headers": [*message.get("headers", []), *extra]}
        await send(message)

    return sending


async def _refuse(send: Send, status: int, code: str, text: str) -> None:
    body = json.dumps({"error": {"code": code, "message": text}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 503:
        headers.append((b"retry-after", b"2"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
