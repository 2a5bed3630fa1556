from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from poxlens.data.phantom import draw, random_spec
from poxlens.train.backbones import Backbone
from poxlens.train.networks.spec import IMAGENET, Network
from poxlens.train.weights import Weights


def _tiny(norm: bool) -> nn.Module:
    layers = [
        nn.Conv2d(3, 8, 3, 2, 1),
        *([nn.BatchNorm2d(8)] if norm else []),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, 2, 1),
    ]
    return nn.Sequential(*layers)


@pytest.fixture(scope="session")
def tiny_encoder():
    """Makes a network of two layers, with batch normalisation or without, from a seed."""

    def make(seed: int = 0, *, norm: bool = True) -> Backbone:
        spec = Network("tiny", 12, *IMAGENET, Weights("none", None, "none"), lambda state: _tiny(norm))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Backbone([spec], [spec.build(None)])

    return make


@pytest.fixture(scope="session")
def pictures():
    """Twenty phantoms, [20, 40, 40, 3] uint8."""
    return np.stack([draw(random_spec(seed, size=40)).image for seed in range(20)])
