"""The novelty score against scikit-learn's PCA."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from poxlens.train.novelty import Subspace


def features(count, size, seed=0):
    rng = np.random.default_rng(seed)
    inside = rng.normal(size=(count, 5)) @ rng.normal(size=(5, size)) * 3
    return (inside + rng.normal(size=(count, size)) + rng.normal(size=size) * 4).astype(np.float32)


@pytest.mark.parametrize(("count", "size", "k"), [(50, 80, 10), (60, 12, 5), (40, 40, 39)])
def test_equals_the_residual_of_pca(count, size, k):
    known, fresh = features(count, size), features(30, size, seed=1)
    mean, scale = known.mean(0), known.std(0)
    pca = PCA(k, svd_solver="full").fit((known - mean) / scale)
    standard = (fresh - mean) / scale
    residual = standard - pca.inverse_transform(pca.transform(standard))
    expected = (residual**2).sum(1) / (standard**2).sum(1)
    found = Subspace.fit(known, k).score(fresh)
    assert found.dtype == np.float32
    assert found == pytest.approx(expected, abs=2e-4)


def test_directions_are_orthonormal_and_signed():
    found = Subspace.fit(features(50, 80), 20).directions
    assert np.abs(found.T @ found - np.eye(20)).max() < 1e-4
    assert (found[np.abs(found).argmax(0), np.arange(20)] > 0).all()


def test_unlike_scores_higher():
    """What the training set spans scores near 0, what it does not near 1."""
    rng = np.random.default_rng(2)
    basis = np.linalg.qr(rng.normal(size=(60, 6)))[0]
    known = (rng.normal(size=(80, 6)) @ basis.T).astype(np.float32)
    subspace = Subspace.fit(known, 6)
    inside = (rng.normal(size=(20, 6)) @ basis.T).astype(np.float32)
    outside = rng.normal(size=(20, 60)).astype(np.float32) * subspace.scale
    assert subspace.score(inside).max() < 1e-3
    assert subspace.score(outside).min() > 0.6


@settings(max_examples=50, deadline=None)
@given(st.integers(3, 30), st.integers(2, 40), st.integers(1, 64), st.integers(0, 1000))
def test_the_score_is_a_share(count, size, k, seed):
    known = np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)
    subspace = Subspace.fit(known, k)
    assert subspace.directions.shape == (size, min(k, count - 1, size))
    score = subspace.score(np.random.default_rng(seed + 1).normal(size=(9, size)).astype(np.float32) * 5)
    assert np.isfinite(score).all()
    assert score.min() > -1e-3
    assert score.max() < 1 + 1e-3


def test_more_directions_explain_more():
    known, fresh = features(60, 40), features(20, 40, seed=3)
    scores = [Subspace.fit(known, k).score(fresh) for k in (1, 5, 20)]
    assert (scores[0] >= scores[1] - 1e-5).all()
    assert (scores[1] >= scores[2] - 1e-5).all()


def test_the_same_bits_twice():
    one, two = (Subspace.fit(features(50, 80), 16) for _ in range(2))
    assert one.directions.tobytes() == two.directions.tobytes()


def test_the_mean_of_the_training_set_is_not_a_division_by_zero():
    known = features(30, 10)
    subspace = Subspace.fit(known, 4)
    assert subspace.score(subspace.mean[None]) == pytest.approx(1.0)
