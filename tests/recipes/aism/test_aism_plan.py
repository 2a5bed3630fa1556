"""What a study would take: counts are exact, memory grows with batch and side, what is not there is skipped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from poxlens.recipes.aism import plan as planning
from poxlens.recipes.aism.leak import deal
from poxlens.recipes.aism.plan import memory_gib, plan, step_seconds
from poxlens.recipes.aism.study import study_of
from poxlens.recipes.default import Where
from poxlens.train.supervised.classifier import classifier
from poxlens.train.supervised.settings import MODERN
from poxlens.train.supervised.stepping import Stepper


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
    assert small.seconds / small.images == other.seconds / other.images  # measured once for both
    assert (small.part, small.download) == (0, "")
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
    monkeypatch.setattr(planning, "step_seconds", lambda *arguments: pytest.fail("nothing here is measured"))
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


def test_what_would_be_downloaded_is_named(entries, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "step_seconds", lambda *arguments: (2.0, 0))
    arms = [{**entries()["arms"][0], "network": "vgg19", "start": "imagenet", "shares": [1.0]}]
    asked = study_of(entries(arms=arms, pairs=[]), "x")
    (line,) = plan(asked, Where(tmp_path / "out", downloads=tmp_path / "none"), tmp_path, "cpu").lines
    assert (line.skipped, line.download) == ("", "vgg19-dcbb9e9d.pth")
    assert line.seconds == 2.0 * line.images
    assert not (tmp_path / "none").exists()


def test_only_the_arms_that_are_asked_for(study, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "step_seconds", lambda *arguments: (1.0, 0))
    found = plan(study, Where(tmp_path / "out"), tmp_path, "cpu", arms=["other"])
    assert [line.arm for line in found.lines] == ["other"]
    assert found.seconds == found.lines[0].images


def test_the_leaking_protocol_is_counted(entries, photos, tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "step_seconds", lambda *arguments: (1.0, 0))
    leak = {"arms": ["other"], "copied": ["mpox"], "size": 20}
    recipes = {"tiny": {"epochs": 3, "batch": 8}}
    asked = study_of(entries(leak=leak, recipes=recipes), "x")
    found = plan(asked, Where(tmp_path / "out"), tmp_path, "cpu")
    data = deal(asked.leak, np.repeat([0, 1, 2], 12), ("mpox", "acne", "normal"), 0)
    assert len(data.image) == 20 + 12 + 12
    last = found.lines[-1]
    assert (last.arm, last.trainings, last.images) == ("other, Data_C (leaks)", 1, 3 * len(data.train))
    assert len(plan(asked, Where(tmp_path / "out"), tmp_path, "cpu", leak=False).lines) == 2


def test_a_step_that_memory_holds_in_parts(monkeypatch):
    network = classifier("mobilenet-v3-small", "random", 3, side=32, dropout=0.0, seed=0)
    seconds, part = step_seconds(network, 32, MODERN, "cpu")
    assert (0 < seconds < 60, part) == (True, 0)
    whole = Stepper._gradients

    def full(stepper, rows, seed):
        if stepper.part > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(stepper, rows, seed)

    monkeypatch.setattr(Stepper, "_gradients", full)
    assert step_seconds(network, 32, MODERN, "cpu")[1] == 2


def test_a_step_that_cannot_be_measured_is_told(study, photos, tmp_path, monkeypatch):
    def diverged(stepper, rows, seed):
        return float("nan"), 0.0

    monkeypatch.setattr(Stepper, "_gradients", diverged)
    found = plan(study, Where(tmp_path / "out"), tmp_path, "cpu")
    assert "the loss is no number" in found.lines[0].skipped
