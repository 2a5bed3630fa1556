"""The JSON API of the page for labels, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from poxlens.serve.annotate.app import MAX_BODY, create_annotate
from poxlens.serve.annotate.session import Labelling

URL = "http://127.0.0.1:8751"


@pytest.fixture
def client(desk: Any) -> TestClient:
    return TestClient(create_annotate(desk.session()), base_url=URL, raise_server_exceptions=False)


def _send(client: TestClient, **wish: Any) -> Any:
    return client.post("/api/answers", json=wish)


def test_the_page_gets_what_it_asks_and_nothing_that_could_sway(client: TestClient, desk: Any) -> None:
    told = client.get("/api/annotate").json()
    assert told["notice"].startswith("Non-clinical: read off the photos alone")
    assert [label["name"] for label in told["labels"]] == ["body_site", "range", "stage"]
    assert told["labels"][0]["values"][2] == {
        "name": "hand",
        "key": "h",
        "says": "Hand, fingers, palm, wrist",
    }
    assert told["items"][0] == {"file": "a.jpg", "asked": ["body_site", "range", "stage"], "hint": {}}
    assert told["states"] == [{"labels": {}, "revision": 0}] * 5
    assert (told["undo"], told["out"]) == (0, str(desk.out))


def test_answers_undo_and_states(client: TestClient, desk: Any) -> None:
    reply = _send(client, index=2, label="body_site", value="close", revision=0)
    assert reply.status_code == 200
    assert reply.json()["state"] == {"labels": {"body_site": "close", "range": "close"}, "revision": 1}
    assert client.get("/api/states").json()["states"][2] == reply.json()["state"]
    assert _send(client, undo=1).json() == {"index": 2, "undo": 0, "state": {"labels": {}, "revision": 2}}
    assert desk.rows() == []


@pytest.mark.parametrize(
    ("wish", "status", "code"),
    [
        ({"index": 0, "label": "stage", "value": "late", "revision": 0}, 400, "answer"),
        ({"index": 9, "label": "stage", "value": "later", "revision": 0}, 400, "answer"),
        ({"index": True, "label": "stage", "value": "later", "revision": 0}, 400, "answer"),
        ({"index": 0, "label": "stage", "revision": 0}, 400, "answer"),
        ({"undo": "1"}, 400, "answer"),
        ({"undo": 1}, 400, "answer"),
        ([], 400, "answer"),
        ({"index": 0, "label": "stage", "value": "later", "revision": 4}, 409, "conflict"),
        ({"index": 0, "label": "x" * MAX_BODY, "value": "later", "revision": 0}, 413, "too_large"),
    ],
)
def test_what_is_refused(client: TestClient, desk: Any, wish: Any, status: int, code: str) -> None:
    reply = client.post("/api/answers", content=json.dumps(wish))
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert desk.rows() == []


def test_a_failure_to_save_has_its_own_status(client: TestClient, desk: Any) -> None:
    desk.out.mkdir()
    reply = _send(client, index=0, label="stage", value="later", revision=0)
    assert (reply.status_code, reply.json()["error"]["code"]) == (507, "not_saved")
    assert "labels.csv" in reply.json()["error"]["message"]


def test_pictures_and_files_that_changed(client: TestClient, desk: Any) -> None:
    for path in ("/picture/3", "/thumb/3"):
        assert client.get(path).headers["content-type"] == "image/jpeg"
    assert client.get("/picture/5").status_code == 400
    (desk.root / "a.jpg").write_bytes((desk.root / "b.jpg").read_bytes())
    reply = client.get("/picture/0")
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, "unreadable.changed")
    (desk.root / "b.jpg").unlink()
    assert client.get("/thumb/1").json()["error"]["code"] == "unreadable.missing"


def test_a_table_without_sums_shows_any_bytes(desk: Any) -> None:
    bare = Labelling(desk.out, desk.scheme, [replace(one, sha256="") for one in desk.items], desk.root)
    (desk.root / "a.jpg").write_bytes((desk.root / "b.jpg").read_bytes())
    client = TestClient(create_annotate(bare), base_url=URL)
    assert client.get("/picture/0").status_code == 200


def test_the_page_and_its_parts_are_served_here_alone(client: TestClient) -> None:
    page = client.get("/").text
    names = ("/app.css", "/review.css", "/annotate.css", "/icon.svg", "/main.js")
    assert all(name in page for name in names)
    modules = ("build", "choice", "keyboard", "main", "pictures", "queue", "saving", "sheet")
    for path in (*names, *(f"/{name}.js" for name in modules)):
        assert client.get(path).status_code == 200, path
    assert client.get("/", headers={"host": "evil.example"}).status_code == 421
    other = client.post("/api/answers", json={"undo": 0}, headers={"origin": "https://evil.example"})
    assert other.status_code == 403
    assert client.get("/nothing").json()["error"]["code"] == "not_found"
