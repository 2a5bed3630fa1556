"""The worklist of a clinic with very many referrals: how long its pages, searches and counts take to answer."""

from __future__ import annotations

import random
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import insert

from poxlens.screen.screener import Screener
from poxlens.serve.clinic.access.accounts import NewUser, add_clinic, add_user
from poxlens.serve.clinic.app import create_clinic
from poxlens.serve.clinic.ids import hashed, new_id
from poxlens.serve.clinic.instants import DAY, HOUR
from poxlens.serve.clinic.opening import open_service
from poxlens.serve.clinic.referrals.states import WAITING, State
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.clinic.store.tables import Referral

PASSWORD = "only of a benchmark"
TIMES = 60


def worklist(folder: Path, referrals: int, *, database: str | None = None) -> dict[str, Any]:
    """Fill a clinic and ask for its worklist as the page does.

    Args:
        folder: for the data.
        referrals: how many; half of them wait.
        database: a PostgreSQL; None for SQLite.
    """
    settings = Settings(
        data=folder / "worklist", keys=folder / "worklist-keys" / "keys.json", database=database
    )
    service = open_service(settings, screener=Screener())
    clinic = add_clinic(service, "north", actor="command")
    add_user(service, clinic, NewUser("nurse", ("clinician",)), actor="command", password=PASSWORD)
    _fill(service, clinic, referrals)
    client = TestClient(create_clinic(service), base_url="http://localhost")
    signed = client.post("/v1/session", json={"name": "nurse", "password": PASSWORD})
    assert signed.status_code == 200, signed.text
    first = client.get("/v1/worklist").json()
    # A place in the middle: an offset would have to count up to it.
    middle = f"{time.time() - 15 * DAY:.3f}-{'0' * 32}"
    told = {
        "first_page": _timed(client, "/v1/worklist"),
        "next_page": _timed(client, f"/v1/worklist?after={first['next']}"),
        "middle": _timed(client, f"/v1/worklist?after={middle}"),
        "closed": _timed(client, "/v1/worklist?state=closed"),
        "by_code": _timed(client, "/v1/worklist?code=AAAA-AAAA-AAAA"),
        "by_person": _timed(client, "/v1/worklist?person=nobody"),
        "counts": _timed(client, "/v1/worklist/counts"),
    }
    service.store.close()
    return {
        "referrals": referrals,
        "p95_ms": max(one["p95_ms"] for one in told.values()),
        "n": TIMES,
        "queries": told,
    }


def _timed(client: TestClient, path: str) -> dict[str, float]:
    seconds, cpu = [], []
    for _ in range(TIMES):
        start, used = time.perf_counter(), time.process_time()
        answer = client.get(path)
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)  # what other work on the machine does not move
        assert answer.status_code == 200, answer.text
    return {
        "median_ms": round(1000 * median(seconds), 2),
        "p95_ms": round(1000 * quantiles(seconds, n=20, method="inclusive")[-1], 2),
        "cpu_ms": round(1000 * median(cpu), 2),
    }


def _fill(service: Service, clinic: str, count: int) -> None:
    luck, now = random.Random(1), time.time()
    states = [State.new, State.new, State.closed, State.awaiting_pcr]
    for start in range(0, count, 5_000):
        rows = [_row(luck, clinic, now, luck.choice(states)) for _ in range(min(5_000, count - start))]
        with service.store.writing() as session:
            session.execute(insert(Referral), rows)


def _row(luck: random.Random, clinic: str, now: float, state: State) -> dict[str, Any]:
    own, filed = new_id(), now - luck.uniform(0, 30) * DAY
    done = state not in WAITING
    photo = {"outcome": "refer", "reasons": ["refer.probability"], "probabilities": {"mpox": 0.9}}
    return {
        "id": own, "clinic_id": clinic, "source": "device:benchmark", "idempotency_key": own, "fingerprint": own * 2,
        "code_hash": hashed(own), "filed_at": filed, "due_at": filed + luck.choice([2, 4, 12, 24, 48]) * HOUR,
        "blind_due_at": filed + 4 * HOUR, "urgency": "soon", "outcome": luck.choice(["refer", "uncertain"]),
        "probability": luck.random(),
        "novelty": luck.random(), "tone": "dark", "quality_failed": False, "bundle": "default 1",
        "result": {"photos": [photo], "padding": "x" * 1_500}, "answers": {"age": luck.randint(0, 90)},
        "photo_consent": True, "training_consent": False, "photo_count": 1, "person_key": hashed(own), "state": state,
        "waiting": not done, "revision": 1, "claimed_until": 0.0, "verdict": "not_suspected" if done else None,
        "verdict_at": filed + HOUR if done else None,
    }  # fmt: skip
