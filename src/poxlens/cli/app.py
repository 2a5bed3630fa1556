"""`poxlens app`: the local page where one drops or takes a photo and sees the answer."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.errors import BundleError, MissingExtraError, PoxlensError

if TYPE_CHECKING:
    import socket

    from poxlens.serve.certificate import Certificate
    from poxlens.serve.deployment import Deployment

DEFAULT_PORT = 8731
LOCAL = ("127.0.0.1", "localhost", "::1")
_NEEDED = ("fastapi", "uvicorn", "python_multipart", "brotli", "cryptography", "segno")


@dataclass(frozen=True)
class _Options:
    host: str
    port: int
    browser: bool
    bundle: Path | None
    tls: bool | None
    certificate: Path | None
    key: Path | None
    settings: Path | None
    static: Path | None


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
    tls: Annotated[
        bool | None,
        typer.Option("--tls/--no-tls", help="Encrypt. Default: yes where others can reach the page."),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate", help="Certificate (PEM) for TLS. Default: one that poxlens makes and keeps."
        ),
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Private key (PEM) of --certificate.")] = None,
    settings: Annotated[
        Path | None,
        typer.Option("--settings", help="settings.json of this deployment: prevalence, the clinic's server."),
    ] = None,
    static: Annotated[
        Path | None,
        typer.Option(
            "--static", help="Write the page for a static host into this folder, and do not serve it."
        ),
    ] = None,
) -> None:
    """Open the local page: photos never leave this computer and are never stored."""
    options = _Options(host, port, not no_browser, bundle, tls, certificate, key, settings, static)
    try:
        _run(options)
    except MissingExtraError as fault:
        print(f"poxlens: {fault}", file=sys.stderr)
        raise typer.Exit(2) from None
    except PoxlensError as fault:
        print(f"poxlens: {fault}", file=sys.stderr)
        raise typer.Exit(1 if isinstance(fault, BundleError) else 2) from None
    except KeyboardInterrupt:
        print()


def _run(options: _Options) -> None:
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise MissingExtraError("serve", "poxlens app")
    from poxlens.screen.screener import Screener
    from poxlens.serve.deployment import Deployment, read_deployment
    from poxlens.serve.server import AddressError, address, listen, open_browser, serve

    deployment = Deployment() if options.settings is None else read_deployment(options.settings)
    if options.static is not None:
        _write(options.static, options.bundle, deployment)
        return
    if not 0 <= options.port <= 65535:
        raise AddressError(f"--port must be 0 to 65535, not {options.port}.")
    certificate = _certificate(options)
    listener = listen(options.host, options.port)
    try:
        screener = Screener(options.bundle, check_maps=True)
        url = address(listener, options.host, tls=certificate is not None)
        print(f"poxlens is at {url} (Ctrl+C stops it)", flush=True)
        if options.host not in LOCAL:
            _tell_others(listener, options.host, certificate)
        on_start = (lambda: open_browser(url)) if options.browser else None
        serve(
            screener,
            listener,
            options.host,
            certificate=certificate,
            deployment=deployment,
            on_start=on_start,
        )
    finally:
        listener.close()


def _certificate(options: _Options) -> Certificate | None:
    from poxlens.serve.certificate import CertificateError, given_certificate, local_certificate
    from poxlens.serve.server import names

    if (options.certificate is None) != (options.key is None):
        raise CertificateError("--certificate and --key belong together: name both, or none.")
    if options.certificate is not None and options.key is not None:
        if options.tls is False:
            raise CertificateError("--no-tls cannot be used with --certificate.")
        return given_certificate(options.certificate, options.key)
    if options.tls is False or (options.tls is None and options.host in LOCAL):
        return None
    return local_certificate(Path(typer.get_app_dir("poxlens")) / "tls", names(options.host))


def _tell_others(listener: socket.socket, host: str, certificate: Certificate | None) -> None:
    """The address for others on the network, as text and as a QR code, and what their browsers will say."""
    import segno

    from poxlens.serve.server import address, names

    url = address(listener, names(host)[0], tls=certificate is not None)
    print(f"On this network: {url}\n", flush=True)
    if sys.stdout.isatty():
        segno.make(url, micro=False).terminal(compact=True, border=2)
    if certificate is None:
        print(
            "Others on this network can reach it, unencrypted: there browsers give it no camera and no threads, and "
            "do not keep it for use without a network.",
            file=sys.stderr,
        )
    elif certificate.own:
        print(
            "Others on this network can reach it, encrypted. Nobody vouches for this computer, so browsers warn of it "
            "first; whoever goes on should see this fingerprint in the warning's details:\n"
            f"  SHA-256 {certificate.fingerprint}\n"
            "Browsers do not keep a page for use without a network after such a warning: for that name a certificate "
            "that they trust with --certificate and --key.",
            file=sys.stderr,
        )


def _write(folder: Path, path: Path | None, deployment: Deployment) -> None:
    from poxlens.bundle.store import load
    from poxlens.serve.page import page_files
    from poxlens.serve.static_host import write_static

    count = write_static(folder, page_files(), load(path), deployment)
    print(
        f"{count} files in {folder}. The host must send the headers in {folder / '_headers'} (or nginx.conf)."
    )
