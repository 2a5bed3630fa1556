"""A comparison that was cut off goes on where it stopped, and only with the same bundle and page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks import web_parity
from benchmarks.web_parity import Row, phantoms, run

ROW = Row("refer", True, 0, 1e-7, 1e-8, 1.0, 5.0, 9.0)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the browser says that it runs; photos are compared by their bytes alone."""
    started = {"label": "a bundle", "page": "worker-1.js", "way": "onnx fp32 simd", "threads": 2}

    @contextmanager
    def no_browser(screener: Any) -> Iterator[Any]:
        yield SimpleNamespace(started=started)

    def compared(worker: Any, screener: Any, photo: bytes) -> Row:
        if photo == b"the battery is empty":
            raise KeyboardInterrupt
        return ROW

    monkeypatch.setattr(web_parity, "browser_worker", no_browser)
    monkeypatch.setattr(web_parity, "compare", compared)
    return started


def photos(*contents: bytes) -> tuple[list[tuple[str, Callable[[], bytes]]], list[str]]:
    asked: list[str] = []

    def one(name: str, content: bytes) -> Callable[[], bytes]:
        return lambda: asked.append(name) or content  # type: ignore[func-returns-value]

    return [(f"photo {n}", one(f"photo {n}", content)) for n, content in enumerate(contents)], asked


def test_it_goes_on_and_takes_nothing_of_another_page(served: dict[str, Any], tmp_path: Path) -> None:
    state = tmp_path / "compared.jsonl"
    cut_off, asked = photos(b"a", b"b", b"the battery is empty")
    with pytest.raises(KeyboardInterrupt):
        run(cut_off, None, state)  # type: ignore[arg-type]
    assert len(asked) == 3
    state.write_text(state.read_text() + '\n{"by": "a bundle, worker-1.js, onnx', encoding="utf-8")
    again, asked = photos(b"a", b"b", b"c", b"d")
    assert run(again, None, state) == [ROW] * 4  # type: ignore[arg-type]
    assert asked == ["photo 2", "photo 3"]
    whole, asked = photos(b"a", b"b", b"c", b"d")
    assert run(whole, None, state) == [ROW] * 4  # type: ignore[arg-type]
    assert asked == []
    served["page"] = "worker-2.js"
    other, asked = photos(b"a", b"b")
    run(other, None, state)  # type: ignore[arg-type]
    assert asked == ["photo 0", "photo 1"]


def test_phantoms_are_of_every_turn_and_drawn_when_it_is_their_turn() -> None:
    found = list(phantoms(3))
    assert [name for name, _ in found[:3]] == ["phantom 0", "phantom 1", "phantom 2"]
    assert len(found) == 3 + 16
    assert len({name for name, _ in found}) == 19
    photo = found[0][1]()
    assert photo.startswith(b"\xff\xd8\xff")
    assert photo == found[0][1]()
