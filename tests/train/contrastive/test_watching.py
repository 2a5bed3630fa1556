from __future__ import annotations

import numpy as np
import pytest
import torch

from poxlens.train.contrastive.watching import Monitor, nearest


def test_neighbours_of_other_groups_vote():
    angles = torch.tensor([0.0, 0.1, 0.2, 1.5, 1.6, 1.7])
    points = torch.stack([angles.cos(), angles.sin()], 1)
    label = np.array([0, 0, 0, 1, 1, 1])
    assert nearest(points, label, np.arange(6), 2).tolist() == label.tolist()
    # Each is alone with those of its group: only the other class is left to vote.
    assert nearest(points, label, label, 2).tolist() == [1, 1, 1, 0, 0, 0]


def test_near_votes_outweigh_many_far_ones():
    angles = torch.tensor([0.0, 0.05, *np.linspace(1.0, 1.2, 15)], dtype=torch.float32)
    points = torch.stack([angles.cos(), angles.sin()], 1)
    label = np.array([0, 0, *[1] * 15])
    assert nearest(points, label, np.arange(17), 2)[:2].tolist() == [0, 0]


def test_the_monitor_counts_accuracy_and_recall(tiny_encoder):
    """Ten red and two blue images: told apart by any network, as their embeddings differ."""
    colours = np.zeros((12, 40, 40, 3), np.uint8)
    colours[:10, ..., 0], colours[10:, ..., 2] = 200, 200
    colours += np.random.default_rng(0).integers(0, 8, colours.shape, np.uint8)
    labels = ["red"] * 10 + ["blue"] * 2
    encoder = tiny_encoder()
    with torch.no_grad():
        found = Monitor(colours, labels, [str(n) for n in range(12)], 32)(encoder)
        assert found["knn_accuracy"] == found["knn_mean_recall"] == 1.0
        assert 0 < found["embedding_spread"] < 1.5
        wrong = Monitor(colours, ["blue", *labels[1:]], [str(n) for n in range(12)], 32)(encoder)
    assert wrong["knn_accuracy"] == pytest.approx(11 / 12)
    assert wrong["knn_mean_recall"] == pytest.approx((1 + 2 / 3) / 2)
