"""No acknowledged referral is lost or doubled: the server is killed, the disk is full, the database is gone."""

from __future__ import annotations

import base64
import io
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from poxlens.data.phantom import PhantomSpec, draw
from poxlens.serve.clinic import audit
from poxlens.serve.clinic.access import accounts
from poxlens.serve.clinic.fhir.reading import PhotoResult, Result
from poxlens.serve.clinic.fhir.writing import write_result
from poxlens.serve.clinic.ids import code_for, plain_code
from poxlens.serve.clinic.opening import open_store
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.clinic.store.tables import AuditEntry, Notice, Photo, Referral

SHORT, LONG, PIECES = 2, 200, 4
LOOK = httpx.Client(timeout=20, verify=False)
PHONES, DEVICES = 4, 32  # one device may file 600 an hour


def body(photo: str | None) -> dict[str, Any]:
    told = PhotoResult("refer", ("refer.probability",), {"mpox": 0.9, "acne": 0.1}, ("mpox",), 0.3, "dark")
    identifier = f"urn:uuid:{str(uuid.uuid4())[:-2]}00"
    result = Result(identifier, 1.79e9, "b 1", "refer", ("refer.probability",), "mpox", (told,), 0, {})
    sent: dict[str, Any] = {"result": write_result(result)}
    return sent if photo is None else {**sent, "consent": {"photo": True}, "photos": [photo]}


@dataclass
class Server:
    """`poxlens serve` as a process of its own."""

    settings: Settings
    port: int
    log: Path
    limit: int | None = None  # bytes of the largest file it may write
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable, "-m", "poxlens", "serve", "--no-browser", "--port", str(self.port),
            "--data", str(self.settings.data), "--keys", str(self.settings.keys),
        ]  # fmt: skip
        if self.settings.database is not None:
            command += ["--database", self.settings.database]
        before = None if self.limit is None else self._limited
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=before,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        end = time.monotonic() + 180  # on a machine with much else to do
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()[-3_000:]
            try:
                if LOOK.get(f"{self.url}/ready").status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the server did not come up: {self.log.read_text()[-3_000:]}")

    def _limited(self) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit then fails as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.limit))

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Phone(threading.Thread):
    """Files referrals one after the other, each until it is acknowledged, as the app does."""

    url: str
    tokens: list[str]
    photo: str
    seed: int
    stop: threading.Event
    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)  # key -> id and code
    tries: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.client = httpx.Client(timeout=20, verify=False)  # a context for TLS costs more than a referral

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        luck = random.Random(self.seed)
        while not self.stop.is_set():
            key, sent = uuid.uuid4().hex, body(self.photo if luck.random() < 0.3 else None)
            token = luck.choice(self.tokens)
            while not self.stop.is_set() and not self.sent(key, sent, token):
                time.sleep(luck.uniform(0.01, 0.1))

    def sent(self, key: str, sent: dict[str, Any], token: str) -> bool:
        self.tries[key] += 1
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        try:
            answer = self.client.post(f"{self.url}/v1/referrals", json=sent, headers=headers)
        except httpx.HTTPError:
            return False
        if answer.status_code in (200, 201):
            told = answer.json()
            self.acknowledged[key] = (told["id"], told["code"])
            return True
        if answer.status_code not in (429, 503):
            self.odd.append(f"{answer.status_code} {answer.text[:200]}")
        return False


@pytest.fixture
def ready(tmp_path, database, postgres_module):
    """A server that was started once, and tokens of phones."""
    settings = Settings(data=tmp_path / "data", keys=tmp_path / "keys" / "keys.json", database=database)
    store, keyring = open_store(settings)
    service = Service(settings, store, keyring, None)
    clinic = accounts.add_clinic(service, "north", actor="command")
    names = [f"phone {number}" for number in range(DEVICES)]
    tokens = [accounts.add_device(service, clinic, name, 365, actor="command")[1] for name in names]
    yield Server(settings, postgres_module._free_port(), tmp_path / "log"), tokens, service
    store.close()


def photo_text(*, noise: bool = False) -> str:
    """A small drawn photo, or one of noise, which takes a megabyte."""
    pixels = draw(PhantomSpec(seed=3, size=160, lesion="papule", count=4)).image
    if noise:
        pixels = np.random.default_rng(3).integers(0, 256, (900, 900, 3), np.uint8)
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, "JPEG", quality=95)
        return base64.b64encode(stream.getvalue()).decode()


def check(service: Service, phones: list[Phone]) -> int:
    """Every acknowledged referral is there once, whole, with its lines and notices; how many there are."""
    acknowledged = {key: told for phone in phones for key, told in phone.acknowledged.items()}
    with service.store.reading() as session:
        rows = session.execute(select(Referral.idempotency_key, Referral.id, Referral.photo_count)).all()
        photos = Counter(session.scalars(select(Photo.referral_id)))
        lines = Counter(
            session.scalars(select(AuditEntry.object).where(AuditEntry.action == "referral.filed"))
        )
        notices = session.scalars(select(Notice.id)).all()
        assert audit.verify(session, service.keyring.keys.audit).fault is None
    assert max(Counter(key for key, _, _ in rows).values()) == 1, "a referral was doubled"
    stored = {key: (own, count) for key, own, count in rows}
    for key, (own, code) in acknowledged.items():
        assert key in stored, "an acknowledged referral was lost"
        assert stored[key][0] == own
        assert plain_code(code) == code_for(service.keyring.keys.code, own)
    for own, count in stored.values():
        assert photos[own] == count
        assert lines[f"referral:{own}"] == 1
    assert sum(lines.values()) == len(stored)
    assert notices == []  # nobody is on duty
    assert [odd for phone in phones for odd in phone.odd] == []
    return len(acknowledged)


def wait_for_more(phones: list[Phone], count: int = 5) -> None:
    """Wait until some more referrals were acknowledged, however slow the machine is."""
    before, end = sum(len(phone.acknowledged) for phone in phones), time.monotonic() + 120
    while time.monotonic() < end and sum(len(phone.acknowledged) for phone in phones) < before + count:
        time.sleep(0.02)


def kill_often(ready, times: int, seed: int = 11) -> tuple[int, int]:
    """Kill the server at random moments while phones file; how many were acknowledged, and tried more than once."""
    server, tokens, service = ready
    stop, luck, photo = threading.Event(), random.Random(seed), photo_text()
    server.start()
    phones = [Phone(server.url, tokens, photo, PHONES * seed + one, stop) for one in range(PHONES)]
    for phone in phones:
        phone.start()
    for _ in range(times):
        wait_for_more(phones)
        time.sleep(luck.uniform(0.0, 0.8))
        server.kill()
        server.start()
    wait_for_more(phones)
    stop.set()
    for phone in phones:
        phone.join(30)
    server.kill()
    return check(service, phones), sum(count > 1 for phone in phones for count in phone.tries.values())


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(ready):
    acknowledged, retried = kill_often(ready, SHORT)
    assert acknowledged >= 5 * (SHORT + 1)
    assert retried >= 1  # a kill met a request under way


@pytest.mark.soak
@pytest.mark.parametrize("piece", range(PIECES))
def test_nothing_acknowledged_is_lost_in_two_hundred_kills(ready, piece):
    kills = LONG // PIECES
    acknowledged, retried = kill_often(ready, kills, piece)
    print(f"{kills} kills: {acknowledged} acknowledged, none lost or doubled; {retried} sent more than once")
    assert acknowledged >= 5 * kills
    assert retried >= kills // 4


@pytest.fixture
def full_disk(ready, request):
    """`full_disk(True)` lets no file of the database grow any more; for the server that is started next."""
    server, _, service = ready

    def sqlite(full: bool) -> None:
        # The database or its log reaches the limit after some dozen photos.
        largest = max(path.stat().st_size for path in service.settings.data.iterdir())
        server.limit = largest + 900_000 if full else None

    def postgresql(full: bool) -> None:
        postgres = request.getfixturevalue("postgres")
        postgres.stop()
        # Its log's files have this size from the start; a table of photos reaches it.
        postgres.start(largest=16_777_216 if full else None)

    change = sqlite if service.settings.database is None else postgresql
    yield change
    if change is postgresql:
        postgresql(False)


def test_a_full_disk_refuses_and_loses_nothing(ready, full_disk):
    server, tokens, service = ready
    full_disk(True)
    server.start()
    photo = photo_text(noise=server.limit is None)  # large photos reach PostgreSQL's limit sooner
    phone = Phone(server.url, tokens, photo, 0, threading.Event())
    refused = None
    for number in range(400):
        key, sent = f"key-{number:06d}", body(photo)
        if not phone.sent(key, sent, tokens[0]):
            refused = (key, sent)
            break
    assert refused is not None, "the disk never became full"
    answer = LOOK.post(
        f"{server.url}/v1/referrals", json=refused[1],
        headers={"Authorization": f"Bearer {tokens[0]}", "Idempotency-Key": refused[0]},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage")
    assert int(answer.headers["retry-after"]) >= 1
    server.kill()
    before = check(service, [phone])
    assert before >= 5
    full_disk(False)  # somebody made room
    server.start()
    assert phone.sent(*refused, tokens[0])
    server.kill()
    assert check(service, [phone]) == before + 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_folder_that_goes_away_and_comes_back(ready):
    server, tokens, service = ready
    server.start()
    stop = threading.Event()
    phones = [Phone(server.url, tokens, photo_text(), seed, stop) for seed in range(PHONES)]
    for phone in phones:
        phone.start()
    wait_for_more(phones)
    folder = service.settings.data
    away = folder.rename(
        folder.with_name("away")
    )  # sessions that are open go on there, new ones find nothing
    time.sleep(1.0)
    assert not folder.exists(), "an empty database was begun in the place of the one that is away"
    away.rename(folder)
    before = sum(len(phone.acknowledged) for phone in phones)
    wait_for_more(phones)
    stop.set()
    for phone in phones:
        phone.join(30)
    assert LOOK.get(f"{server.url}/ready").status_code == 200
    server.kill()
    assert check(service, phones) >= before + 5


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_that_goes_away_and_comes_back(ready, postgres):
    server, tokens, service = ready
    server.start()
    stop = threading.Event()
    phones = [Phone(server.url, tokens, photo_text(), seed, stop) for seed in range(PHONES)]
    for phone in phones:
        phone.start()
    time.sleep(1.0)
    postgres.stop("immediate")  # as a power cut
    try:
        time.sleep(0.5)
        assert LOOK.get(f"{server.url}/health").status_code == 200
        unready = LOOK.get(f"{server.url}/ready")
        assert (unready.status_code, unready.json()["error"]["code"]) == (503, "not_ready")
    finally:
        postgres.start()
    before = sum(len(phone.acknowledged) for phone in phones)
    wait_for_more(phones)
    stop.set()
    for phone in phones:
        phone.join(30)
    assert LOOK.get(f"{server.url}/ready").status_code == 200
    server.kill()
    assert check(service, phones) >= before + 5
