from __future__ import annotations

import numpy as np
import pytest

from poxlens.data.phantom import draw, random_spec
from poxlens.screen.screener import Screener


@pytest.fixture(scope="session")
def phantoms(tiny):
    """PNG bytes of eight phantoms."""
    return [tiny.png(draw(random_spec(seed)).image) for seed in range(8)]


@pytest.fixture(scope="session")
def screener(tiny_path):
    return Screener(tiny_path)


@pytest.fixture(scope="session")
def grey(tiny):
    """PNG bytes of a sharp photo without skin."""
    noise = np.random.default_rng(3).integers(60, 200, (300, 300, 1), np.uint8)
    return tiny.png(np.repeat(noise, 3, axis=2))
