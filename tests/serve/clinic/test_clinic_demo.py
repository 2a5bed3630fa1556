"""The demonstration: a clinic that can be looked at, with nothing real in it."""

from __future__ import annotations

from fastapi.testclient import TestClient
from sqlalchemy import func, select

from poxlens.serve.clinic import demo
from poxlens.serve.clinic.app import create_clinic
from poxlens.serve.clinic.fhir.reading import read_result
from poxlens.serve.clinic.opening import open_service
from poxlens.serve.clinic.store.tables import Referral


def test_every_account_works_and_there_is_something_to_see(
    tmp_path, fake_screener, cheap_passwords, monkeypatch
):
    once = demo._drawn(100)  # drawing takes most of the time
    monkeypatch.setattr(demo, "_drawn", lambda _: once)
    service = open_service(demo.demo_settings(tmp_path), screener=fake_screener)
    seen = []
    made = demo.fill(service, people=6, advance=lambda: seen.append(1))
    assert len(seen) == 6
    assert [name for name, _ in made.accounts] == ["nurse", "doctor", "admin", "blind"]
    app = create_clinic(service)
    states = {}
    for name, _ in made.accounts:
        client = TestClient(app, base_url="http://localhost")
        signed = client.post("/v1/session", json={"name": name, "password": demo.PASSWORD}).json()
        assert signed["unfinished"] is None
        states[name] = client.get("/v1/worklist/counts").json()
        assert client.get("/v1/monitoring").status_code == 200
        if name == "nurse":  # the blind clinic's server tells nothing before an opinion
            item = client.get("/v1/worklist").json()["items"][0]
            said = read_result(client.get(f"/v1/worklist/{item['id']}/fhir").json())
            assert said.limits == {"rule-in": 0.55, "rule-out": 0.12, "novelty-limit": 12.5}
    assert sum(states["nurse"].values()) == 5
    assert states["nurse"]["new"] == 2
    assert states["blind"] == {"new": 1, "second_opinion": 0, "awaiting_pcr": 0, "closed": 0}
    phone = TestClient(app, base_url="http://localhost", headers={"Authorization": f"Bearer {made.token}"})
    assert phone.post("/v1/referrals", json={"result": {}}).json()["error"]["code"] == "result"
    with service.store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Referral)) == 6
    service.store.close()
