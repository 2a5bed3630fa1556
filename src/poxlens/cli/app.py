"""`poxlens app`: the local page where one drops or takes a photo and sees the answer."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

import typer

from poxlens.errors import BundleError, MissingExtraError, PoxlensError

DEFAULT_PORT = 8731


def app(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on. Any other than 127.0.0.1 opens it to others.")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option("--port", help="Port; the next free one if taken, 0 for any free."),
    ] = DEFAULT_PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Bundle to screen with. Default: the embedded one.")
    ] = None,
) -> None:
    """Open the local page: photos never leave this computer and are never stored."""
    try:
        _run(host, port, not no_browser, bundle)
    except MissingExtraError as fault:
        print(f"poxlens: {fault}", file=sys.stderr)
        raise typer.Exit(2) from None
    except PoxlensError as fault:
        print(f"poxlens: {fault}", file=sys.stderr)
        raise typer.Exit(1 if isinstance(fault, BundleError) else 2) from None
    except KeyboardInterrupt:
        print()


def _run(host: str, port: int, browser: bool, bundle: Path | None) -> None:
    if any(importlib.util.find_spec(name) is None for name in ("fastapi", "uvicorn", "python_multipart")):
        raise MissingExtraError("serve", "poxlens app")
    from poxlens.screen.screener import Screener
    from poxlens.serve.server import AddressError, address, listen, open_browser, serve

    if not 0 <= port <= 65535:
        raise AddressError(f"--port must be 0 to 65535, not {port}.")
    listener = listen(host, port)
    try:
        screener = Screener(bundle, check_maps=True)
        url = address(listener, host)
        print(f"poxlens is at {url} (Ctrl+C stops it)", flush=True)
        if host not in ("127.0.0.1", "localhost", "::1"):
            print(
                "Others on this network can reach it, unencrypted; there the page cannot keep itself for offline use.",
                file=sys.stderr,
            )
        serve(screener, listener, host, on_start=(lambda: open_browser(url)) if browser else None)
    finally:
        listener.close()
