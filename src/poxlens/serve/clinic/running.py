"""Running the server in this process: uvicorn on one socket, and the housekeeping beside it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from poxlens.serve.clinic.app import create_clinic
from poxlens.serve.clinic.housekeeping import Housekeeper
from poxlens.serve.clinic.protocol import Protocol
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.deployment import Deployment, deployed, usable_origin
from poxlens.serve.guard import Hosts
from poxlens.serve.page import File, page_files

_GRACE = 10  # seconds for requests at work when the server is told to stop
_CONNECTIONS = 1_000


def run_here(
    service: Service,
    listener: socket.socket,
    host: str,
    url: str,
    *,
    certificate: tuple[str, str] | None = None,
    on_start: Callable[[], None] | None = None,
) -> None:
    """Serve until stopped (Ctrl+C, SIGTERM).

    Args:
        service: the server's parts.
        listener: a listening socket.
        host: that it listens on.
        url: how browsers reach it.
        certificate: paths of the certificate and its key; None for http.
        on_start: called in a thread once the server accepts requests.
    """
    app = create_clinic(service, hosts=hosts_of(service.settings, host), page=pages(url))
    server = uvicorn.Server(config(app, service.settings, certificate))
    keeper = Housekeeper(service)
    keeper.start()
    if on_start is not None:
        threading.Thread(target=on_start, daemon=True).start()
    try:
        server.run(sockets=[listener])
    finally:
        keeper.stop()
        service.store.close()


def pages(url: str) -> list[File]:
    """The pages, with this server as the clinic that the phone app sends to, where browsers reach it encrypted or on
    this computer.

    Raises:
        PageMissingError: when they were not built into this copy.
    """
    page = page_files()
    return deployed(page, Deployment(clinic=url)) if usable_origin(url) else page


def hosts_of(settings: Settings, host: str) -> Hosts:
    """Which Host headers are served: the names of the address that is listened on, and of the public one."""
    hosts = Hosts.serving(host)
    name = urlsplit(settings.public_url or "").hostname
    return hosts if name is None else replace(hosts, names=hosts.names | {name})


def config(
    app: ASGIApp | str, settings: Settings, certificate: tuple[str, str] | None, *, workers: int = 1
) -> uvicorn.Config:
    """How uvicorn runs it: the server's own log instead of uvicorn's, no name, no WebSockets, no endless waiting.

    Args:
        app: the application, or where a function is that makes it.
        settings: the server's choices.
        certificate: paths of the certificate and its key; None for http.
        workers: processes.
    """
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        log_config=None,
        access_log=False,  # the server writes its own line for each request, without addresses
        lifespan="off",
        ws="none",
        server_header=False,
        http=Protocol,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=_GRACE,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
