"""Opening a server: folders, keys, schema, and on the first day a clinic and its first account."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from poxlens.screen.background import available_cores
from poxlens.screen.screener import Screener
from poxlens.serve.answers import Screens
from poxlens.serve.clinic.access.accounts import NewUser, add_clinic, add_user
from poxlens.serve.clinic.gate import Gate
from poxlens.serve.clinic.service import Model, Service
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.clinic.store.database import Store, StoreError
from poxlens.serve.clinic.store.keyfile import Keys, KeysError, write_keys
from poxlens.serve.clinic.store.keyring import Keyring
from poxlens.serve.clinic.store.migrate import upgrade
from poxlens.serve.clinic.store.tables import Clinic

FIRST_CLINIC, FIRST_USER = "Clinic", "admin"


@dataclass(frozen=True)
class FirstAccount:
    """What is printed on the first day, once."""

    clinic: str
    name: str
    password: str


def open_store(settings: Settings) -> tuple[Store, Keyring]:
    """The database at this version's schema, and the keys; both are made where there are none.

    Raises:
        KeysError: when the keys are missing although there are data.
        StoreError: when the database is a newer version's.
        OSError: when a folder is not writable.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    if os.name == "posix":
        settings.data.chmod(0o700)
    store = Store(settings.database_url)
    upgrade(store)
    if not settings.keys.exists():
        if _has_clinic(store):
            raise KeysError(
                f"{settings.keys}: the keys are missing, but there are data that were encrypted with them. Put the "
                "file back, or name its place with --keys. New keys cannot open the photos."
            )
        write_keys(settings.keys, Keys.fresh())
    return store, Keyring(settings.keys)


def open_service(
    settings: Settings, bundle: Path | None = None, *, screener: Screens | None = None
) -> Service:
    """All parts of a server.

    Args:
        settings: its choices.
        bundle: to screen with; None for the embedded one.
        screener: one that is there already, instead of the bundle.

    Raises:
        BundleError: when the bundle is damaged.
        KeysError, StoreError, OSError: as `open_store`.
    """
    store, keyring = open_store(settings)
    if screener is None:
        first = Screener(bundle)
        screener = first
        explainer: Screens = Screener(first.bundle, engine=first.engine, check_maps=True)
    else:
        explainer = screener
    return Service(
        settings=settings,
        store=store,
        keyring=keyring,
        loaded=Model(screener, explainer),
        gate=Gate(available_cores(), settings.waiting),
        secure=(settings.public_url or "").startswith("https://"),
    )


def open_without_model(settings: Settings) -> Service:
    """The parts that the command line needs of a server that was started before.

    Raises:
        StoreError: when there is no clinic in the database.
        KeysError: as `open_store`.
    """
    nothing = settings.database is None and not (settings.data / "clinic.db").exists()
    store, keyring = (None, None) if nothing else open_store(settings)
    if store is None or keyring is None or not _has_clinic(store):
        if store is not None:
            store.close()
        raise StoreError(f"{settings.data}: no clinic here yet. Start it first with: poxlens serve")
    return Service(settings=settings, store=store, keyring=keyring, loaded=None)


def first_account(service: Service) -> FirstAccount | None:
    """Make the first clinic with an account that is administrator and clinician; None where there is one."""
    if _has_clinic(service.store):
        return None
    clinic = add_clinic(service, FIRST_CLINIC, actor="command")
    wanted = NewUser(FIRST_USER, ("administrator", "clinician"), on_duty=True)
    _, password = add_user(service, clinic, wanted, actor="command")
    return FirstAccount(FIRST_CLINIC, FIRST_USER, password)


def _has_clinic(store: Store) -> bool:
    with store.reading() as session:
        return bool(session.scalar(select(func.count()).select_from(Clinic)))
