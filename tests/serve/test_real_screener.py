"""The page's API over the real screener and a real graph: the same numbers as `Screener` gives."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from starlette.testclient import TestClient

from poxlens.screen.screener import Screener
from poxlens.serve.app import create_app


def _tiny() -> ModuleType:
    path = Path(__file__).parents[1] / "bundle" / "tiny.py"
    spec = importlib.util.spec_from_file_location("tiny_for_serve", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_api_gives_what_the_screener_gives(
    tmp_path: Path, pustules: bytes, macules: bytes, tiny: bytes
) -> None:
    screener = Screener(_tiny().build(tmp_path / "tiny"))
    client = TestClient(create_app(screener, page=()), base_url="http://127.0.0.1")
    photos = (pustules, macules, tiny, b"junk")
    reply = client.post("/api/screen", files=[("photos", ("p", photo)) for photo in photos])
    assert reply.status_code == 200
    for photo, shown in zip(photos, reply.json()["photos"], strict=True):
        expected = screener.screen(photo).to_json()
        for key in (
            "outcome",
            "reasons",
            "probabilities",
            "prediction_set",
            "novelty",
            "skin_tone",
            "bundle",
        ):
            assert shown[key] == expected[key], key
        assert [(c["name"], c["value"]) for c in shown["quality"]] == [
            (c["name"], c["value"]) for c in expected["quality"]
        ]
        assert (shown["heatmap"] is not None) == bool(expected["probabilities"])
    about = client.get("/api/bundle").json()
    assert about["label"] == screener.bundle.label
    assert about["digest"] == screener.bundle.digest
    assert about["novelty_limit"] == 30.0
    assert about["rule_in"]["threshold"] == pytest.approx(0.5)
