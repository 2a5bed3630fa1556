from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.svm import SVC

from poxlens.evaluate.calibration import softmax
from poxlens.recipes.compare import heads
from poxlens.recipes.compare.heads import run_head, weights_of
from poxlens.recipes.compare.study import Tuning
from poxlens.train.bank import FeatureBank, planned
from poxlens.train.heads import standardisation
from poxlens.train.tuning import Part, Space

TUNING = Tuning(configurations=3, epochs=3, views=4)


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Layers of up to 4,096 neurons take their time."""
    monkeypatch.setattr(heads, "Space", lambda: Space(units=(16, 64), learning_rate=(1e-3, 1e-2)))


HEADS = ["dense", "logistic", "svm", "prototypes"]


def part(count, seed, classes=3, bank=False):
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(classes, 10))
    truth = np.arange(count) % classes
    features = (centres[truth] * 2 + random.normal(size=(count, 10))).astype(np.float32)
    views = None
    if bank:
        draws = [planned(f"{row:015x}", 4, 0) for row in range(count)]
        views = FeatureBank.of(np.repeat(features[:, None], 4, 1), draws)
    return Part(features, truth, views)


def run(head, train, validation, test, classes=3, tuning=TUNING, fixed=None):
    return run_head(
        head, train, validation, test.features, classes, tuning, seed=0, name="a/b/0.0", fixed=fixed
    )


@pytest.mark.parametrize("head", HEADS)
def test_a_head_learns_and_its_record_is_json(head):
    test = part(60, 2)
    found = run(head, part(90, 0), part(30, 1), test)
    assert found.probabilities.shape == (60, 3)
    assert found.probabilities.dtype == np.float32
    assert np.allclose(found.probabilities.sum(1), 1, atol=1e-5)
    assert (found.probabilities.argmax(1) == test.truth).mean() > (0.6 if head == "dense" else 0.9)
    told = json.loads(json.dumps([found.chosen, found.trials], allow_nan=False))
    assert found.chosen in found.trials
    assert len(told[1]) == {"dense": 3, "logistic": 6, "svm": 12, "prototypes": 1}[head]


@pytest.mark.parametrize("head", HEADS)
def test_the_test_part_decides_nothing(head):
    train, validation, test = part(60, 0), part(30, 1), part(40, 2)
    whole = run(head, train, validation, test)
    half = run(head, train, validation, Part(test.features[:10], test.truth[:10]))
    assert half.chosen == whole.chosen
    assert np.allclose(half.probabilities, whole.probabilities[:10], atol=1e-6)


@pytest.mark.parametrize("head", HEADS)
def test_given_hyper_parameters_are_used_and_none_are_searched(head):
    train, validation, test = part(60, 0, bank=True), part(30, 1), part(40, 2)
    chosen = json.loads(json.dumps(run(head, train, validation, test).trials[0]))
    found = run(head, train, validation, test, fixed=chosen)
    assert len(found.trials) == 1
    names = ("learning_rate", "units", "dropout", "augmentation") if head == "dense" else ("setting",)
    told = json.loads(json.dumps(found.chosen))
    assert {name: told[name] for name in names} == {name: chosen[name] for name in names}


@pytest.mark.parametrize("head", ["logistic", "svm", "prototypes"])
def test_the_temperature_suits_the_validation_part(head):
    """Each trial's loss is the least that any temperature gives (SciPy's own search)."""
    train, validation = part(60, 0), part(45, 1)
    found = run(
        head, train, validation, validation, fixed={"setting": {"logistic": 0.1, "svm": (3.0, 0.5)}.get(head)}
    )
    mean, scale = standardisation(train.features)
    fit, _ = heads._CHEAP[head]
    logits = fit((train.features - mean) / scale, train.truth, found.chosen["setting"], 3, None)(
        (validation.features - mean) / scale
    )

    def loss(log):
        own = softmax(logits, float(np.exp(log)))[np.arange(45), validation.truth]
        return float(-np.log(np.maximum(own, 1e-12)).mean())

    best = minimize_scalar(loss, bounds=(-5, 5), method="bounded")
    assert found.chosen["loss"] == pytest.approx(best.fun, abs=2e-3)


@pytest.mark.parametrize("head", ["logistic", "svm", "prototypes"])
def test_a_class_that_was_not_there_to_learn_has_no_probability(head):
    train, validation, test = part(60, 0, classes=2), part(30, 1, classes=2), part(20, 2, classes=2)
    found = run(head, train, validation, test, classes=3)
    assert found.probabilities[:, 2].max() < 1e-6


@pytest.mark.parametrize("head", ["dense", "logistic", "svm"])
def test_class_weights_find_more_of_a_rare_class(head):
    def rare(count, seed):
        random = np.random.default_rng(seed)
        truth = (np.arange(count) % 12 == 0).astype(np.int64)
        return Part((random.normal(size=(count, 6)) + 0.8 * truth[:, None]).astype(np.float32), truth)

    train, validation, test = rare(240, 0), rare(120, 1), rare(240, 2)
    shares = [
        run(
            head,
            train,
            validation,
            test,
            classes=2,
            tuning=Tuning(configurations=4, epochs=4, class_weights=weights),
        )
        .probabilities[:, 1]
        .mean()
        for weights in (False, True)
    ]
    if head == "dense":
        assert shares[1] > shares[0]
    else:  # the temperature brings the shares back; the ranking was learnt from weighted images
        assert shares[0] != shares[1]


def test_weights_are_inverse_to_frequency_and_one_on_average():
    truth = np.array([0] * 6 + [1] * 3 + [2])
    weights = weights_of(truth, 3)
    assert weights == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    assert np.mean(np.array(weights)[truth]) == pytest.approx(1)


def test_the_svm_is_scikit_learns_with_its_own_rbf_kernel_one_class_against_the_others():
    random = np.random.default_rng(0)
    truth = np.arange(90) % 3
    features = (random.normal(size=(3, 40))[truth] + 2 * random.normal(size=(90, 40))).astype(np.float32)
    some = random.normal(size=(20, 40)).astype(np.float32)

    def theirs(rows, positive):
        model = SVC(C=3.0, gamma=0.5 / 40, class_weight="balanced").fit(features[rows], positive[rows])
        return model.decision_function(some)

    every = np.ones(90, bool)
    ours = heads._svm(features, truth, (3.0, 0.5), 3, "balanced")(some)
    for one in range(3):
        assert np.allclose(ours[:, one], theirs(every, truth == one), atol=2e-3)
    two = truth < 2
    ours = heads._svm(features[two], truth[two], (3.0, 0.5), 2, "balanced")(some)
    assert np.allclose(ours, np.stack([-theirs(two, truth == 1), theirs(two, truth == 1)], 1), atol=2e-3)


@pytest.mark.filterwarnings("error")
def test_a_probability_of_nothing_has_a_finite_logit():
    truth = np.arange(20) % 2
    features = np.where(truth[:, None] == 1, 1, -1).astype(np.float32).repeat(4, 1)
    far = np.full((1, 4), 1e4, np.float32)
    logits = heads._logistic(features, truth, 0.1, 2, None)(far)
    assert np.isfinite(logits).all()
    assert logits[0, 1] > logits[0, 0]
    assert logits[0, 0] == -104
