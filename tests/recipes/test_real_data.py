"""The recipe on the real images, and the bundle that comes with the package. No image leaves its folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from poxlens.bundle.store import embedded_path, load
from poxlens.data.manifest import read_manifest
from poxlens.photo.resize import InputRule
from poxlens.recipes.default import LABELS, Recipe, Where, train
from poxlens.recipes.samples import read_samples
from poxlens.screen.decision import Outcome
from poxlens.screen.screener import Screener
from poxlens.train.images import Harmonise

SHARED = Path(__file__).parents[2] / ".." / "shared"
TABLE, WEIGHTS = SHARED / "data" / "manifest.csv", SHARED / "weights"

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def manifest():
    if not TABLE.exists():
        pytest.skip("needs the real images beside the checkout (../shared/data/manifest.csv)")
    return read_manifest(TABLE)


@pytest.fixture(scope="module")
def spread(manifest):
    """Sixty rows, evenly spaced, so of every source."""
    return replace(manifest, rows=manifest.rows[:: len(manifest.rows) // 60][:60])


def embedded():
    if not embedded_path().exists():
        pytest.skip("needs the embedded bundle, which this checkout does not have")
    return load()


def test_every_row_becomes_a_sample_or_is_listed(spread):
    assert len({row.dataset for row in spread.rows}) >= 5
    samples, skipped = read_samples(spread, LABELS, Harmonise(InputRule()), probes={"ham10000": 5})
    assert skipped == []
    known = {row.file for row in spread.rows if row.dataset != "ham10000"}
    assert {sample.row.file for sample in samples if sample.possible} == known
    assert 5 <= sum(not sample.possible for sample in samples) <= 10
    for sample in samples:
        assert sample.image.shape == (224, 224, 3)
        assert set(sample.possible) <= set(LABELS.classes)
        if sample.patch:
            assert sample.row.label == "normal"


def test_every_label_of_the_table_has_a_meaning(manifest):
    unknown = {row.label for row in manifest.rows if row.dataset != "ham10000"} - set(LABELS.meaning)
    assert unknown == set()


@pytest.mark.parametrize("name", ["efficientnet-lite0", "mobilenet-v3-small", "mobilenet-v2"])
def test_weights_are_the_published_ones(name):
    if not WEIGHTS.exists():
        pytest.skip("needs the pretrained weights beside the checkout (../shared/weights)")
    import torch

    from poxlens.train.backbones import NETWORKS, load_backbone

    backbone = load_backbone((name,), [WEIGHTS])
    with torch.inference_mode():
        features = backbone(torch.full((1, 64, 64, 3), 128, dtype=torch.uint8))
    assert features.shape == (1, 2, 2, NETWORKS[name].channels)
    assert torch.isfinite(features).all()


def test_the_embedded_bundle_is_of_this_table(manifest):
    assert embedded().manifest.evidence.data_sha256 == manifest.sha256


def test_the_embedded_bundle_screens_real_photos(spread):
    """Thirty photos of all sources: an outcome with its reasons each, and numbers that are numbers."""
    screener = Screener(embedded())
    photos = [row.path for row in spread.rows[::2]]
    assert len(photos) == 30
    found = dict(screener.screen_many(photos, workers=2))
    assert list(found) == photos
    for decision in found.values():
        assert decision.outcome in Outcome
        assert decision.readable
        assert decision.reasons
        if decision.assessed:
            assert np.isfinite(list(decision.probabilities.values())).all()
            assert sum(decision.probabilities.values()) == pytest.approx(1)
    assert sum(decision.assessed for decision in found.values()) >= 5


@pytest.mark.soak
def test_the_embedded_bundle_is_rebuilt_bit_for_bit(manifest, tmp_path):
    """On the class of machine that made it; half an hour from an empty cache."""
    if not WEIGHTS.exists():
        pytest.skip("needs the pretrained weights beside the checkout (../shared/weights)")
    shipped = embedded()
    bundle = train(manifest, Where(tmp_path, (WEIGHTS,)), Recipe())
    assert bundle.digest == shipped.digest
