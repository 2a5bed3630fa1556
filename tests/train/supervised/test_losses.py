"""Class weights and mixing, against hand-computed numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from poxlens.train.supervised.losses import Mixer, class_weights, criterion
from poxlens.train.supervised.settings import MODERN, PAPER


def test_weights_of_classes():
    truth = np.array([0] * 6 + [1] * 2)
    assert class_weights(truth, 2, 0.0).tolist() == [1, 1]
    assert class_weights(truth, 2, 1.0).tolist() == pytest.approx([8 / 12, 2.0])
    half = class_weights(truth, 2, 0.5)
    assert float(half[1] / half[0]) == pytest.approx(3**0.5)
    assert float((half * torch.tensor([6, 2])).sum()) == pytest.approx(8)
    assert class_weights(truth, 3, 1.0)[2] == pytest.approx(4.0)  # as if it had one image


def test_the_paper_s_loss_is_plain_cross_entropy():
    logits, truth = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0])
    target = torch.nn.functional.one_hot(truth, 2).float()
    found = criterion(truth.numpy(), 2, PAPER)(logits, target)
    expected = (np.log1p(np.exp(-2)) + np.log1p(np.exp(1))) / 2
    assert float(found) == pytest.approx(expected)


def test_mixing_draws_shares_of_two_classes():
    mixer = Mixer(replace(MODERN, mixed=1.0), 4)
    images, truth = torch.rand(16, 3, 8, 8), torch.arange(16) % 4
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mixed, targets = mixer(images, truth)
    assert targets.shape == (16, 4)
    assert torch.allclose(targets.sum(1), torch.ones(16))
    assert not torch.equal(mixed, images)
    assert bool(((targets > 0) & (targets < 1)).any())


def test_without_mixing_targets_are_the_classes():
    images, truth = torch.rand(4, 3, 8, 8), torch.tensor([2, 0, 1, 2])
    same, targets = Mixer(replace(MODERN, mixed=0.0), 3)(images, truth)
    assert same is images
    assert targets.argmax(1).tolist() == [2, 0, 1, 2]


def test_the_rate_rises_and_falls():
    settings = replace(MODERN, rate=1.0, warmup=0.1)
    rates = [settings.rate_at(step, 100) for step in range(100)]
    assert rates[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert rates[10] == pytest.approx(1.0)
    assert rates[55] == pytest.approx(0.5)
    assert 0 < rates[-1] < 0.001
    assert [PAPER.rate_at(step, 100) for step in (0, 50, 99)] == [0.01] * 3
