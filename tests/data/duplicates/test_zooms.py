"""A small crop meets its photo through a window; what was seen is kept."""

import numpy as np
import pytest
from PIL import Image

from poxlens.data.duplicates import zooms
from poxlens.data.duplicates.zooms import zoom_candidates
from poxlens.data.phantom import draw, random_spec


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Forty-eight phantoms, and three crops of 40-50 % of the sides of the first three."""
    folder = tmp_path_factory.mktemp("zooms")
    crops = {0: (0, 0, 100), 1: (110, 100, 100), 2: (60, 70, 110)}
    for seed in range(48):
        pixels = draw(random_spec(100 + seed, size=224, lesion="crust")).image
        Image.fromarray(pixels).save(folder / f"{seed:02d}.png")
        if seed in crops:
            top, left, side = crops[seed]
            Image.fromarray(pixels[top : top + side, left : left + side]).save(folder / f"crop{seed}.png")
    return folder


@pytest.fixture(scope="module")
def table(folder):
    paths = sorted(folder.glob("*.png"))  # the crops come last
    return list(range(len(paths))), paths, [path.name for path in paths]


def test_a_small_crop_meets_its_photo(table):
    found = {(one.first, one.second): one.similarity for one in zoom_candidates(*table, None, workers=1)}
    for crop in range(3):
        mine = {pair: value for pair, value in found.items() if 48 + crop in pair}
        assert (crop, 48 + crop) in sorted(mine, key=mine.get, reverse=True)[:3]
    assert all(first < second for first, second in found)
    assert all(zooms.LEAST <= value <= 1.001 for value in found.values())


def test_what_was_seen_is_kept(table, tmp_path, monkeypatch):
    told = []
    first = zoom_candidates(*table, tmp_path, workers=2, advance=told.append)
    assert sum(told) == 51
    monkeypatch.setattr(zooms, "_seen", None)  # nothing may be looked at again
    again = zoom_candidates(*table, tmp_path, workers=2)
    assert [(one.first, one.second) for one in again] == [(one.first, one.second) for one in first]


def test_a_damaged_shard_is_seen_again(table, tmp_path):
    first = zoom_candidates(*table, tmp_path, workers=1)
    (shard,) = tmp_path.glob("zooms-*.npz")
    shard.write_bytes(b"damaged")
    assert len(zoom_candidates(*table, tmp_path, workers=1)) == len(first)


def test_files_that_went_away_are_left_out(table, tmp_path):
    rows, paths, sha256 = table
    found = zoom_candidates(
        rows, [paths[0], *[tmp_path / "gone.png"] * 49, paths[48]], sha256, None, workers=1
    )
    assert {(one.first, one.second) for one in found} <= {(0, 50)}
    assert zoom_candidates([0], paths, sha256, None) == []
    assert zoom_candidates([], paths, sha256, None) == []


def test_as_brute_force(monkeypatch):
    """The nearest by the greatest cosine of any window of one and the whole of the other."""
    monkeypatch.setattr(zooms, "_BLOCK", 3)
    monkeypatch.setattr(zooms, "NEIGHBOURS", 2)
    monkeypatch.setattr(zooms, "LEAST", -1.0)
    vectors = np.random.default_rng(0).normal(size=(10, 4, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    for one, other, cosine in zooms._nearest(vectors):
        value = max((vectors[one] @ vectors[other, 0]).max(), (vectors[other] @ vectors[one, 0]).max())
        assert cosine == pytest.approx(value, abs=1e-6)
    pairs = {(one, other) for one, other, _ in zooms._nearest(vectors)}
    assert len(pairs) == 20
