"""Nearest neighbours: all with all against a plain sort, by cells against all with all."""

import numpy as np
import pytest

from poxlens.data import neighbours as module
from poxlens.data.neighbours import neighbours


def unit(values):
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def cloud(count, size, planted, seed=0):
    """Random unit vectors; the first `planted` have a near copy at the end."""
    rng = np.random.default_rng(seed)
    base = unit(rng.normal(size=(count - planted, size)))
    return np.concatenate(
        [base, unit(base[:planted] + 0.1 * rng.normal(size=(planted, size)) / np.sqrt(size) * 4)]
    )


def test_all_pairs_above_the_limit_are_there_once():
    vectors = cloud(300, 16, 20)
    first, second, cosine = neighbours(vectors, most=300, least=0.5)
    every = vectors @ vectors.T
    expected = {(i, j) for i in range(300) for j in range(i + 1, 300) if every[i, j] >= 0.5}
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == expected
    assert len(first) == len(expected) >= 20
    np.testing.assert_allclose(cosine, every[first, second], atol=1e-6)


def test_no_more_than_the_nearest_are_taken():
    vectors = unit(np.ones((50, 8)) + 0.5 * np.random.default_rng(0).normal(size=(50, 8)))
    first, second, _ = neighbours(vectors, most=3, least=0.0)
    every = vectors @ vectors.T - 2 * np.eye(50)
    nearest = {tuple(sorted((i, int(j)))) for i in range(50) for j in np.argsort(-every[i])[:3]}
    found = set(zip(first.tolist(), second.tolist(), strict=True))
    assert len(found ^ nearest) <= 2  # ties in the last bit


def test_by_cells_planted_copies_are_found(monkeypatch):
    vectors = cloud(6000, 32, 300)
    monkeypatch.setattr(module, "EXACT", 1000)
    first, second, _ = neighbours(vectors, most=5, least=0.7)
    found = set(zip(first.tolist(), second.tolist(), strict=True))
    planted = {(k, 5700 + k) for k in range(300)}
    assert len(planted & found) / 300 >= 0.99


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_for_a_pair(count):
    first, second, cosine = neighbours(np.ones((count, 4), np.float32) / 2, most=3, least=0.5)
    assert len(first) == len(second) == len(cosine) == 0
