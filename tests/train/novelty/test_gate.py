from __future__ import annotations

import numpy as np
import pytest

from poxlens.errors import TrainingError
from poxlens.train.novelty.combined import Combined, Scale, fit_combined, held_out
from poxlens.train.novelty.energy import Energy
from poxlens.train.novelty.gate import EDGE, centres_of, fit_gate
from poxlens.train.novelty.limits import limit_for
from poxlens.train.novelty.neighbours import Neighbours


@pytest.fixture(scope="module")
def groups(known):
    return np.arange(len(known.truth)) // 2


@pytest.fixture(scope="module")
def gate(known, groups):
    kinds = {"far": known.outliers.features[:40], "odd": 40 - known.outliers.features[40:]}
    return fit_gate(known.seen.features, known.seen.features, groups, kinds, centres=8)


def test_the_gate_by_its_formula(gate, tested):
    unit = tested.features / np.linalg.norm(tested.features, axis=1, keepdims=True)
    far = gate.offset + gate.slope * (unit @ gate.centres).max(1)
    linear = tested.features @ gate.weight + gate.bias
    np.testing.assert_allclose(gate.score(tested.features), np.c_[far, linear].max(1), atol=1e-5)


def test_known_images_lie_below_one_and_outliers_above(gate, known):
    new = known.seen.features + np.random.default_rng(8).normal(0, 0.1, known.seen.features.shape)
    assert (gate.score(new.astype(np.float32)) < 1).mean() > 2 * EDGE - 1 - 0.02
    assert (gate.score(known.outliers.features[:40]) > 1).mean() > 0.9


def test_the_same_images_give_the_same_gate(known, groups, gate):
    kinds = {"far": known.outliers.features[:40], "odd": 40 - known.outliers.features[40:]}
    again = fit_gate(known.seen.features, known.seen.features, groups, kinds, centres=8)
    np.testing.assert_array_equal(again.weight, gate.weight)
    np.testing.assert_array_equal(again.centres, gate.centres)


def test_centres_have_length_one_and_half_precision(known):
    found = centres_of(known.seen.features, 8)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), 1, atol=2e-3)
    np.testing.assert_array_equal(found, found.astype(np.float16).astype(np.float32))


def test_a_zero_embedding_gets_a_number(gate):
    assert np.isfinite(gate.score(np.zeros((1, 12), np.float32))).all()


def test_no_outliers_or_one_group(known):
    features = known.seen.features
    with pytest.raises(TrainingError, match="there are none"):
        fit_gate(features, features, np.arange(len(features)), {"far": features[:0]})
    with pytest.raises(TrainingError, match="two groups"):
        fit_gate(features, features, np.zeros(len(features), int), {"far": features})


def test_a_scale_has_its_limit_at_one():
    scores = np.arange(1001, dtype=np.float32)
    found = Scale.of(scores).apply(scores)
    assert found[500] == 0
    assert (found <= 1).mean() == pytest.approx(0.95, abs=2e-3)


def test_combined_is_the_larger_of_both(known, tested, groups):
    fits = {"energy": Energy.fit, "neighbours": Neighbours.fit}
    found = fit_combined(fits, known, groups)
    parts = [scale.apply(part.score(tested)) for part, scale in found.parts]
    np.testing.assert_array_equal(found.score(tested), np.maximum(*parts))
    assert (np.argmax(parts, 0) == 0).any()
    assert (np.argmax(parts, 0) == 1).any()
    mean = Combined(found.parts, "mean").score(tested)
    np.testing.assert_allclose(mean, np.mean(parts, axis=0), rtol=1e-6)


def test_held_out_scores_are_of_detectors_that_never_saw_the_group(known, groups):
    found = held_out([Neighbours.fit], known, groups)[0]
    own = Neighbours.fit(known, k=1).score(known.seen)
    assert np.abs(own).max() < 1e-6
    assert found.min() > 1e-3


def test_the_limit_lets_each_part_through():
    novelty = np.r_[np.zeros(90), np.arange(10), np.full(20, 5.0)]
    rows = np.arange(120) >= 100
    limit = limit_for(novelty, {"all": np.ones(120, bool), "few": rows}, 0.95)
    assert limit == 5.0
    assert (novelty <= limit).mean() >= 0.95
    with pytest.raises(ValueError, match='"none"'):
        limit_for(novelty, {"none": np.zeros(120, bool)}, 0.95)
