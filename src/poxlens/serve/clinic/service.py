"""What every route needs, in one place."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from fastapi import Request
from sqlalchemy.orm import Session

from poxlens.bundle.pack import zip_bytes
from poxlens.files import sha256_bytes
from poxlens.serve.answers import Screens
from poxlens.serve.clinic import audit
from poxlens.serve.clinic.gate import Gate
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.clinic.store.database import Store
from poxlens.serve.clinic.store.keyring import Keyring


@dataclass(frozen=True)
class Model:
    """What photos are screened with.

    Attributes:
        screener: gives decisions.
        explainer: the same, with heat maps that are checked.
    """

    screener: Screens
    explainer: Screens

    @cached_property
    def archive(self) -> bytes:
        """The bundle as one file, for phones."""
        return zip_bytes(self.screener.bundle)

    @cached_property
    def archive_sha256(self) -> str:
        """Of the archive."""
        return sha256_bytes(self.archive)


@dataclass
class Service:
    """The server's parts.

    Attributes:
        settings: its choices.
        store: the database.
        keyring: for what is encrypted.
        loaded: the model; None for commands that need none.
        gate: how many photos at a time.
        clock: seconds since 1970; tests set it.
        secure: whether browsers reach it through https, so that cookies may be marked so.
    """

    settings: Settings
    store: Store
    keyring: Keyring
    loaded: Model | None
    gate: Gate = field(default_factory=lambda: Gate(1, 0))
    clock: Callable[[], float] = field(default=time.time)
    secure: bool = False

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock()

    @property
    def model(self) -> Model:
        """The model of a server that has one."""
        assert self.loaded is not None, "a command asked for the model"
        return self.loaded

    def log(
        self,
        session: Session,
        actor: str,
        action: str,
        clinic_id: str | None,
        object: str = "",
        **detail: str | int | float | bool | None,
    ) -> None:
        """Add a line to the audit log; the last thing in a transaction."""
        audit.record(
            session, self.keyring.keys.audit, at=self.now(), actor=actor, action=action,
            clinic_id=clinic_id, object=object, **detail,
        )  # fmt: skip


def service_of(request: Request) -> Service:
    """The service behind a request."""
    service: Service = request.app.state.service
    return service
