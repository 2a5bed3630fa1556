from __future__ import annotations

import numpy as np
import pytest

from poxlens.data.phantom import draw, random_spec
from poxlens.train.backbones import load_backbone

SIDE, CLASSES = 96, 4


@pytest.fixture(scope="session")
def lite0():
    return load_backbone(("efficientnet-lite0",))


@pytest.fixture(scope="session")
def photos():
    """Four phantoms, [4, 96, 96, 3] uint8."""
    return np.stack([draw(random_spec(seed, size=SIDE)).image for seed in range(40, 44)])
