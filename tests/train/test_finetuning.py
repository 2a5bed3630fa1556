from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from poxlens.errors import TrainingError
from poxlens.train.finetuning import FinetuneSettings, fine_tune

SETTINGS = FinetuneSettings(learning_rate=1e-2, epochs=25, batch=8, dropout=0.0)


class Small(nn.Module):
    """Features [N, S / 4, S / 4, 6] and embedding [N, 6], frozen as a backbone comes."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, 6, 4, stride=4), nn.BatchNorm2d(6), nn.ReLU())
        self.eval().requires_grad_(False)

    def both(self, image):
        maps = self.net(image.permute(0, 3, 1, 2).float() / 255)
        return maps.permute(0, 2, 3, 1), maps.mean((2, 3))


def small():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Small()


@pytest.fixture
def tints():
    random = np.random.default_rng(0)
    truth = np.arange(33) % 2
    images = np.clip(
        random.normal(120, 30, (33, 16, 16, 3)) + 25 * (truth[:, None, None, None] * 2 - 1), 0, 255
    )
    return images.astype(np.uint8), truth


def test_every_layer_learns_and_the_best_epoch_is_kept(tints):
    images, truth = tints
    backbone = small()
    before = backbone.net[0].weight.clone()
    found = fine_tune(backbone, images[:25], truth[:25], images[25:], truth[25:], 2, SETTINGS, seed=0)
    assert not torch.equal(backbone.net[0].weight, before)
    p = found.probabilities(images[25:])
    assert (p.argmax(1) == truth[25:]).mean() == found.accuracy == 1
    assert found.loss == pytest.approx(-np.log(p[np.arange(8), truth[25:]]).mean(), abs=1e-6)


def test_the_same_seed_gives_the_same_bits(tints):
    images, truth = tints
    one, same, other = (
        fine_tune(
            small(), images[:25], truth[:25], images[25:], truth[25:], 2, SETTINGS, seed=seed
        ).probabilities(images)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_images_are_mirrored_in_a_copy(tints):
    images, truth = tints
    before = images.copy()
    fine_tune(small(), images, truth, images[:4], truth[:4], 2, SETTINGS, seed=0)
    assert np.array_equal(images, before)


def test_a_learning_rate_that_diverges_is_told(tints):
    images, truth = tints
    with pytest.raises(TrainingError, match="diverged: lower the learning rate of 1e"):
        fine_tune(small(), images, truth, images, truth, 2, FinetuneSettings(1e30, 3, 8, 0.0), seed=0)
