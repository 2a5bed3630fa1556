"""A clinic's server on this machine, with drawn people, for browsers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from argon2 import PasswordHasher
from sqlalchemy import func, select

from poxlens.serve.clinic.access import passwords
from poxlens.serve.clinic.app import create_clinic
from poxlens.serve.clinic.demo import demo_settings, fill
from poxlens.serve.clinic.opening import open_service
from poxlens.serve.clinic.running import config, pages
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.store.tables import Referral
from poxlens.serve.server import address, listen

PEOPLE = 8


@dataclass(frozen=True)
class ClinicServer:
    """Where it is, what is in it, and the token of its phone."""

    url: str
    service: Service
    token: str

    @property
    def referrals(self) -> int:
        """How many there are, of all its clinics."""
        with self.service.store.reading() as session:
            return session.scalar(select(func.count()).select_from(Referral)) or 0


@contextmanager
def clinic_serving(folder: Path) -> Iterator[ClinicServer]:
    """Serve the pages and the API until the end.

    Args:
        folder: an empty one, for its data and keys.
    """
    # Argon2 as it should be takes a third of a second for each sign-in.
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    dear, passwords._HASHER = passwords._HASHER, cheap
    nobody, passwords._NOBODY = passwords._NOBODY, cheap.hash("nobody")
    service = open_service(demo_settings(folder))
    made = fill(service, people=PEOPLE)
    listener = listen("127.0.0.1", 0)
    url = address(listener, "127.0.0.1")
    server = uvicorn.Server(config(create_clinic(service, page=pages(url)), service.settings, None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.02)
        yield ClinicServer(url, service, made.token)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        service.store.close()
        passwords._HASHER, passwords._NOBODY = dear, nobody


def sign_in(page: Any, name: str, password: str) -> None:
    """Fill in the form and send it."""
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(password)
    page.locator("[name=password]").press("Enter")
