from __future__ import annotations

import numpy as np
import pytest

from poxlens.files import sha256_bytes
from poxlens.train.augmentation import KINDS, MOST
from poxlens.train.bank import FeatureBank, planned
from poxlens.train.tuning import FLIP_TYPES, Budget, Part, Space, score, train_one, tune

SPACE = Space(units=(8, 16), learning_rate=(1e-4, 1e-2))
BUDGET = Budget(configurations=6, epochs=5, patience=2)


def parts(bank=False):
    random = np.random.default_rng(1)
    truth = np.arange(48) % 2
    features = (random.normal(size=(48, 6)) + 1.5 * (truth[:, None] - 0.5)).astype(np.float32)
    views = None
    if bank:
        draws = [planned(sha256_bytes(bytes([row])), 8, 0) for row in range(32)]
        moved = features[:32, None] + random.normal(0, 0.1, (32, 8, 6))
        views = FeatureBank.of(moved.astype(np.float32), draws)
    return Part(features[:32], truth[:32], views), Part(features[32:], truth[32:])


def test_the_best_of_all_trials_is_kept_with_its_weights():
    train, validation = parts()
    found = tune(train, validation, 2, space=SPACE, budget=BUDGET, seed=0, name="a")
    assert len(found.trials) == 6
    best = max(found.trials, key=lambda one: (one.accuracy, -one.loss))
    assert found.best == best
    accuracy, loss = score(found.training.probabilities(validation.features), validation.truth)
    assert accuracy == pytest.approx(best.accuracy)
    assert loss == pytest.approx(best.loss, abs=1e-6)


def test_draws_are_within_the_space():
    train, validation = parts(bank=True)
    found = tune(train, validation, 2, space=SPACE, budget=BUDGET, seed=3, name="b")
    for trial in found.trials:
        settings, strengths = trial.settings, trial.strengths
        assert SPACE.learning_rate[0] <= settings.learning_rate <= SPACE.learning_rate[1]
        assert len(settings.units) == len(settings.dropout) in SPACE.layers
        assert set(settings.units) <= set(SPACE.units)
        assert all(0 <= rate <= 0.5 for rate in settings.dropout)
        assert strengths is not None
        assert all(0 <= getattr(strengths, kind) <= MOST for kind in KINDS)
        assert strengths.flip in FLIP_TYPES
        assert 1 <= trial.epochs <= BUDGET.epochs
    assert len({trial.settings.learning_rate for trial in found.trials}) == 6


def test_the_same_seed_and_name_give_the_same_course():
    train, validation = parts(bank=True)
    one, same, other = (
        tune(train, validation, 2, space=SPACE, budget=BUDGET, seed=seed, name="c") for seed in (0, 0, 1)
    )
    assert one.trials == same.trials
    assert np.array_equal(
        one.training.probabilities(validation.features), same.training.probabilities(validation.features)
    )
    assert one.trials != other.trials


def test_two_networks_are_given_the_same_configurations():
    train, validation = parts()
    one = tune(train, validation, 2, space=SPACE, budget=BUDGET, seed=4, name="net-a/dense/0.0")
    other = tune(train, validation, 2, space=SPACE, budget=BUDGET, seed=4, name="net-b/dense/0.0")
    assert [trial.settings for trial in one.trials] == [trial.settings for trial in other.trials]


def test_hyperband_ends_most_configurations_early():
    train, validation = parts()
    budget = Budget(configurations=20, epochs=9, patience=9)
    found = tune(train, validation, 2, space=SPACE, budget=budget, seed=0, name="d")
    epochs = [trial.epochs for trial in found.trials]
    assert 3 <= sum(trial.pruned for trial in found.trials) < 20
    assert max(epochs) == 9
    assert sum(epochs) < 0.8 * 20 * 9


def test_training_stops_when_the_loss_no_longer_falls():
    train, validation = parts()
    wrong = Part(validation.features, 1 - validation.truth)  # the better it fits, the worse this gets
    budget = Budget(configurations=1, epochs=50, patience=3)
    space = Space(units=(64,), learning_rate=(5e-3, 1e-2))
    found = tune(train, wrong, 2, space=space, budget=budget, seed=0, name="e")
    assert found.best.epochs <= 6


def test_one_given_configuration_is_trained_as_it_is():
    train, validation = parts(bank=True)
    tuned = tune(train, validation, 2, space=SPACE, budget=BUDGET, seed=0, name="f")
    given = tuned.trials[2]
    one, again = (
        train_one(train, validation, 2, given.settings, given.strengths, budget=BUDGET, seed=9)
        for _ in range(2)
    )
    assert one.best.settings == given.settings
    assert one.best.strengths == given.strengths
    assert not one.best.pruned
    assert one.trials == (one.best,)
    assert one.best == again.best


def test_score_by_hand():
    p = np.array([[0.8, 0.2], [0.4, 0.6], [0.5, 0.5]], np.float32)
    right, loss = score(p, np.array([0, 0, 1]))
    assert right == pytest.approx(1 / 3)
    assert loss == pytest.approx(-np.log([0.8, 0.4, 0.5]).mean(), rel=1e-6)
