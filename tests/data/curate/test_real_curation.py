"""Curation of real photos. No image leaves its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poxlens.data.curate.run import curate
from poxlens.data.manifest import read_manifest

TABLE = Path(__file__).parents[3] / ".." / "shared" / "data" / "manifest.csv"

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def manifest():
    if not TABLE.exists():
        pytest.skip("needs the real images beside the checkout (../shared/data/manifest.csv)")
    return read_manifest(TABLE)


def some(manifest, dataset, count):
    rows = [row for row in manifest.rows if row.dataset == dataset]
    return replace(manifest, rows=tuple(rows[:: len(rows) // count][:count]))


def test_crops_keep_clear_of_the_watermark_nobody_told_of(manifest, tmp_path):
    """DermNet NZ prints its logo at the lower left of nearly every photo."""
    found = curate(some(manifest, "dermnet", 60), tmp_path, least_side=224)
    crops = [one for one in found.proposals if one.box is not None]
    assert len(crops) >= 20
    over = [
        one.file
        for one in crops
        if one.box[0] < 0.17 * one.width and one.box[1] + one.box[2] > 0.8 * one.height
    ]
    assert len(over) <= 1
    noted = sum("watermark or caption avoided" in one.notes for one in found.proposals)
    assert noted >= 40


def test_studio_photos_of_whole_people_give_few_crops_and_close_ups_many(manifest, tmp_path):
    rows = [row for row in manifest.rows if row.dataset == "msid"]
    shares = {}
    for label in ("normal", "measles"):
        chosen = replace(manifest, rows=tuple(row for row in rows if row.label == label)[::3][:30])
        found = curate(chosen, tmp_path / label, least_side=96)
        shares[label] = sum(one.box is not None for one in found.proposals) / 30
    assert shares["normal"] < 0.3 < shares["measles"]
