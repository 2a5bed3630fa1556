from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from poxlens.train.dense import DenseSettings, DenseTraining, parameters

SETTINGS = DenseSettings(1e-3, (32, 16), (0.1, 0.0))


@pytest.fixture
def clouds():
    """Two classes of 60 points in 8 dimensions, with an offset and scales that differ."""
    random = np.random.default_rng(0)
    truth = np.arange(60) % 2
    points = random.normal(size=(60, 8)) + 3 * (truth[:, None] - 0.5)
    return (points * np.linspace(1, 50, 8) + 100).astype(np.float32), truth


def test_it_learns(clouds):
    features, truth = clouds
    training = DenseTraining(SETTINGS, features, 2, 0)
    for _ in range(30):
        training.epoch(features, truth)
    p = training.probabilities(features)
    assert p.shape == (60, 2)
    assert np.allclose(p.sum(1), 1, atol=1e-6)
    assert (p.argmax(1) == truth).mean() == 1


def test_the_same_seed_gives_the_same_bits(clouds):
    features, truth = clouds
    found = []
    for seed in (5, 5, 6):
        training = DenseTraining(SETTINGS, features, 2, seed)
        training.epoch(features, truth)
        training.epoch(features, truth)
        found.append(training.probabilities(features))
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_the_global_generator_is_left_alone(clouds):
    features, truth = clouds
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    DenseTraining(SETTINGS, features, 2, 1).epoch(features, truth)
    assert torch.equal(torch.rand(3), expected)


def test_one_step_is_adams_on_standardised_features(clouds):
    features, truth = clouds
    settings = DenseSettings(1e-3, (4,), (0.0,))
    training = DenseTraining(settings, features, 2, 3, batch=60)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Dropout(0.0), nn.Linear(4, 2))
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    inputs = torch.from_numpy((features - features.mean(0)) / features.std(0))
    nn.functional.cross_entropy(network(inputs), torch.from_numpy(truth)).backward()
    optimizer.step()
    training.epoch(features, truth)
    expected = network(inputs).softmax(1).detach().numpy()
    assert np.allclose(training.probabilities(features), expected, atol=1e-5)


def test_class_weights_move_the_decisions(clouds):
    features, _ = clouds
    truth = (np.arange(60) < 6).astype(np.int64)  # rare, and nothing to tell it by
    shares = []
    for weights in (None, (0.1, 10.0)):
        training = DenseTraining(SETTINGS, features, 2, 0, class_weights=weights)
        for _ in range(5):
            training.epoch(features, truth)
        shares.append(training.probabilities(features)[:, 1].mean())
    assert shares[0] < 0.5 < shares[1]


def test_a_state_is_a_copy_to_come_back_to(clouds):
    features, truth = clouds
    training = DenseTraining(SETTINGS, features, 2, 0)
    training.epoch(features, truth)
    state, before = training.state(), training.probabilities(features)
    training.epoch(features, truth)
    assert not np.array_equal(training.probabilities(features), before)
    training.slim()
    training.restore(state)
    assert np.array_equal(training.probabilities(features), before)


def test_a_constant_feature_does_no_harm(clouds):
    features, truth = clouds
    features[:, 0] = 7
    training = DenseTraining(SETTINGS, features, 2, 0)
    training.epoch(features, truth)
    assert np.isfinite(training.probabilities(features)).all()


@pytest.mark.parametrize(("units", "dropout"), [((), ()), ((8, 8), (0.1,))])
def test_layers_and_dropout_must_go_together(clouds, units, dropout):
    with pytest.raises(ValueError, match="hidden layers with"):
        DenseTraining(DenseSettings(1e-3, units, dropout), clouds[0], 2, 0)


def test_the_number_of_weights():
    # 8 * 32 + 32, 32 * 16 + 16, 16 * 2 + 2
    assert parameters(SETTINGS, 8, 2) == 288 + 528 + 34
