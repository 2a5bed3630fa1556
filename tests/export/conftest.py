from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from poxlens.data.phantom import draw, random_spec
from poxlens.export.eight_bits import rounded
from poxlens.export.folding import convolutions, folded, mend_dead_channels
from poxlens.export.tail import Head
from poxlens.train.backbones import Backbone
from poxlens.train.networks.spec import IMAGENET, Network
from poxlens.train.novelty import Subspace
from poxlens.train.weights import Weights

SIDE, CHANNELS, CLASSES = 64, 24, 3


class Small(nn.Module):
    """Five halvings, a depthwise convolution and a sum: what mobile networks are made of. Its last map is 2 x 2."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = self._step(3, 8, 2)
        self.wide = nn.Sequential(self._step(8, 16, 2, 1), self._step(16, 16, 2, 16), self._step(16, 16, 2))
        self.same = self._step(16, 16, 1, 16)
        self.last = self._step(16, CHANNELS, 2)

    @staticmethod
    def _step(inside: int, outside: int, stride: int, groups: int = 1) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(inside, outside, 3, stride, 1, groups=groups, bias=False),
            nn.BatchNorm2d(outside),
            nn.ReLU6(),
        )

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        found = self.wide(self.stem(planes))
        return self.last(found + self.same(found))


class Levelled(nn.Module):
    """A pointwise convolution whose map is read as an earlier level, of a hundred times the range of the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 4, 1), nn.ReLU6())
        self.early = nn.Conv2d(32, 64, 1)
        self.last = nn.Sequential(nn.Conv2d(64, 12, 3, 8, 1), nn.ReLU6())
        with torch.no_grad():
            self.early.weight *= 100
            self.last[0].weight /= 20

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        early = self.early(self.stem(planes))
        return torch.cat([self.last(early), functional.avg_pool2d(early, 8)], 1)


@pytest.fixture
def levelled():
    """A folded network with an earlier level, its pointwise weights on steps of eight bits."""
    torch.manual_seed(3)
    network = Network(
        "levelled", 76, *IMAGENET, Weights("l.pth", None, "none"), lambda state: None, levels=64
    )
    made = folded(Backbone([network], [Levelled()]), SIDE)
    with torch.no_grad():
        for one in convolutions(made).values():
            if one.kernel_size == (1, 1):
                one.weight.copy_(rounded(one.weight))
    return made


@pytest.fixture(scope="session")
def wide_parts():
    """Head and novelty for the levelled network."""
    rng = np.random.default_rng(2)
    weight, bias = rng.normal(0, 0.1, (76, CLASSES)), rng.normal(0, 0.1, CLASSES)
    head = Head(((weight.astype(np.float32), bias.astype(np.float32)),))
    return head, Subspace.fit(rng.gamma(2.0, 0.5, (90, 76)).astype(np.float32), 5)


def small_backbone(seed: int = 0, dead: int = 2, scaling=IMAGENET) -> Backbone:
    """The small network with random weights and statistics, and channels without weight in its first layer."""
    torch.manual_seed(seed)
    module = Small()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.3, 1.5)
            part.weight.data.uniform_(0.5, 1.5)
            part.bias.data.normal_(0.2, 0.3)
    if dead:
        module.stem[0].weight.data[:dead] = 0.0
    network = Network("small", CHANNELS, *scaling, Weights("small.pth", None, "none"), lambda state: Small())
    return Backbone([network], [module])


@pytest.fixture
def backbone():
    return small_backbone()


@pytest.fixture
def network(backbone):
    """Folded and mended; a test may change it."""
    made = folded(backbone, SIDE)
    mend_dead_channels(made)
    return made


@pytest.fixture(scope="session")
def images():
    """32 phantoms."""
    return np.stack([draw(random_spec(seed, size=SIDE)).image for seed in range(32)])


@pytest.fixture(scope="session")
def heads():
    """Heads of one, two and three layers."""
    rng = np.random.default_rng(0)

    def layer(inside, outside):
        return (
            rng.normal(0, 0.4, (inside, outside)).astype(np.float32),
            rng.normal(0, 0.1, outside).astype(np.float32),
        )

    return {
        depth: Head(tuple(layer(*sizes) for sizes in pairwise(shape)))
        for depth, shape in {
            1: (CHANNELS, CLASSES),
            2: (CHANNELS, 16, CLASSES),
            3: (CHANNELS, 16, 12, CLASSES),
        }.items()
    }


@pytest.fixture(scope="session")
def subspace():
    rng = np.random.default_rng(1)
    return Subspace.fit(rng.gamma(2.0, 0.5, (40, CHANNELS)).astype(np.float32), 5)
