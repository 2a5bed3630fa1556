"""Running the page: a free port, uvicorn, and the browser once it answers."""

from __future__ import annotations

import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import uvicorn

from poxlens.errors import PoxlensError
from poxlens.serve.answers import Screens
from poxlens.serve.app import create_app
from poxlens.serve.guard import Guard, Hosts

if TYPE_CHECKING:
    from poxlens.serve.certificate import Certificate
    from poxlens.serve.deployment import Deployment

DEFAULT_PORT = 8731
ANY = ("0.0.0.0", "::", "")
"""Hosts that stand for every address of this computer."""
_TRIES = 50


class AddressError(PoxlensError):
    """An address that cannot be listened on."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket on `port`, or on the next free one; 0 takes any free port.

    Raises:
        AddressError: when the host is not of this machine, or no port near is free.
    """
    try:
        family, _, _, _, _ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as fault:
        raise AddressError(f"--host {host}: this name is not known ({fault.strerror or fault}).") from None
    last: OSError | None = None
    for candidate in range(port, min(port + _TRIES, 65536)) if port else (0,):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # on Windows it would let two servers share a port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, candidate))
            listener.listen(64)
        except OSError as fault:
            listener.close()
            last = fault
        else:
            return listener
    why = last.strerror if last is not None else "no port"
    raise AddressError(f"Cannot listen on {host}, port {port}: {why}. Choose others with --host and --port.")


def address(listener: socket.socket, host: str, *, tls: bool = False) -> str:
    """The URL to open on this computer for a listening socket."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)
    name = f"[{name}]" if ":" in name and not name.startswith("[") else name
    return f"{'https' if tls else 'http'}://{name}:{listener.getsockname()[1]}"


def names(host: str) -> list[str]:
    """Names and addresses by which others on the network may open a page that listens on `host`; best first."""
    if host not in ANY:
        return [host]
    own = socket.gethostname().lower()
    return [*_network_addresses(), own, f"{own}.local", "localhost", "127.0.0.1"]


def _network_addresses() -> list[str]:
    found = []
    # Where a packet to a distant address would leave from; none is sent. Both addresses are for documentation only
    # (RFC 5737, RFC 3849).
    for family, distant in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((distant, 9))
            found.append(str(asking.getsockname()[0]))
    return found


def serve(
    screener: Screens,
    listener: socket.socket,
    host: str,
    *,
    certificate: Certificate | None = None,
    deployment: Deployment | None = None,
    on_start: Callable[[], None] | None = None,
) -> None:
    """Serve until stopped (Ctrl+C, SIGTERM).

    Args:
        screener: with the bundle.
        listener: from `listen`.
        host: as given to `listen`; decides which Host headers are served.
        certificate: for TLS; None for none.
        deployment: its settings; None for the defaults.
        on_start: called in a thread once the server accepts requests.
    """
    app = create_app(screener, hosts=Hosts.serving(host), settings=deployment)
    server = uvicorn.Server(settings(app, certificate))
    if on_start is not None:
        # The socket listens already: a browser that is early waits in its queue.
        threading.Thread(target=on_start, daemon=True).start()
    server.run(sockets=[listener])


def settings(app: Guard, certificate: Certificate | None = None) -> uvicorn.Config:
    """How uvicorn runs the page: quiet, without WebSockets, without telling its name."""
    return uvicorn.Config(
        app,
        log_level="warning",
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=3,
        ssl_certfile=certificate.certificate if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )


def open_browser(url: str) -> None:
    """Open the page where there is a desktop; a text browser would take over the terminal."""
    if sys.platform.startswith("linux") and not any(
        os.environ.get(v) for v in ("DISPLAY", "WAYLAND_DISPLAY")
    ):
        return
    webbrowser.open(url)
