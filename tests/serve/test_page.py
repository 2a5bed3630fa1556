"""The phone app's files and its bundle, as they are handed out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import brotli
import pytest
from starlette.testclient import TestClient

from poxlens.serve.app import create_app
from poxlens.serve.page import File, PageMissingError, page_files
from poxlens.serve.words import words, words_text

ROOT = Path(__file__).parents[2]


@pytest.fixture
def client(fake_screener: Any, page: tuple[File, ...]) -> TestClient:
    return TestClient(create_app(fake_screener, page=page), base_url="http://127.0.0.1")


@pytest.mark.parametrize(
    ("path", "kind", "cache"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/assets/main-1a2b.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/icon.svg", "image/svg+xml", "no-cache"),
        ("/bundle/bundle.json", "application/json", "no-cache"),
        ("/bundle/model.onnx", "application/octet-stream", "no-cache"),
        ("/bundle/golden/one.png", "image/png", "no-cache"),
    ],
)
def test_each_file_has_its_type_and_says_how_long_it_may_be_kept(
    client: TestClient, path: str, kind: str, cache: str
) -> None:
    reply = client.get(path)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == kind
    assert reply.headers["cache-control"] == cache
    assert client.get(path, headers={"if-none-match": reply.headers["etag"]}).status_code == 304


def test_what_is_worth_it_is_compressed_for_those_who_ask(client: TestClient) -> None:
    plain = client.get("/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with client.stream("GET", "/", headers={"accept-encoding": "gzip"}) as reply:
        assert reply.headers["content-encoding"] == "gzip"
        packed = b"".join(reply.iter_raw())
    assert len(packed) < 200
    assert gzip.decompress(packed) == plain.content
    with client.stream("GET", "/", headers={"accept-encoding": "gzip, deflate, br;q=1.0"}) as reply:
        assert reply.headers["content-encoding"] == "br"
        smaller = b"".join(reply.iter_raw())
    assert len(smaller) < len(packed)
    assert brotli.decompress(smaller) == plain.content
    small = client.get("/icon.svg", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in small.headers


def test_the_page_may_use_threads_and_run_the_model(client: TestClient) -> None:
    headers = client.get("/").headers
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert "script-src 'self' 'wasm-unsafe-eval';" in headers["content-security-policy"]
    assert "connect-src 'self';" in headers["content-security-policy"]


def test_a_copy_without_the_page_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("poxlens.serve.page.files", lambda _: tmp_path)
    with pytest.raises(PageMissingError, match="make web"):
        page_files()


def test_the_pages_sentences_are_the_command_lines() -> None:
    file = ROOT / "web" / "src" / "messages" / "rule.en.json"
    assert file.read_text("utf-8") == words_text(), "python -m poxlens.serve.words > " + file.name


def test_every_reason_that_a_photo_can_have_has_a_sentence() -> None:
    said = words()
    assert {
        "quality.blur",
        "novel.unknown",
        "context.contact",
        "unreadable.io",
        "next.uncertain.4",
    } <= said.keys()
    assert "unreadable.folder" not in said  # a browser hands out files only
    assert len(said) == len(json.loads(words_text()))
