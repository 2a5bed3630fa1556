"""A deployment's settings: checked, handed to the page, and one clinic's server in the policy and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from poxlens.serve.app import create_app
from poxlens.serve.deployment import Deployment, SettingsError, deployed, deployment, read_deployment
from poxlens.serve.page import File
from poxlens.serve.static_host import StaticFolderError, write_static

CLINIC = Deployment(0.25, "https://clinic.example:8443")
META = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; connect-src 'self'; img-src *" />"""
PAGE = [
    File("index.html", META.encode()),
    File("settings.json", b"{}"),
    File("sw.js", b"worker"),
    File("assets/main-1.js", b"connect-src 'self'"),
]


def test_the_defaults_change_no_policy() -> None:
    assert deployment({}) == Deployment() == Deployment(0.1, None)
    assert deployed(PAGE, Deployment())[0].content == PAGE[0].content


@pytest.mark.parametrize(
    ("found", "named"),
    [
        ([], "object"),
        ({"prevalance": 0.1}, "prevalance"),
        ({"prevalence": 0}, "prevalence"),
        ({"prevalence": True}, "prevalence"),
        ({"prevalence": "0.1"}, "prevalence"),
        ({"clinic": "http://clinic.example"}, "clinic"),
        ({"clinic": "http://127.0.0.1.example"}, "clinic"),
        ({"clinic": "https://clinic.example/path"}, "clinic"),
        ({"clinic": "https://clinic.example; script-src *"}, "clinic"),
        ({"clinic": "https://*"}, "clinic"),
        ({"clinic": "https://clinic.example:99999"}, "clinic"),
        ({"clinic": "https://user@clinic.example"}, "clinic"),
        ({"clinic": ["https://clinic.example"]}, "clinic"),
    ],
)
def test_what_cannot_be_used_is_named(found: Any, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        deployment(found)


@pytest.mark.parametrize("clinic", ["http://127.0.0.1:8740", "http://localhost", "http://[::1]:80"])
def test_this_computer_needs_no_encryption(clinic: str) -> None:
    assert deployment({"clinic": clinic}).clinic == clinic


def test_a_file_that_is_missing_or_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_deployment(tmp_path / "settings.json")
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(SettingsError, match="not JSON"):
        read_deployment(tmp_path / "settings.json")


def test_the_clinics_server_is_the_one_other_origin(fake_screener: Any) -> None:
    client = TestClient(create_app(fake_screener, page=PAGE, settings=CLINIC), base_url="http://127.0.0.1")
    reply = client.get("/")
    policy = reply.headers["content-security-policy"]
    assert "connect-src 'self' https://clinic.example:8443;" in policy
    assert policy.count("https:") == 1
    assert reply.text == META.replace("connect-src 'self'", "connect-src 'self' https://clinic.example:8443")
    assert client.get("/settings.json").json() == {
        "prevalence": 0.25,
        "clinic": "https://clinic.example:8443",
    }
    assert client.get("/assets/main-1.js").text == "connect-src 'self'"


def test_other_settings_make_another_service_worker() -> None:
    workers = {deployed(PAGE, one)[2].content for one in (Deployment(), CLINIC, Deployment(0.25))}
    assert len(workers) == 3
    assert all(worker.startswith(b"worker\n//") for worker in workers)


def test_a_static_host_gets_the_same_page_and_its_headers(fake_screener: Any, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    count = write_static(folder, PAGE, fake_screener.bundle, CLINIC)
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert count == len(written) == len(PAGE) + 3 + 2
    assert json.loads((folder / "settings.json").read_text())["prevalence"] == 0.25
    assert "https://clinic.example:8443" in (folder / "index.html").read_text()
    for name in ("_headers", "nginx.conf"):
        text = (folder / name).read_text()
        assert "connect-src 'self' https://clinic.example:8443;" in text
        assert "cross-origin-embedder-policy" in text
        assert "immutable" in text
    write_static(folder, PAGE, fake_screener.bundle, Deployment())  # brought up to date
    assert "clinic" not in (folder / "_headers").read_text()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.doc").write_text("")
    with pytest.raises(StaticFolderError, match="other files"):
        write_static(tmp_path / "other", PAGE, fake_screener.bundle, CLINIC)
