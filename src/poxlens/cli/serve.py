"""`poxlens serve`: the clinic's server. It starts without configuration and prints what to do next."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.main import MisuseError
from poxlens.errors import MissingExtraError

if TYPE_CHECKING:
    from poxlens.serve.certificate import Certificate
    from poxlens.serve.clinic.service import Service
    from poxlens.serve.clinic.settings import Settings

DEFAULT_PORT = 8740
LOCAL = ("127.0.0.1", "localhost", "::1")
PACKAGES = (
    "alembic", "argon2", "authlib", "cryptography", "fastapi", "httptools", "httpx", "joserfc", "prometheus_client",
    "pyotp", "sqlalchemy", "uvicorn", "zxcvbn",
)  # fmt: skip


@dataclass(frozen=True)
class _Options:
    host: str
    port: int
    workers: int
    bundle: Path | None
    browser: bool
    tls: bool | None
    certificate: Path | None
    key: Path | None
    people: int = 0  # of a demonstration


def serve(
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder of the data. Default: that of this account.")
    ] = None,
    keys: Annotated[
        Path | None, typer.Option("--keys", help="File of the keys, outside that folder. Keep a copy of it.")
    ] = None,
    database: Annotated[
        str | None,
        typer.Option("--database", help="postgresql://user@host/name. Default: SQLite in the folder."),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; 0.0.0.0 opens it to the network.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", help="Port; the next free one if taken, 0 for any free.")
    ] = DEFAULT_PORT,
    workers: Annotated[int, typer.Option("--workers", help="Processes that share the work.")] = 1,
    public_url: Annotated[
        str | None, typer.Option("--public-url", help="How others reach it, such as https://clinic.example.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Bundle to screen with. Default: the embedded one.")
    ] = None,
    tls: Annotated[
        bool | None, typer.Option("--tls/--no-tls", help="Encrypt. Default: yes where others can reach it.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="Certificate (PEM). Default: one that poxlens makes.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Private key (PEM) of --certificate.")] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="A clinic to look at: drawn photos, in a folder that is deleted.")
    ] = False,
    people: Annotated[int, typer.Option("--people", help="How many referrals the demonstration has.")] = 24,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
) -> None:
    """Serve the clinic's side: referrals from phones, the worklist, monitoring. A screening aid; PCR decides."""
    check_installed("poxlens serve")
    from poxlens.serve.clinic.settings import read_settings

    options = _Options(host, port, workers, bundle, not no_browser, tls, certificate, key)
    _check(options, demo, people)
    if not demo:
        _serve(read_settings(data, keys=keys, database=database, public_url=public_url), options)
        return
    from poxlens.serve.clinic.demo import demo_settings

    with tempfile.TemporaryDirectory(prefix="poxlens-demo-") as folder:
        shown = _Options(host, port, 1, bundle, not no_browser, tls, certificate, key, people)
        _serve(demo_settings(Path(folder)), shown)


def check_installed(verb: str) -> None:
    """Refuse by name where the extra is not installed.

    Raises:
        MissingExtraError: naming it.
    """
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        raise MissingExtraError("clinic", verb)


def _check(options: _Options, demo: bool, people: int) -> None:
    if not 0 <= options.port <= 65_535:
        raise MisuseError(f"serve: --port must be 0 to 65535, not {options.port}")
    if not 1 <= options.workers <= 64:
        raise MisuseError(f"serve: --workers must be 1 to 64, not {options.workers}")
    if (options.certificate is None) != (options.key is None):
        raise MisuseError("serve: --certificate and --key belong together: name both, or none")
    if demo and options.host not in LOCAL:
        raise MisuseError(
            "serve: the demonstration's passwords are known, so it listens to this machine alone"
        )
    if demo and not 1 <= people <= 10_000:
        raise MisuseError(f"serve: --people must be 1 to 10000, not {people}")


def _serve(settings: Settings, options: _Options) -> None:
    from poxlens.serve.clinic.opening import open_service
    from poxlens.serve.clinic.telemetry.logs import set_up
    from poxlens.serve.server import address, listen, open_browser

    made = _certificate(settings, options)
    pair = (str(made.certificate), str(made.key)) if made is not None else None
    listener = listen(options.host, options.port)
    try:
        service = open_service(settings, options.bundle)
        url = settings.public_url or address(listener, options.host, tls=made is not None)
        service.secure = url.startswith("https://")
        _greet(service, options.people)
        _tell_address(url, options, made)
        set_up()
        opened = (lambda: open_browser(f"{url}/clinic/")) if options.browser else None
        if options.workers > 1:
            from poxlens.serve.clinic.workers import run_workers

            service.store.close()
            run_workers(settings, options.host, url, options.bundle, listener, options.workers, pair)
            return
        from poxlens.serve.clinic.running import run_here

        run_here(service, listener, options.host, url, certificate=pair, on_start=opened)
    finally:
        listener.close()


def _certificate(settings: Settings, options: _Options) -> Certificate | None:
    from poxlens.serve.certificate import given_certificate, local_certificate
    from poxlens.serve.server import names

    if options.certificate is not None and options.key is not None:
        return given_certificate(options.certificate, options.key)
    if options.tls is False or (options.tls is None and options.host in LOCAL):
        return None
    return local_certificate(settings.keys.parent / "tls", names(options.host))


def _greet(service: Service, people: int) -> None:
    """Say what there is, and on the first day how to sign in."""
    from poxlens.serve.clinic.opening import first_account

    if people:
        _demo(service, people)
        return
    print(f"Data:  {service.settings.data}\nKeys:  {service.settings.keys}", flush=True)
    account = first_account(service)
    if account is not None:
        print(
            "\nThis is the first start. Write this down, it is shown once:\n\n"
            f"    name      {account.name}\n    password  {account.password}\n\n"
            "Sign in with it; you will be asked for a password of your own. Then copy the file of the keys to a\n"
            "safe place away from this computer: without it nobody can open the photos, not even from a backup.\n",
            flush=True,
        )


def _demo(service: Service, people: int) -> None:
    from poxlens.cli.progress import bars
    from poxlens.serve.clinic.demo import PASSWORD, fill

    with bars() as begin:
        advance = begin("Drawing people", people)
        made = fill(service, people=people, advance=lambda: advance(1))
    width = max(len(name) for name, _ in made.accounts)
    print("A demonstration: every photo is drawn, every person invented. It is deleted at the end.\n")
    for name, what in made.accounts:
        print(f"    {name:<{width}}  {PASSWORD}   {what}")
    print(f"\nToken of a phone: {made.token}\n", flush=True)


def _tell_address(url: str, options: _Options, certificate: Certificate | None) -> None:
    print(f"poxlens is at {url}/clinic/ (Ctrl+C stops it)", flush=True)
    if options.host in LOCAL:
        return
    from poxlens.serve.server import names

    print(f"On this network it is at: {', '.join(names(options.host))}", flush=True)
    if certificate is None:
        print(
            "It is not encrypted here. Let nobody reach this address but a proxy that encrypts: passwords and photos\n"
            "would travel readable.",
            file=sys.stderr,
        )
    elif certificate.own:
        print(
            "Nobody vouches for this computer, so browsers warn of it first; whoever goes on should see this\n"
            f"fingerprint in the warning's details:\n  SHA-256 {certificate.fingerprint}",
            file=sys.stderr,
        )
