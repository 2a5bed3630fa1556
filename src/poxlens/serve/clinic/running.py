"""Running the server: uvicorn on one socket, in this process or in several workers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from poxlens.serve.clinic.settings import Settings
from poxlens.serve.guard import Hosts

_GRACE = 10  # seconds for requests at work when the server is told to stop


def run(
    app: ASGIApp,
    listener: socket.socket,
    settings: Settings,
    *,
    certificate: tuple[str, str] | None = None,
    on_start: Callable[[], None] | None = None,
) -> None:
    """Serve until stopped (Ctrl+C, SIGTERM).

    Args:
        app: the application.
        listener: a listening socket.
        settings: the server's choices.
        certificate: paths of the certificate and its key; None for http.
        on_start: called in a thread once the server accepts requests.
    """
    server = uvicorn.Server(config(app, settings, certificate))
    if on_start is not None:
        threading.Thread(target=on_start, daemon=True).start()
    server.run(sockets=[listener])


def hosts_of(settings: Settings, host: str) -> Hosts:
    """Which Host headers are served: the names of the address that is listened on, and of the public one."""
    hosts = Hosts.serving(host)
    name = urlsplit(settings.public_url or "").hostname
    return hosts if name is None else replace(hosts, names=hosts.names | {name})


def config(
    app: ASGIApp | str, settings: Settings, certificate: tuple[str, str] | None, *, workers: int = 1
) -> uvicorn.Config:
    """How uvicorn runs it."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        log_config=None,
        access_log=False,  # the server writes its own line for each request, without addresses
        lifespan="off",
        ws="none",
        server_header=False,
        limit_concurrency=1_000,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=_GRACE,
        h11_max_incomplete_event_size=32_768,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
