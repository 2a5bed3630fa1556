"""A tiny network and images that it can learn to tell apart, so that a whole training takes a second."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from poxlens.train.finetuning import FinetunedNetwork
from poxlens.train.supervised.settings import MODERN
from poxlens.train.supervised.training import Labelled, Training

SIDE, CLASSES = 16, 3


class TinyBackbone(nn.Module):
    """One convolution with batch normalisation; `both` as a backbone has it."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU())

    def both(self, image):
        maps = self.layer(image.permute(0, 3, 1, 2).float() / 255)
        return maps.permute(0, 2, 3, 1), maps.mean((2, 3))


def tiny(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return FinetunedNetwork(TinyBackbone(), 8, CLASSES, 0.1)


def tinted(count, seed):
    """Noise whose strongest colour is the class."""
    random = np.random.default_rng(seed)
    truth = np.arange(count) % CLASSES
    images = random.integers(0, 150, (count, SIDE, SIDE, 3))
    images[np.arange(count), :, :, truth] += 80
    return Labelled(images.astype(np.uint8), truth.astype(np.int64))


@pytest.fixture
def begin(tmp_path):
    """A function: settings to change, and arguments of Training -> a training of 30 images."""

    def make(*, folder="a", hooks=None, network=None, seed=0, every=60.0, **changes):
        settings = replace(MODERN, epochs=4, batch=8, rate=0.01, patience=0, **changes)
        return Training(
            network or tiny(),
            tinted(30, 1),
            tinted(12, 2),
            settings,
            tmp_path / folder / "checkpoint.pt",
            seed=seed,
            every=every,
            hooks=hooks,
        )

    return make


@pytest.fixture
def tinted_images():
    """A function: number, seed -> labelled images."""
    return tinted


@pytest.fixture
def tiny_network():
    """A function: seed -> a network."""
    return tiny
