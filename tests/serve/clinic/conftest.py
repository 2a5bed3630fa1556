"""A clinic's server in memory of the test: SQLite in a folder, a screener without a model, a clock that is set."""

from __future__ import annotations

import base64
import importlib.util
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
import uvicorn
from fastapi.testclient import TestClient

from poxlens.screen.background import available_cores
from poxlens.screen.decision import Context
from poxlens.serve.clinic.access import accounts, passwords
from poxlens.serve.clinic.app import create_clinic
from poxlens.serve.clinic.fhir.from_decisions import result_of
from poxlens.serve.clinic.fhir.writing import write_result
from poxlens.serve.clinic.gate import Gate
from poxlens.serve.clinic.opening import open_store
from poxlens.serve.clinic.policy import Policy
from poxlens.serve.clinic.service import Archive, Model, Service
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.guard import Hosts
from poxlens.serve.server import address, listen

START = 1_790_000_000.0
PASSWORD = "three words of a test"


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        return self.at

    def pass_(self, seconds: float) -> None:
        self.at += seconds


def _fakes() -> ModuleType:
    name = "serve_conftest"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "conftest.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@dataclass
class House:
    """A server with two clinics, their people and phones."""

    service: Service
    clock: Clock
    app: Any
    ids: dict[str, str]  # clinics, users and devices by name
    tokens: dict[str, str]  # of devices by name
    photo: bytes

    def client(self) -> TestClient:
        return TestClient(self.app, base_url="http://localhost", raise_server_exceptions=False)

    def signed_in(self, name: str) -> TestClient:
        client = self.client()
        answer = client.post("/v1/session", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return client

    def phone(self, name: str = "phone") -> TestClient:
        client = self.client()
        client.headers["Authorization"] = f"Bearer {self.tokens[name]}"
        return client

    def referral(self, *, photos: bool = True, person: str | None = None, **answers: Any) -> dict[str, Any]:
        """The body of a referral of the fake's decision on the photo."""
        decision = self.service.model.screener.screen(self.photo)
        context = Context(**answers) if answers else None
        result = result_of([decision], context, self.clock() - 60, "mpox")
        body: dict[str, Any] = {
            "result": write_result(result),
            "consent": {"photo": photos, "training": photos},
        }
        if photos:
            body["photos"] = [base64.b64encode(self.photo).decode()]
        if person is not None:
            body["person"] = person
        return body

    def filed(self, *, phone: str = "phone", **given: Any) -> dict[str, Any]:
        answer = self.phone(phone).post("/v1/referrals", json=self.referral(**given))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def actions(self) -> list[str]:
        """The audit log's actions, oldest first."""
        from sqlalchemy import select

        from poxlens.serve.clinic.store.tables import AuditEntry

        with self.service.store.reading() as session:
            return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.number)))


def _fake_screener() -> Any:
    fake = _fakes().FakeScreener()
    for file in fake.bundle.manifest.files:
        file.bytes, file.sha256 = 3, "0" * 64
    return fake


@cache
def _hashed(password: str) -> str:
    return passwords.hash_password(password)


def furnish(settings: Settings, photo: bytes, *, clock: Clock | None = None, screener: Any = None) -> House:
    """A server with two clinics on an empty database."""
    store, keyring = open_store(settings)
    clock = clock or Clock()
    fake = screener or _fake_screener()
    service = Service(
        settings=settings, store=store, keyring=keyring, loaded=Model(fake, fake, Archive(b"zip", "0" * 64)),
        gate=Gate(available_cores(), settings.waiting), clock=clock,
    )  # fmt: skip
    ids: dict[str, str] = {}
    tokens: dict[str, str] = {}
    people = {
        "north": (
            ("nurse", ("clinician",)),
            ("doctor", ("clinician",)),
            ("admin", ("administrator",)),
            ("both", ("administrator", "clinician")),
        ),
        "south": (("stranger", ("administrator", "clinician")),),
    }
    for clinic, users in people.items():
        ids[clinic] = accounts.add_clinic(service, clinic, actor="command")
        for name, roles in users:
            wanted = accounts.NewUser(name, roles, email=f"{name}@{clinic}.example", on_duty=name == "nurse")
            with patch.object(accounts, "hash_password", _hashed):  # slow by design: once is enough
                user, _ = accounts.add_user(service, ids[clinic], wanted, actor="command", password=PASSWORD)
            ids[name] = user.id
    for name, clinic in (("phone", "north"), ("other phone", "south")):
        device, tokens[name] = accounts.add_device(service, ids[clinic], name, 365, actor="command")
        ids[name] = device.id
    app = create_clinic(service, hosts=Hosts())
    return House(service, clock, app, ids, tokens, photo)


@pytest.fixture
def house(tmp_path: Path, pustules: bytes) -> Iterator[House]:
    made = furnish(Settings(data=tmp_path / "data", keys=tmp_path / "keys" / "keys.json"), pustules)
    yield made
    made.service.store.close()


@pytest.fixture
def policy(house: House) -> Callable[..., None]:
    """`policy(blind=True)` changes the north clinic's choices."""

    def change(**choices: Any) -> None:
        from poxlens.serve.clinic.store.tables import Clinic

        with house.service.store.writing() as session:
            session.get_one(Clinic, house.ids["north"]).policy = Policy(**choices).model_dump()

    return change


@contextmanager
def _listening(app: Any) -> Iterator[str]:
    """An application on a free port of this machine, in a thread; its URL."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none", server_header=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield address(listener, "127.0.0.1")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def listening() -> Any:
    """`with listening(app) as url`: an application on a free port of this machine, in a thread."""
    return _listening
