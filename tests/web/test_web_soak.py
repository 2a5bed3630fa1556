"""The browser at length: the command line's answers on many photos, 300 real ones where they are; memory.

What was compared is kept in pytest's cache: a trial that was cut off goes on from there, while bundle and page are the
same.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.browser_worker import page_screener
from benchmarks.web_parity import files, phantoms, report, run
from benchmarks.web_runtimes import memory

from poxlens.bundle.store import load

pytestmark = [pytest.mark.browser, pytest.mark.soak]

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"


@pytest.fixture
def compared(pytestconfig: pytest.Config) -> Path:
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("web-parity") / "compared.jsonl"


def test_drawn_photos_of_all_sizes_and_turns(built: None, compared: Path) -> None:
    rows = run(phantoms(200), page_screener(), compared)
    assert len(rows) == 216
    assert report(rows) == 0


def test_a_photo_of_48_megapixels_fits_into_a_phones_memory(built: None) -> None:
    found = memory(load(None))
    assert 100 < found["before a photo, MB"] < found["48 MP, peak MB"] <= 300
    assert found["48 MP progressive, peak MB"] <= 300


@pytest.mark.real_data
def test_real_photos(built: None, compared: Path) -> None:
    if not DATA.is_dir():
        pytest.skip(f"no real images at {DATA}: the browser was not compared on them")
    rows = run(files(DATA, 300, seed=0), page_screener(), compared)
    assert len(rows) == 300
    assert report(rows) == 0
