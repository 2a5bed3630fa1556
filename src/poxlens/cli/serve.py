"""`poxlens serve`: the clinic's server. It starts without configuration and prints what to do next."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.errors import MissingExtraError

if TYPE_CHECKING:
    from poxlens.serve.clinic.service import Service
    from poxlens.serve.clinic.settings import Settings

DEFAULT_PORT = 8740
PACKAGES = (
    "fastapi",
    "uvicorn",
    "sqlalchemy",
    "alembic",
    "cryptography",
    "argon2",
    "pyotp",
    "prometheus_client",
)


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
    public_url: Annotated[
        str | None, typer.Option("--public-url", help="How others reach it, such as https://clinic.example.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Bundle to screen with. Default: the embedded one.")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="A clinic to look at: drawn photos, in a folder that is deleted.")
    ] = False,
    people: Annotated[int, typer.Option("--people", help="How many referrals the demonstration has.")] = 24,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
) -> None:
    """Serve the clinic's side: referrals from phones, the worklist, monitoring. A screening aid; PCR decides."""
    _check_installed()
    from poxlens.serve.clinic.settings import read_settings

    if not demo:
        settings = read_settings(data, keys=keys, database=database, public_url=public_url)
        _serve(settings, host, port, bundle, browser=not no_browser)
        return
    from poxlens.serve.clinic.demo import demo_settings

    if host not in ("127.0.0.1", "localhost", "::1"):
        from poxlens.cli.main import MisuseError

        raise MisuseError(
            "serve: --demo has accounts whose passwords are known; it listens to this machine alone"
        )
    with tempfile.TemporaryDirectory(prefix="poxlens-demo-") as folder:
        _serve(demo_settings(Path(folder)), host, port, bundle, browser=not no_browser, people=people)


def _check_installed() -> None:
    if any(importlib.util.find_spec(name) is None for name in PACKAGES):
        raise MissingExtraError("clinic", "poxlens serve")


def _serve(
    settings: Settings, host: str, port: int, bundle: Path | None, *, browser: bool, people: int = 0
) -> None:
    from poxlens.serve.clinic.app import create_clinic
    from poxlens.serve.clinic.opening import open_service
    from poxlens.serve.clinic.running import hosts_of, run
    from poxlens.serve.clinic.telemetry.logs import set_up
    from poxlens.serve.page import page_files
    from poxlens.serve.server import address, listen, open_browser

    listener = listen(host, port)
    try:
        service = open_service(settings, bundle)
        url = settings.public_url or address(listener, host)
        _greet(service, people)
        print(f"poxlens is at {url}/clinic/ (Ctrl+C stops it)", flush=True)
        set_up()
        app = create_clinic(service, hosts=hosts_of(settings, host), page=page_files())
        run(app, listener, settings, on_start=(lambda: open_browser(f"{url}/clinic/")) if browser else None)
    finally:
        listener.close()


def _greet(service: Service, people: int) -> None:
    """Say what there is, and on the first day how to sign in."""
    from poxlens.serve.clinic.opening import first_account

    if people:
        _demo(service, people)
        return
    settings = service.settings
    print(f"Data:  {settings.data}\nKeys:  {settings.keys}", flush=True)
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
    sys.stdout.flush()
