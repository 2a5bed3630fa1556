"""The benchmark of large heads, on predictions written here."""

from __future__ import annotations

import csv
import json

import pytest
from benchmarks.heads import rows_of, table


@pytest.fixture
def run(tmp_path):
    """Eight images in four groups, two repeats: the linear head errs on one of them, the dense one on three."""
    folder = tmp_path / "msid"
    wrong = {"logistic": {0}, "dense": {0, 1, 2}}
    columns = ["repeat", "fold", "network", "setting", "file", "group", "tone", "label", "p_mpox", "p_other"]
    folder.mkdir()
    with (folder / "predictions.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for repeat in range(2):
            for setting, misses in wrong.items():
                for i in range(8):
                    label = ("mpox", "other")[i % 2]
                    right = 0.9 if i not in misses else 0.2
                    p = right if label == "mpox" else 1 - right
                    writer.writerow(
                        [repeat, i % 4, "mobilenet-v2", setting, f"{i}.jpg", i // 2, "", label, p, 1 - p]
                    )
    for fold, units in enumerate(([4096], [256, 256])):
        path = folder / "units" / "mobilenet-v2" / "dense" / f"{fold}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"variant": "", "chosen": {"units": units}}))
    return folder


def test_each_head_beside_the_linear_one(run):
    linear, dense = rows_of(run)
    assert (linear.setting, dense.setting) == ("logistic", "dense")
    assert linear.megabytes == pytest.approx(1281 * 2 * 4 / 1e6)
    large = (1281 * 4096 + 4097 * 2) * 4 / 1e6
    small = (1281 * 256 + 257 * 256 + 257 * 2) * 4 / 1e6
    assert dense.megabytes == pytest.approx((large + small) / 2)
    assert linear.accuracy.value == pytest.approx(7 / 8)
    assert dense.accuracy.value == pytest.approx(5 / 8)
    assert linear.difference is None
    assert dense.difference is not None
    assert dense.difference.value == pytest.approx(-2 / 8)
    assert dense.difference.low < -2 / 8 < dense.difference.high


def test_the_table(run):
    lines = table(run).splitlines()
    assert len(lines) == 4
    assert lines[3].startswith("| mobilenet-v2 | dense | 11.3")
    assert "-25.0 (" in lines[3]
