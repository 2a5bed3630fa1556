"""A clinic's server in memory of the test: SQLite in a folder, a screener without a model, a clock that is set."""

from __future__ import annotations

import base64
import importlib.util
import itertools
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn
from argon2 import PasswordHasher
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
from poxlens.serve.clinic.service import Model, Service
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
    return _module("serve_conftest", Path(__file__).parents[1] / "conftest.py")


def _module(name: str, path: Path) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
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


def furnish(settings: Settings, photo: bytes, *, clock: Clock | None = None, screener: Any = None) -> House:
    """A server with two clinics on an empty database."""
    store, keyring = open_store(settings)
    clock = clock or Clock()
    fake = screener or _fake_screener()
    service = Service(
        settings=settings, store=store, keyring=keyring, loaded=Model(fake, fake),
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
            user, _ = accounts.add_user(service, ids[clinic], wanted, actor="command", password=PASSWORD)
            ids[name] = user.id
    for name, clinic in (("phone", "north"), ("other phone", "south")):
        device, tokens[name] = accounts.add_device(service, ids[clinic], name, 365, actor="command")
        ids[name] = device.id
    app = create_clinic(service, hosts=Hosts())
    return House(service, clock, app, ids, tokens, photo)


@pytest.fixture(scope="session")
def postgres_module() -> ModuleType:
    """The builder of a PostgreSQL for tests."""
    return _module("postgres_server", Path(__file__).parent / "postgres_server.py")


@pytest.fixture(scope="session")
def postgres(postgres_module: ModuleType) -> Iterator[Any]:
    """A running PostgreSQL; tests that need one are skipped by name where it is not installed."""
    missing = postgres_module.missing()
    if missing is not None:
        pytest.skip(f"not run: {missing}")
    # Not below pytest's folder, which is closed to PostgreSQL's user.
    with tempfile.TemporaryDirectory(prefix="poxlens-postgres-") as folder:
        server = postgres_module.PostgresServer(Path(folder) / "cluster")
        server.start()
        yield server
        server.stop("immediate")


_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str | None:
    """The address of an empty database, of each kind; None is SQLite in the data folder."""
    if request.param == "sqlite":
        return None
    return str(request.getfixturevalue("postgres").database(f"test_{next(_numbers)}"))


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 as it is would take most of the tests' time; `test_passwords_are_argon2id` sees the real one."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", cheap)
    monkeypatch.setattr(passwords, "_NOBODY", cheap.hash("nobody"))


@pytest.fixture
def house(tmp_path: Path, pustules: bytes, cheap_passwords: None) -> Iterator[House]:
    """A server on SQLite."""
    made = furnish(Settings(data=tmp_path / "data", keys=tmp_path / "keys" / "keys.json"), pustules)
    yield made
    made.service.store.close()


@pytest.fixture
def each_house(
    tmp_path: Path, pustules: bytes, cheap_passwords: None, database: str | None
) -> Iterator[House]:
    """A server on SQLite, and one on PostgreSQL."""
    settings = Settings(data=tmp_path / "data", keys=tmp_path / "keys" / "keys.json", database=database)
    made = furnish(settings, pustules)
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
