"""What every route needs, in one place."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request
from sqlalchemy.orm import Session

from poxlens.serve.answers import Screens
from poxlens.serve.clinic import audit
from poxlens.serve.clinic.gate import Gate
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.clinic.store.database import Store
from poxlens.serve.clinic.store.keyring import Keyring


@dataclass(frozen=True)
class Archive:
    """The bundle as one file, for phones."""

    data: bytes
    sha256: str


@dataclass
class Service:
    """The server's parts.

    Attributes:
        settings: its choices.
        store: the database.
        keyring: for what is encrypted.
        screener: with the bundle; gives decisions.
        explainer: the same, with heat maps that are checked.
        gate: how many photos at a time.
        archive: the bundle for phones.
        clock: seconds since 1970; tests set it.
        secure: whether browsers reach it through https, so that cookies may be marked so.
    """

    settings: Settings
    store: Store
    keyring: Keyring
    screener: Screens
    explainer: Screens
    gate: Gate
    archive: Archive
    clock: Callable[[], float] = field(default=time.time)
    secure: bool = False

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock()

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
