"""Several workers on one socket: each a process of its own that opens the same database by itself."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from poxlens.serve.clinic.app import create_clinic
from poxlens.serve.clinic.housekeeping import Housekeeper
from poxlens.serve.clinic.opening import open_service
from poxlens.serve.clinic.running import config, hosts_of, pages
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.clinic.telemetry.logs import set_up

_ENVIRONMENT = "POXLENS_CLINIC_WORKER"
"""How a worker is told what to run: JSON, without secrets but for the database's address."""


def run_workers(
    settings: Settings, host: str, url: str, bundle: Path | None, listener: socket.socket, count: int,
    certificate: tuple[str, str] | None,
) -> None:  # fmt: skip
    """Serve with several processes until stopped.

    Args:
        settings: the server's choices; the database has this version's schema already.
        host: that is listened on.
        url: how browsers reach it.
        bundle: to screen with; None for the embedded one.
        listener: a listening socket.
        count: of workers.
        certificate: paths of the certificate and its key; None for http.
    """
    with TemporaryDirectory(prefix="poxlens-metrics-") as counters:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counters  # where the workers add their counters up
        told = {
            "settings": settings.model_dump(mode="json"), "host": host, "url": url,
            "bundle": str(bundle) if bundle is not None else None,
        }  # fmt: skip
        os.environ[_ENVIRONMENT] = json.dumps(told)
        made = config(f"{__name__}:worker", settings, certificate, workers=count)

        Multiprocess(made, sockets=[listener]).run()


def worker() -> ASGIApp:
    """The application of one worker, as `run_workers` told it."""
    told: dict[str, Any] = json.loads(os.environ[_ENVIRONMENT])
    settings = Settings.model_validate(told["settings"])
    set_up()
    service = open_service(settings, Path(told["bundle"]) if told["bundle"] else None)
    service.secure = told["url"].startswith("https://")
    Housekeeper(service).start()
    return create_clinic(service, hosts=hosts_of(settings, told["host"]), page=pages(told["url"]))
