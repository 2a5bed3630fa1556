"""Heads on features."""

from __future__ import annotations

import numpy as np

from poxlens.recipes.leak.heads import HEADS, Reduction
from poxlens.recipes.leak.protocols import Units, folds_of

COPIES, FOLDS = 3, 4  # of the plan in conftest


def test_what_can_be_learnt_is_learnt_honestly(collection):
    rng = np.random.default_rng(0)
    made = collection(120, 2)
    features = rng.normal(size=(120, COPIES + 1, 4)).astype(np.float32)
    features[..., 0] += 6 * made.label[:, None]
    for head in HEADS:
        fold = next(folds_of(made, "grouped", COPIES, FOLDS, 0))
        flat = features.reshape(-1, 4)
        label = made.label[Units.of(made, COPIES).image]
        reduce = Reduction(flat[fold.train])
        train, test = reduce(flat[fold.train]), reduce(flat[fold.test])
        shares = HEADS[head][0](train, label[fold.train], np.ones(len(train), np.float32), test, 2)
        assert np.allclose(shares.sum(1), 1, atol=1e-5)
        assert (shares.argmax(1) == label[fold.test]).mean() > 0.85


def test_three_classes_have_a_column_each():
    rng = np.random.default_rng(0)
    label = np.arange(90) % 3
    train = (np.eye(3)[label] * 8 + rng.normal(size=(90, 3))).astype(np.float32)
    for head in HEADS:
        shares = HEADS[head][0](train, label, np.ones(90, np.float32), train[:30], 3)
        assert shares.shape == (30, 3)
        assert (shares.argmax(1) == label[:30]).all()


def test_the_nearest_neighbour_is_the_one_of_cosine():
    train = np.array([[1, 0], [0, 9], [0.5, 0.5]], np.float32)
    test = np.array([[5, 0.1], [0.1, 1], [3, 2.9]], np.float32)
    shares = HEADS["1-nn"][0](train, np.array([0, 1, 2]), np.ones(3, np.float32), test, 3)
    assert shares.argmax(1).tolist() == [0, 1, 2]


def test_the_reduction_keeps_distances_when_it_keeps_all_directions():
    rows = np.random.default_rng(0).normal(size=(50, 6)).astype(np.float32)
    reduce = Reduction(rows)
    standard = (rows - rows.mean(0)) / rows.std(0)
    assert np.allclose(
        np.linalg.norm(reduce(rows)[0] - reduce(rows)[1:], axis=1),
        np.linalg.norm(standard[0] - standard[1:], axis=1),
        atol=1e-4,
    )
    assert Reduction(rows, 2)(rows).shape == (50, 2)
    variances = reduce(rows).var(0)
    assert (np.diff(variances) <= 1e-6).all()
