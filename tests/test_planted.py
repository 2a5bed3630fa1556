"""Planted copies: how they are changed, how they are judged, and a short search."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmarks are not part of the package

from benchmarks import planted  # noqa: E402

from poxlens.data.duplicates import Duplicates, Pair  # noqa: E402
from poxlens.data.manifest import Manifest, Row  # noqa: E402
from poxlens.data.phantom import draw, random_spec  # noqa: E402


@pytest.fixture(scope="module")
def photo():
    return draw(random_spec(1, size=200, lesion="papule")).image


def rng():
    return np.random.default_rng(0)


def test_changes_are_what_they_say(photo):
    part = planted.crop(photo, rng())
    assert part.shape == (140, 140, 3)
    places = [(t, x) for t in range(61) for x in range(61) if np.array_equal(part[0, 0], photo[t, x])]
    assert any(np.array_equal(part, photo[t : t + 140, x : x + 140]) for t, x in places)
    assert np.array_equal(planted.flip(photo, rng())[:, ::-1], photo)
    ratio = planted.brightness(photo, rng()).mean() / photo.mean()
    assert min(abs(ratio - 0.8), abs(ratio - 1.2)) < 0.03
    sizes = {planted.resize(photo, np.random.default_rng(seed)).shape[0] for seed in range(40)}
    assert 100 <= min(sizes) < 120
    assert 280 < max(sizes) <= 300
    changed = (planted.caption(photo, rng()) != photo).any(2).any(1)
    assert 20 <= changed.sum() <= 26
    assert planted.turn(photo, rng()).shape == photo.shape
    assert planted.tilt(photo, rng())[0, 0].tolist() == [0, 0, 0]


def test_the_quality_of_a_copy(photo):
    coarse, fine = (planted.changed(photo, planted.KINDS[name], rng()) for name in ("JPEG 40", "flip"))
    assert Image.open(io.BytesIO(coarse)).format == "JPEG"
    assert len(coarse) < 0.5 * len(fine)


def test_recall_and_precision_are_counted():
    """Two originals with two copies each; one copy missed, one pair of different originals joined."""
    rows = tuple(Row(f"{n}", Path(f"{n}"), "x") for n in range(6))
    truth = planted.Planted(
        Manifest(rows, Path(), ""), [0, 0, 0, 3, 3, 3], ["", "flip", "caption", "", "flip", "caption"]
    )
    pairs = [
        Pair(0, 1, "confirmed", 1.0),
        Pair(0, 2, "near", 1.0),
        Pair(1, 2, "confirmed", 1.0),
        Pair(3, 4, "confirmed", 1.0),
        Pair(3, 5, "suspected", 1.0),  # not joined
        Pair(2, 4, "confirmed", 1.0),  # false
    ]
    told = Duplicates(tuple(pairs), np.zeros(6, np.int64), (), ())
    assert planted.false_pairs(truth, told) == [
        "0 (caption) = 3 (flip), confirmed, 0 keypoints, correlation nan"
    ]
    found = planted.judge(truth, told)
    shares = {share.name: (share.found, share.n, share.met) for share in found}
    assert shares == {
        "flip": (2, 2, True),
        "caption": (1, 2, False),
        "recall, all that are judged": (3, 4, False),
        "precision of joined pairs": (4, 5, False),
    }


def test_one_real_original_a_group(tmp_path):
    (tmp_path / "manifest.csv").write_text("file,label\n" + "".join(f"{n}.jpg,x\n" for n in range(9)))
    (tmp_path / "groups.csv").write_text("file,group\n" + "".join(f"{n}.jpg,g{n // 3}\n" for n in range(9)))
    chosen = [int(row.file[0]) for row in planted.real_originals(tmp_path, tmp_path / "groups.csv", 99, 0)]
    assert sorted(number // 3 for number in chosen) == [0, 1, 2]
    assert len(planted.real_originals(tmp_path, None, 4, 0)) == 4


def test_copies_of_phantoms_are_found(capsys):
    code = planted.main(["--phantoms", "10", "--copies", "1", "--jobs", "1", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code == 0
    shares = {share["name"]: share for share in told["shares"]}
    assert [shares[name]["n"] for name in planted.KINDS] == [1] * 10
    assert shares["recall, all that are judged"]["found"] == 8
    assert shares["precision of joined pairs"]["value"] == 1.0
    assert shares["precision of joined pairs"]["n"] >= 8
    assert 0.6 < shares["recall, all that are judged"]["low"] < 0.7
