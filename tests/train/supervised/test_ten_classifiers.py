"""Each of the ten classifiers of Mpox-AISM makes one full training step, at the smallest side that it takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from poxlens.errors import WeightsError
from poxlens.train.contrastive.encoder import EncoderRecord, save_encoder
from poxlens.train.networks.registry import AISM, find_network
from poxlens.train.supervised.classifier import classifier
from poxlens.train.supervised.settings import PAPER
from poxlens.train.supervised.training import Labelled, Training

CLASSES = 8


def smallest(name):
    network = find_network(name)
    return max(32, network.least, network.multiple)


@pytest.mark.parametrize("name", AISM)
def test_one_step(name, tmp_path):
    side = smallest(name)
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3)).astype(np.uint8)
    data = Labelled(images, np.array([0, 7]))
    network = classifier(name, "random", CLASSES, side=side, dropout=0.0, seed=0)
    watched = {part: next(iter(getattr(network, part).parameters())) for part in ("backbone", "head")}
    before = {part: value.detach().clone() for part, value in watched.items()}
    training = Training(network, data, data, replace(PAPER, epochs=1, batch=2), tmp_path / "c.pt", seed=0)
    loss, _, count = training.stepper.step(np.arange(2), 0.01, 0)
    assert count == 2
    assert 0 < loss / 2 < 20
    for part, value in watched.items():
        assert value.grad is not None
        assert not torch.equal(value.detach(), before[part]), part


def test_starts(tmp_path):
    name = "mobilenet-v3-small"
    made = {seed: classifier(name, "random", CLASSES, side=32, dropout=0.0, seed=seed) for seed in (0, 1)}
    first = [next(iter(one.parameters())).detach() for one in made.values()]
    assert not torch.equal(*first)
    again = classifier(name, "random", CLASSES, side=32, dropout=0.0, seed=0)
    assert torch.equal(next(iter(again.parameters())), first[0])
    record = EncoderRecord(name, "simclr", "random", 32, 1, 4, "0" * 64, 0)
    save_encoder(tmp_path, made[1].backbone.parts[0], record)
    loaded = classifier(name, tmp_path, CLASSES, side=32, dropout=0.0, seed=0)
    assert torch.equal(next(iter(loaded.parameters())), first[1])
    assert torch.equal(loaded.head[-1].weight, made[0].head[-1].weight)
    with pytest.raises(WeightsError, match="not of efficientnet-lite0"):
        classifier("efficientnet-lite0", tmp_path, CLASSES, side=32, dropout=0.0, seed=0)
    with pytest.raises(WeightsError, match="takes no images of 16 px"):
        classifier(name, "random", CLASSES, side=16, dropout=0.0, seed=0)
