"""The guard: foreign names and origins, bodies that grow over the limit, headers of every answer."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from poxlens.serve.app import create_app
from poxlens.serve.guard import Guard, Hosts, TooLargeError

URL = "http://127.0.0.1:8731"


@pytest.fixture
def client(fake_screener: Any, page: Any) -> TestClient:
    return TestClient(create_app(fake_screener, page=page), base_url=URL)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8731", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:8731", "localhost."]
)
def test_names_of_this_machine_are_served(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8731", "192.168.1.7", "", "[",
        "user@evil.example", "0.0.0.0",
    ],
)  # fmt: skip
def test_other_names_are_refused_before_anything_is_read(
    client: TestClient, fake_screener: Any, host: str
) -> None:
    for reply in (
        client.get("/", headers={"host": host}),
        client.post("/api/screen", headers={"host": host}, files=[("photos", ("a", b"x"))]),
    ):
        assert reply.status_code == 421
        assert reply.json()["error"]["code"] == "host"
    assert fake_screener.seen == []


@pytest.mark.parametrize(
    ("serving", "host", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "192.168.1.7", False),
        ("192.168.1.7", "192.168.1.7:8731", True),
        ("192.168.1.7", "192.168.1.8", False),
        ("clinic.local", "Clinic.local", True),
        ("0.0.0.0", "192.168.1.7:80", True),
        ("::", "[fe80::1]:80", True),
        ("0.0.0.0", "evil.example", False),
        ("0.0.0.0", "localhost", True),
    ],
)
def test_a_given_host_widens_the_names_and_no_more(serving: str, host: str, allowed: bool) -> None:
    assert Hosts.serving(serving).allow(host) is allowed


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": URL}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_uploads_from_other_sites_are_refused(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    reply = client.post("/api/screen", headers=headers, files=[("photos", ("a", b"x"))])
    assert reply.status_code == status


def test_every_answer_has_the_headers_and_none_opens_it_to_others(client: TestClient) -> None:
    replies = [
        client.get("/"),
        client.get("/assets/main-1a2b.js"),
        client.get("/api/bundle", headers={"origin": "http://evil.example"}),
        client.get("/nothing"),
        client.get("/", headers={"host": "evil.example"}),
        client.post("/api/screen", files=[("photos", ("a", b"x"))]),
        client.options("/api/screen", headers={"origin": URL, "access-control-request-method": "POST"}),
    ]
    for reply in replies:
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy.replace("'wasm-unsafe-eval'", "")  # WebAssembly alone
        assert "*" not in policy
        assert "http" not in policy
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert not [name for name in reply.headers if name.startswith("access-control")]
    assert replies[2].headers["cache-control"] == "no-store"
    assert replies[5].headers["cache-control"] == "no-store"


class _Ear:
    """One ASGI request by hand: chunks in, messages out."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = list(chunks)
        self.taken = 0
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if not self.chunks:
            return {"type": "http.disconnect"}
        self.taken += 1
        chunk = self.chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(self.chunks)}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


def _scope(**headers: str) -> dict[str, Any]:
    pairs = [
        (b"host", b"localhost"),
        *[(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
    ]
    return {"type": "http", "method": "POST", "path": "/", "headers": pairs}


def test_a_body_is_counted_as_it_arrives_whatever_its_header_says() -> None:
    kept = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal kept
        while True:
            message = await receive()
            kept += len(message["body"])
            if not message["more_body"]:
                return

    for length in ({}, {"content_length": "5"}):
        kept = 0
        ear = _Ear([b"x" * 100] * 50)
        with pytest.raises(TooLargeError, match=r"larger than 0.001 MB"):
            asyncio.run(Guard(app, max_body=1000)(_scope(**length), ear.receive, ear.send))
        assert kept == 1000, "no more than the limit reaches the application"
        assert ear.taken == 50, "the rest is read and dropped, so that a browser sees the answer"


def test_an_announced_body_over_the_limit_never_reaches_the_application() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        pytest.fail("the application was called")

    ear = _Ear([b"x" * 1000] * 50)
    asyncio.run(Guard(app, max_body=1000)(_scope(content_length="50000"), ear.receive, ear.send))
    assert ear.sent[0]["status"] == 413
    assert json.loads(ear.sent[1]["body"])["error"]["code"] == "too_large"
    assert ear.taken <= 6, "an endless body is not read for ever"


def test_only_so_many_uploads_at_a_time() -> None:
    async def trial() -> tuple[list[int], int]:
        gate = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await gate.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})

        guard = Guard(app, max_in_flight=2)
        ears = [_Ear([b""]) for _ in range(3)]
        tasks = [asyncio.create_task(guard(_scope(), ear.receive, ear.send)) for ear in ears]
        await asyncio.sleep(0.01)
        refused = ears[2].sent[0]
        gate.set()
        await asyncio.gather(*tasks)
        last = _Ear([b""])
        await guard(_scope(), last.receive, last.send)
        assert (b"retry-after", b"2") in refused["headers"]
        return [ear.sent[0]["status"] for ear in ears], last.sent[0]["status"]

    assert asyncio.run(trial()) == ([200, 200, 503], 200)
