"""What a study would take: counts are exact, memory grows with batch and side, what is not there is skipped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poxlens.recipes.aism import plan as planning
from poxlens.recipes.aism.plan import memory_gib, plan
from poxlens.recipes.aism.study import study_of
from poxlens.recipes.default import Where
from poxlens.train.supervised.classifier import classifier
from poxlens.train.supervised.settings import MODERN


def test_counts(study, photos, tmp_path):
    found = plan(study, Where(tmp_path / "out"), tmp_path, "cpu")
    assert (sum(found.images.values()), found.groups, found.folds) == (36, 18, 3)
    small, other = found.lines
    assert (small.trainings, other.trainings) == (6, 3)
    assert other.images == round(3 * 36 * (2 / 3) * 0.7)
    assert small.images == round(3 * 36 * (2 / 3) * 0.7 * 1.5)  # half the images once more
    assert small.parameters == other.parameters > 900_000
    assert found.seconds == pytest.approx(small.seconds + other.seconds)
    assert found.seconds > 0
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_done_is_skipped_and_said(entries, photos, tmp_path, monkeypatch):
    arm = entries()["arms"][0]
    arms = [
        {**arm, "name": "published", "network": "vgg19", "start": "imagenet"},
        {**arm, "name": "pretrained", "start": "runs/none"},
        {**arm, "name": "narrow", "network": "vit-b-16", "side": 100},
        arm,
    ]
    monkeypatch.setattr(planning, "available_gib", lambda device: 0.1)
    found = plan(study_of(entries(arms=arms, pairs=[]), "x"), Where(tmp_path / "out"), tmp_path, "cpu")
    why = {line.arm: line.skipped for line in found.lines}
    assert "published weights vgg19" in why["published"]
    assert "poxlens pretrain simclr" in why["pretrained"]
    assert "the nearest side is 96 px" in why["narrow"]
    assert why["small"].startswith("needs about")
    assert found.seconds == 0
    assert found.to_json()["lines"][0]["seconds"] is None


def test_memory_grows_with_the_batch_and_the_side():
    network = classifier("mobilenet-v3-small", "random", 3, side=32, dropout=0.0, seed=0)
    small = memory_gib(network, 32, replace(MODERN, batch=8))
    weights = planning._WORKER_GIB + 24 * sum(one.numel() for one in network.parameters()) / 2**30
    batch = memory_gib(network, 32, replace(MODERN, batch=16))
    assert batch - weights == pytest.approx(2 * (small - weights))
    assert memory_gib(network, 64, replace(MODERN, batch=8)) - weights > 3 * (small - weights)
    assert memory_gib(network, 32, replace(MODERN, batch=8, precision="bf16")) - weights == pytest.approx(
        (small - weights) / 2
    )
