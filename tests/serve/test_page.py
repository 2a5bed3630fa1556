"""The page's files: served, self-contained, and legible by the numbers of WCAG 2.2."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest
from starlette.testclient import TestClient

from poxlens.serve.app import create_app

STATIC = files("poxlens.serve") / "static"
NAMES = sorted(path.name for path in STATIC.iterdir())


def test_every_file_is_served_with_its_type(fake_screener: Any) -> None:
    client = TestClient(create_app(fake_screener), base_url="http://127.0.0.1")
    types = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    for name in NAMES:
        path = "/" if name == "index.html" else f"/{name}"
        reply = client.get(path)
        assert reply.status_code == 200, name
        assert reply.headers["content-type"].startswith(types[name.rpartition(".")[2]])
        assert reply.content == (STATIC / name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(name: str) -> None:
    text = (STATIC / name).read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|//[a-z]+\.[a-z]|@import|url\(", text)
    if name.endswith(".html"):
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text)
    if name.endswith(".js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|localStorage|indexedDB", text
        )


def _palette(dark: bool) -> dict[str, tuple[float, ...]]:
    css = (STATIC / "app.css").read_text("utf-8")
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css[: css.index("@media")]))
    over = css[css.index("@media (prefers-color-scheme: dark)") :]
    found = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", over[: over.index("*, *::before")])) if dark else {}
    )
    return {
        name: tuple(int(v[i : i + 2], 16) / 255 for i in (1, 3, 5)) for name, v in (light | found).items()
    }


def _contrast(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    def luminance(colour: tuple[float, ...]) -> float:
        r, g, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
        return 0.2126 * r + 0.7152 * g + 0.0722 * blue

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_formula_knows_black_on_white() -> None:
    assert _contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21.0)


@pytest.mark.parametrize("dark", [False, True])
def test_text_is_legible_in_both_schemes(dark: bool) -> None:
    colours = _palette(dark)
    tones = ["refer", "uncertain", "not_suspected", "cannot_assess"]
    text = [
        ("ink", "card"),
        ("ink", "ground"),
        ("ink", "faint"),
        ("soft", "card"),
        ("soft", "ground"),
        ("soft", "faint"),
    ]
    text += [("accent-ink", "accent"), ("refer", "card")]
    text += [(f"{tone}-ink", f"{tone}-ground") for tone in tones]
    parts = [(tone, f"{tone}-ground") for tone in tones] + [("card", tone) for tone in tones]
    parts += [("accent", "card"), ("accent", "faint"), ("pass", "card"), ("accent", "accent-soft")]
    for front, back in text:
        assert _contrast(colours[front], colours[back]) >= 4.5, (front, back)
    for front, back in parts:
        assert _contrast(colours[front], colours[back]) >= 3.0, (front, back)
