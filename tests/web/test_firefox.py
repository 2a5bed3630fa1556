"""The main path in Debian's Firefox: from a photo to the code, and from the code to the reader page."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from poxlens.screen.screener import Screener

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def driver() -> ModuleType:
    pytest.importorskip("websockets", reason="websockets is not installed: Firefox was not tried")
    spec = importlib.util.spec_from_file_location("web_firefox", Path(__file__).parent / "firefox.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.program() is None:
        pytest.skip("no Firefox on this machine: the page was not tried in it")
    return module


def test_from_a_photo_to_the_reader(
    driver: ModuleType, url: str, pustules: np.ndarray, screener: Screener, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    Image.fromarray(pustules).save(photo, quality=90)
    profile = tmp_path / "profile"
    profile.mkdir()
    with driver.firefox(profile) as page:
        page.goto(url)
        page.click(".welcome .primary")
        page.click("input[name=whose][value=self]")
        page.click("input[name=intimate][value=no]")
        page.click(".bar button")
        page.wait(".drop input[type=file]")
        page.choose(".drop .row input[type=file]:last-of-type", photo)
        page.wait(".frame")
        page.click(".bar button")
        page.wait(".card.photo .good")
        page.click(".bar button:enabled")
        page.click("input[name=where][value=hands]")
        page.click("form .bar button")
        page.wait(".verdict")
        outcome = str(page.run("document.querySelector('.verdict').classList[1]"))
        assert outcome == screener.screen(photo.read_bytes()).outcome == "refer"
        page.click(".keep button")
        page.wait(".keep .good")
        page.click(".row.end .primary")
        code = tmp_path / "code.png"
        code.write_bytes(page.picture(".code svg"))
        summary = page.text(".sheet")
        page.goto(f"{url.rstrip('/')}/reader.html")
        page.wait("input[type=file]")
        page.choose("input[type=file]", code)
        page.wait(".reader .sheet")
        assert page.text(".sheet") == summary
        assert "Hands or palms" in summary
        page.goto(url)
        page.click(".links button")
        assert "Show this rash to a health worker" in page.text(".kept")
