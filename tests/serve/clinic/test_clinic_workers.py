"""Several workers on PostgreSQL: one database, one count of everything, one referral however it arrives."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading

import httpx
import pytest

from poxlens.serve.clinic.access import accounts
from poxlens.serve.clinic.opening import open_store
from poxlens.serve.clinic.service import Service
from poxlens.serve.clinic.settings import Settings
from poxlens.serve.clinic.store.tables import Referral


@pytest.fixture
def workers(tmp_path, postgres, postgres_module):
    """`poxlens serve --workers 2`; its address, a token, and the server's parts from outside."""
    settings = Settings(
        data=tmp_path / "data", keys=tmp_path / "k" / "keys.json", database=postgres.database("workers")
    )
    service = Service(settings, *open_store(settings), None)
    clinic = accounts.add_clinic(service, "north", actor="command")
    _, token = accounts.add_device(service, clinic, "phone", 365, actor="command")
    port = postgres_module._free_port()
    command = [
        sys.executable, "-m", "poxlens", "serve", "--no-browser", "--workers", "2", "--port", str(port),
        "--data", str(settings.data), "--keys", str(settings.keys), "--database", settings.database,
    ]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, verify=False) as client:
            postgres_module.wait_for(port, 180)
            assert client.get("/ready").status_code == 200, (tmp_path / "log").read_text()
            yield client, token, service
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, (tmp_path / "log").read_text()[-2_000:]
        service.store.close()


def test_two_workers_share_the_work_and_the_database(workers, house):
    client, token, service = workers
    body, answers = house.referral(photos=False), []
    headers = {"Authorization": f"Bearer {token}"}

    def send() -> None:
        # A connection of its own: the kernel deals connections to the workers.
        with httpx.Client(base_url=client.base_url, timeout=60, verify=False) as own:
            answers.append(own.post("/v1/referrals", json=body, headers=headers))

    threads = [threading.Thread(target=send) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert sorted(one.status_code for one in answers) == [200] * 11 + [201]
    assert len({one.json()["code"] for one in answers}) == 1
    with service.store.reading() as session:
        assert session.query(Referral).count() == 1
    told = client.get("/metrics").text
    counted = re.findall(
        r'poxlens_requests_total\{method="POST",route="/v1/referrals",status="20[01]"\} ([0-9.]+)', told
    )
    assert sum(float(one) for one in counted) == 12
