"""Whatever file comes, the answer is a photo or a reason code, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from poxlens.errors import PhotoError
from poxlens.photo.decode import UNREADABLE, decode
from poxlens.photo.quality import QualityLimits, canonical, check_quality
from poxlens.photo.resize import InputRule, prepare
from poxlens.photo.skin import skin_mask, skin_tone

WORKER = Path(__file__).parent / "mutation_worker.py"
MEMORY_LIMIT = 1_500_000_000  # bytes, whole process


@pytest.mark.parametrize("builder", range(4))
def test_every_hostile_file_gives_its_reason_or_a_photo(hostile: ModuleType, builder: int) -> None:
    files = hostile.BUILDERS[builder]()
    wrong = []
    for item in files:
        started = time.perf_counter()
        try:
            photo = decode(item.data)
            shape_is_right = photo.pixels.dtype == np.uint8 and photo.pixels.shape[2:] == (3,)
            got, size = "ok" if shape_is_right else "wrong shape", (photo.width, photo.height)
        except PhotoError as error:
            told = error.client_message == UNREADABLE[error.reason]
            got, size = error.reason.removeprefix("unreadable.") if told else "not told", None
        seconds = time.perf_counter() - started
        if got != item.expected or (item.size is not None and size != item.size) or seconds > 10:
            wrong.append((item.name, item.expected, item.size, got, size, seconds))
    assert wrong == []
    assert len(files) >= 15


def test_the_table_is_large_enough_and_its_names_are_unique(hostile: ModuleType) -> None:
    names = [item.name for item in hostile.table()]
    assert len(names) >= 100
    assert len(set(names)) == len(names)


def test_names_do_not_decide(hostile_folder: dict[Path, str]) -> None:
    wrong = []
    for path, expected in hostile_folder.items():
        try:
            decode(path)
            got = "ok"
        except PhotoError as error:
            got = error.reason.removeprefix("unreadable.")
        if got != expected:
            wrong.append((path.name, expected, got))
    assert wrong == []


def test_whatever_decodes_can_be_assessed(hostile: ModuleType) -> None:
    for item in hostile.table():
        if item.expected != "ok":
            continue
        photo = decode(item.data)
        small = canonical(photo.pixels)
        mask = skin_mask(small)
        checks = check_quality(photo, QualityLimits(), mask)
        assert len(checks) == 6, item.name
        assert all(np.isfinite(check.value) for check in checks), item.name
        assert skin_tone(small, mask).n_pixels == mask.sum(), item.name
        assert prepare(photo.pixels, InputRule()).shape == (224, 224, 3), item.name


def test_nothing_is_printed_and_nothing_warns(hostile: ModuleType, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for item in hostile.table():
            try:
                decode(item.data)
            except PhotoError:
                continue
    assert [str(item.message) for item in caught] == []
    assert capfd.readouterr() == ("", "")


def _mutate(count: int, seed: int, timeout: int, log: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(WORKER), str(count), str(seed), str(log)],
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, f"mutation {log.read_text()} of seed {seed}: {done.stderr[-3000:]}"
    assert done.stderr == ""
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["files"] == count
    assert set(report["outcomes"]) <= {"ok", *UNREADABLE}
    assert report["peak_bytes"] < MEMORY_LIMIT
    assert report["slowest_s"] < 10
    return report


def test_random_mutations_neither_crash_nor_hang(tmp_path: Path) -> None:
    report = _mutate(400, seed=20240, timeout=120, log=tmp_path / "log")
    # Damage of all sizes: some files still decode, most do not, and for different reasons.
    assert 20 < report["ok"] < 380
    assert len(report["outcomes"]) >= 5


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
def test_twenty_thousand_mutations_neither_crash_nor_hang(tmp_path: Path, seed: int) -> None:
    _mutate(2_500, seed=seed, timeout=900, log=tmp_path / "log")
