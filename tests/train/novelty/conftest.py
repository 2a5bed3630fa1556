from __future__ import annotations

import numpy as np
import pytest

from poxlens.train.novelty.seen import Known, Seen

SIZE, CLASSES = 12, 4


def clouds(count, seed, spread=1.0):
    """Embeddings of four classes, above zero as pooled activations are, and their class numbers."""
    random = np.random.default_rng(seed)
    truth = np.arange(count) % CLASSES
    middles = np.random.default_rng(9).gamma(2.0, 2.0, (CLASSES, SIZE))
    return (middles[truth] + spread * random.normal(size=(count, SIZE))).astype(np.float32), truth


@pytest.fixture(scope="session")
def head():
    random = np.random.default_rng(3)
    return random.normal(size=(SIZE, CLASSES)).astype(np.float32), random.normal(size=CLASSES).astype(
        np.float32
    )


@pytest.fixture(scope="session")
def known(head):
    features, truth = clouds(200, 0)
    weight, bias = head
    patches = np.random.default_rng(1).normal(size=(200, 6, 5)).astype(np.float32)
    outliers = Seen(np.random.default_rng(2).gamma(2.0, 6.0, (60, SIZE)).astype(np.float32))
    return Known(Seen(features, features @ weight + bias, patches), truth, weight, bias, outliers)


@pytest.fixture(scope="session")
def tested(head):
    features, _ = clouds(80, 5, spread=2.0)
    weight, bias = head
    patches = np.random.default_rng(6).normal(0, 2, (80, 6, 5)).astype(np.float32)
    return Seen(features, features @ weight + bias, patches)
