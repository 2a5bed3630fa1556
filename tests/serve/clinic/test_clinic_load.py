"""Limits: size, rate, memory, waiting; what other origins may; what the logs say and what they must not."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading

import pytest

from poxlens.serve.clinic.app import create_clinic
from poxlens.serve.clinic.capacity import Capacity
from poxlens.serve.clinic.faults import ApiError
from poxlens.serve.clinic.gate import Gate
from poxlens.serve.clinic.store.rates import Limit
from poxlens.serve.clinic.telemetry import logs
from poxlens.serve.clinic.telemetry.watch import Watch


def fault(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_the_gate_lets_in_as_many_as_there_are_cores_and_holds_a_few():
    gate, entered, go, outcomes = Gate(1, 1), threading.Event(), threading.Event(), []

    def work() -> None:
        try:
            with gate.core():
                entered.set()
                go.wait(10)
                outcomes.append("done")
        except ApiError as refused:
            outcomes.append((refused.status, refused.code, refused.headers["Retry-After"]))

    first = threading.Thread(target=work)
    first.start()
    assert entered.wait(10)
    second = threading.Thread(target=work)
    second.start()
    while gate._places._value:  # the second has taken the one place at the door
        pass
    work()
    assert outcomes == [(503, "busy", "2")]
    go.set()
    first.join(10)
    second.join(10)
    assert outcomes[1:] == ["done", "done"]


async def _post(app, length: int, *, parts: tuple[bytes, ...] = (), slow: float = 0.0, chunked: bool = False):
    sent, queue = [], list(parts)

    async def receive():
        if not queue:
            await asyncio.sleep(slow)
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": queue.pop(0), "more_body": True}

    async def send(message):
        sent.append(message)

    headers = [(b"transfer-encoding", b"chunked")] if chunked else [(b"content-length", str(length).encode())]
    await app({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
    return sent


def test_requests_together_hold_no_more_than_the_memory():
    async def trial() -> None:
        waiting = asyncio.Event()

        async def inner(scope, receive, send):
            await waiting.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        app = Capacity(inner, memory=1_000, max_body=500, seconds=5)
        first = asyncio.create_task(_post(app, 100))  # counts four times: 400
        second = asyncio.create_task(_post(app, 100))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert app.held == 800
        third = await _post(app, 100)
        assert third[0]["status"] == 503
        assert (b"retry-after", b"3") in third[0]["headers"]
        unknown = await _post(app, 0, chunked=True)  # as much as is allowed
        assert unknown[0]["status"] == 503
        waiting.set()
        assert (await first)[0]["status"] == (await second)[0]["status"] == 200
        assert app.held == 0
        # One alone is served even where it is more than the memory.
        assert (await _post(app, 500))[0]["status"] == 200

    asyncio.run(trial())


def test_a_request_that_dribbles_in_is_cut_off():
    async def trial() -> None:
        got = []

        async def inner(scope, receive, send):
            while True:
                message = await receive()
                got.append(message["type"])
                if message["type"] == "http.disconnect" or not message["more_body"]:
                    return

        app = Capacity(inner, memory=1_000, max_body=500, seconds=0.05)
        await _post(app, 100, parts=(b"x",), slow=10.0)
        assert got == ["http.request", "http.disconnect"]

    asyncio.run(trial())


def test_a_body_over_the_limit_is_refused(house):
    house.service.settings = house.service.settings.model_copy(update={"max_body": 2_000})
    house.app = create_clinic(house.service)
    answer = house.phone().post("/v1/referrals", json=house.referral())
    assert fault(answer) == (413, "too_large")


def test_one_phone_cannot_file_without_end(house, monkeypatch):
    monkeypatch.setattr("poxlens.serve.clinic.api.referrals.FILING", Limit(2, 3_600.0))
    phone, body = house.phone(), house.referral(photos=False)
    assert phone.post("/v1/referrals", json=body).status_code == 201
    assert phone.post("/v1/referrals", json=house.referral(photos=False)).status_code == 201
    refused = phone.post("/v1/referrals", json=house.referral(photos=False))
    assert fault(refused) == (429, "too_often")
    assert refused.headers["retry-after"] == "3600"
    assert (
        phone.post("/v1/referrals", json=body).status_code == 200
    )  # a retry of what is there is never refused
    assert (
        house.phone("other phone").post("/v1/referrals", json=house.referral(photos=False)).status_code == 201
    )
    house.clock.pass_(3_600)
    assert phone.post("/v1/referrals", json=house.referral(photos=False)).status_code == 201


def test_codes_cannot_be_tried_without_end(house, monkeypatch):
    monkeypatch.setattr("poxlens.serve.clinic.api.referrals.ASKING", Limit(3, 600.0))
    client = house.client()
    answers = [client.post("/v1/status", json={"code": f"AAAA-AAAA-AAA{n}"}) for n in range(4)]
    assert [one.status_code for one in answers] == [404, 404, 404, 429]


def test_the_same_request_at_the_same_time_is_one_referral(each_house):
    house, answers = each_house, []
    body, start = house.referral(photos=False), threading.Barrier(8)

    def send() -> None:
        phone = house.phone()
        start.wait(10)
        answers.append(phone.post("/v1/referrals", json=body))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(one.status_code for one in answers) == [200] * 7 + [201]
    assert len({one.json()["id"] for one in answers}) == len({one.json()["code"] for one in answers}) == 1


def test_screening_on_the_server_keeps_nothing(house):
    files = {"photos": ("a.jpg", house.photo, "image/jpeg")}
    plain = house.phone().post("/v1/screen", files=files, data={"context": '{"fever": true}'})
    assert plain.status_code == 200
    assert plain.json()["person"]["outcome"] == "refer"
    assert "heatmap" not in plain.json()["photos"][0]
    mapped = house.phone().post("/v1/screen?heatmap=true", files=files)
    assert mapped.json()["photos"][0]["heatmap"].startswith("data:image/png;base64,")
    assert house.signed_in("nurse").get("/v1/worklist").json()["items"] == []
    assert fault(house.client().post("/v1/screen", files=files)) == (401, "signed_out")
    assert fault(house.phone().post("/v1/screen", content=b"x")) == (415, "not_multipart")


def test_the_bundle_for_phones_is_whole(house):
    from poxlens.bundle.store import load
    from poxlens.files import sha256_bytes
    from poxlens.serve.clinic.service import Model

    own = load(None)
    house.service.model.screener.bundle = own
    house.service.loaded = Model(house.service.model.screener, house.service.model.screener)
    told = house.client().get("/v1/bundle").json()
    assert (told["label"], told["digest"]) == (own.label, own.digest)
    assert {one["path"]: one["sha256"] for one in told["files"]} == {
        one.path: one.sha256 for one in own.manifest.files
    }
    archive = house.client().get(told["archive"])
    assert (len(archive.content), sha256_bytes(archive.content)) == (
        told["archive_bytes"],
        told["archive_sha256"],
    )
    assert "immutable" in archive.headers["cache-control"]
    assert house.client().get(f"/v1/bundle/{'0' * 64}.zip").status_code == 404


def test_another_origin_may_send_with_a_token_where_it_is_allowed_and_never_with_a_cookie(house):
    foreign = {"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}
    phone = house.phone()
    assert fault(phone.post("/v1/referrals", json=house.referral(photos=False), headers=foreign)) == (
        403,
        "origin",
    )
    house.service.settings = house.service.settings.model_copy(update={"origins": ("https://app.example",)})
    house.app = create_clinic(house.service)
    phone = house.phone()
    asked = phone.options("/v1/referrals", headers={**foreign, "Access-Control-Request-Method": "POST"})
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == "https://app.example"
    assert "access-control-allow-credentials" not in asked.headers
    filed = phone.post("/v1/referrals", json=house.referral(photos=False), headers=foreign)
    assert filed.status_code == 201
    assert filed.headers["access-control-allow-origin"] == "https://app.example"
    nurse = house.signed_in("nurse")
    assert nurse.post("/v1/referrals", json=house.referral(photos=False), headers=foreign).status_code == 401
    assert (
        nurse.post("/v1/session", json={"name": "nurse", "password": "x"}, headers=foreign).status_code == 403
    )
    evil = {**foreign, "Origin": "https://evil.example"}
    assert phone.post("/v1/referrals", json=house.referral(photos=False), headers=evil).status_code == 403


def test_every_answer_has_the_headers_of_a_careful_server(house):
    answer = house.client().get("/v1/session")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert len(answer.headers["x-request-id"]) == 12
    assert "strict-transport-security" not in answer.headers  # without TLS it would lock people out
    house.service.secure = True
    house.app = create_clinic(house.service)
    assert house.client().get("/health").headers["strict-transport-security"] == "max-age=31536000"
    other = house.client().get("/v1/session", headers={"Host": "rebound.example"})
    assert other.status_code == 421


def test_the_log_holds_no_personal_data(house):
    stream = io.StringIO()
    logs.set_up(stream)
    try:
        filed = house.filed(person="REGISTER-17", age=61.0)
        nurse = house.signed_in("nurse")
        nurse.get("/v1/worklist", params={"person": "REGISTER-17"})
        nurse.get("/v1/worklist", params={"code": filed["code"]})
        house.client().post("/v1/status", json={"code": filed["code"]})
        house.client().post("/v1/session", json={"name": "nurse", "password": "MY-PASSWORD"})
    finally:
        logging.getLogger(logs.NAME).handlers = []
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == 6
    assert {one["event"] for one in lines} == {"request"}
    assert lines[0]["route"] == "/v1/referrals"
    assert lines[0]["who"] == f"device:{house.ids['phone']}"
    for secret in ("REGISTER-17", filed["code"], "MY-PASSWORD", "nurse", "testclient", "61"):
        assert secret not in "".join(
            json.dumps({k: v for k, v in one.items() if k not in ("at", "ms", "request", "who", "clinic")})
            for one in lines
        )


def test_a_terminal_is_told_of_trouble_alone(house):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    logs.set_up(stream)
    try:
        house.client().get("/health")
        logs.tell("notice failed", logging.WARNING, why="mail server answered 451")
    finally:
        logging.getLogger(logs.NAME).handlers = []
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["notice failed"]


def test_a_fault_of_the_code_is_told_to_the_log_and_not_to_the_client(house, monkeypatch):
    stream = io.StringIO()
    logs.set_up(stream)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("SECRET in a message")

    monkeypatch.setattr("poxlens.serve.clinic.api.worklist.counts", broken)
    try:
        answer = house.signed_in("nurse").get("/v1/worklist/counts")
    finally:
        logging.getLogger(logs.NAME).handlers = []
    assert fault(answer) == (500, "failed")
    assert "SECRET" not in answer.text + stream.getvalue()
    line = next(json.loads(one) for one in stream.getvalue().splitlines() if '"failed"' in one)
    assert (line["fault"], line["route"]) == ("RuntimeError", "/v1/worklist/counts")
    assert line["place"].startswith("test_clinic_load.py:")


def test_counters_are_for_this_machine_and_name_no_one(house):
    assert fault(house.client().get("/metrics")) == (
        403,
        "forbidden",
    )  # the test client's address is no address
    house.service.settings = house.service.settings.model_copy(update={"metrics_from": ("testclient",)})
    house.filed()
    told = house.client().get("/metrics").text
    assert 'poxlens_requests_total{method="POST",route="/v1/referrals",status="201"}' in told
    assert "poxlens_request_seconds_bucket" in told
    assert house.ids["phone"] not in told


def test_ready_says_no_while_the_keys_are_away(house):
    client = house.client()
    assert client.get("/ready").json()["status"] == "ready"
    path = house.service.settings.keys
    path.rename(path.with_suffix(".away"))
    assert fault(client.get("/ready")) == (503, "not_ready")
    assert client.get("/health").json()["status"] == "up"


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_what_is_no_request_passes(kind):
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(Watch(Capacity(inner, memory=1, max_body=1, seconds=1))({"type": kind}, None, None))
    assert seen == [kind]
