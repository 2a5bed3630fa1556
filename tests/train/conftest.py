from __future__ import annotations

import numpy as np
import pytest

from poxlens.data.phantom import draw, random_spec
from poxlens.train.backbones import load_backbone
from poxlens.train.stored import store_backbone

SIDE = 128


@pytest.fixture(scope="session")
def lite0():
    """EfficientNet-Lite0 with the weights of its package, as a torch module."""
    return load_backbone(("efficientnet-lite0",))


@pytest.fixture(scope="session")
def stored(lite0):
    """The same for 128 px, stored."""
    return store_backbone(lite0, side=SIDE)


@pytest.fixture(scope="session")
def images():
    """Eight phantoms, [8, 128, 128, 3] uint8."""
    return np.stack([draw(random_spec(seed, size=SIDE)).image for seed in range(8)])
