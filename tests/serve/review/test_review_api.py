"""The JSON API of the review and what it refuses."""

from __future__ import annotations

import os
from typing import Any

import pytest
from starlette.testclient import TestClient

from poxlens.serve.review.app import MAX_BODY, create_review

URL = "http://127.0.0.1:8741"


@pytest.fixture
def client(session: Any) -> TestClient:
    return TestClient(create_review(session, only="undecided"), base_url=URL, raise_server_exceptions=False)


def _send(
    client: TestClient, index: int, action: str, box: Any = None, revision: int = 0, since: int = 0
) -> Any:
    wish = {"index": index, "action": action, "box": box, "revision": revision, "since": since}
    return client.post("/api/decisions", json=wish)


def test_the_page_gets_all_it_shows(client: TestClient, sheet: Any) -> None:
    told = client.get("/api/review").json()
    assert (told["only"], told["least_side"], told["by"]) == ("undecided", 100, "tester")
    assert (told["lines"], told["last"], told["changed"]) == (0, None, [])
    assert told["next"] == f"poxlens data curate TABLE --root {sheet.root} --out {sheet.folder} --apply crops"
    assert told["items"][0] == {
        "file": "mpox/a.jpg", "label": "mpox", "width": 640, "height": 480, "verdict": "crop",
        "box": [200, 120, 240], "reason": "crop.skin", "sentence": "A square of 240 px holds skin alone.",
        "skin_share": 0.9, "notes": ["a note"],
    }  # fmt: skip
    assert [one["verdict"] for one in told["items"]] == ["crop", "crop", "none", "crop", "crop"]


def test_a_decision_is_on_disk_when_it_is_answered(
    client: TestClient, sheet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(handle) or fsync(handle))
    reply = _send(client, 0, "crop", [10, 20, 200])
    assert reply.status_code == 200
    assert len(synced) == 1
    assert sheet.decisions.read_text().count("\n") == 1
    assert reply.json()["changed"][0]["decision"] == {
        "action": "crop", "box": [10, 20, 200], "by": "tester",
    }  # fmt: skip
    again = client.get("/api/review").json()
    assert again["changed"] == reply.json()["changed"]
    assert (again["lines"], again["last"]) == (1, 0)


def test_another_window_is_told_what_changed(client: TestClient) -> None:
    _send(client, 0, "accept")
    _send(client, 2, "reject")
    assert [one["index"] for one in client.get("/api/changes?since=1").json()["changed"]] == [2]
    reply = _send(client, 0, "reject")
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "conflict")


def test_a_failure_to_save_has_its_own_status(client: TestClient, sheet: Any) -> None:
    sheet.decisions.mkdir()
    reply = _send(client, 0, "accept")
    assert reply.status_code == 507
    assert reply.json()["error"]["code"] == "not_saved"
    assert "decisions.jsonl" in reply.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'{"index": "0", "action": "accept", "box": null, "revision": 0, "since": 0}',
    ],
)
def test_what_is_no_decision_is_refused(client: TestClient, sheet: Any, body: bytes) -> None:
    reply = client.post("/api/decisions", content=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "decision")
    assert not sheet.decisions.exists()


def test_images_are_jpeg_and_never_stored_by_the_browser(client: TestClient) -> None:
    for path in ("/picture/0", "/thumb/0", "/crop/0?box=1&box=2&box=200"):
        reply = client.get(path)
        assert (reply.status_code, reply.headers["content-type"]) == (200, "image/jpeg")
        assert reply.headers["cache-control"] == "no-store"
        assert reply.content.startswith(b"\xff\xd8\xff")


def test_an_image_that_is_gone_says_so(client: TestClient, sheet: Any) -> None:
    (sheet.root / "mpox/a.jpg").unlink()
    reply = client.get("/picture/0")
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "unreadable.missing")
    (sheet.root / "mpox/b.jpg").write_bytes(b"text")
    assert client.get("/picture/1").json()["error"]["code"] == "unreadable.changed"


@pytest.mark.parametrize("path", ["/picture/99", "/thumb/-1", "/crop/0?box=0&box=0&box=900", "/crop/0?box=1"])
def test_an_image_or_square_that_is_not_there_is_refused(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 400


def test_other_sites_and_names_are_refused(client: TestClient, sheet: Any) -> None:
    assert client.get("/picture/0", headers={"host": "evil.example"}).status_code == 421
    wish = {"index": 0, "action": "reject", "box": None, "revision": 0, "since": 0}
    reply = client.post("/api/decisions", json=wish, headers={"origin": "http://evil.example"})
    assert reply.status_code == 403
    assert client.post("/api/decisions", content=b"x" * (MAX_BODY + 1)).status_code == 413
    assert not sheet.decisions.exists()


def test_the_page_and_every_file_it_names_is_there(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    for name in ("app.css", "review.css", "icon.svg", "main.js"):
        assert f"/{name}" in page.text
    import re

    names, seen = {"main.js"}, set()
    while names - seen:
        name = (names - seen).pop()
        seen.add(name)
        reply = client.get(f"/{name}")
        assert reply.status_code == 200, name
        names |= set(re.findall(r'from "\./([a-z]+\.js)"', reply.text))
    assert len(seen) == 9
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert client.get("/none").json()["error"]["code"] == "not_found"
