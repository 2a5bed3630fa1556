import math

import numpy as np
import pytest

from poxlens.evaluate.conformal import ClassQuantile, class_quantiles, prediction_sets, set_figures


def draw(rng, n):
    truth = rng.integers(0, 3, n)
    logits = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[truth]
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True), truth


def test_quantile_by_hand():
    # Scores 1 - p of class 0: .1 .2 ... .9 (n = 9). ceil(10 * .8) = 8th smallest = .8.
    p = np.linspace(0.9, 0.1, 9)
    found = class_quantiles(np.stack([p, 1 - p], axis=1), np.zeros(9, int), 0.2)
    assert found[0].quantile == pytest.approx(0.8)
    assert found[0].n == 9
    # ceil(10 * .95) = 10 > 9: nothing can be promised, the class enters every set. So does one never seen.
    assert class_quantiles(np.stack([p, 1 - p], axis=1), np.zeros(9, int), 0.05) == (
        ClassQuantile(1.0, 9),
        ClassQuantile(1.0, 0),
    )


def test_rank_is_not_pushed_up_by_rounding():
    # (19 + 1) * (1 - .05) is 19 exactly: the largest of 19 scores, not "beyond n".
    p = np.linspace(0.95, 0.05, 19)
    found = class_quantiles(np.stack([p, 1 - p], axis=1), np.zeros(19, int), 0.05)
    assert found[0].quantile == pytest.approx(0.95)


def test_coverage_of_each_class_is_what_was_promised():
    """Over many calibration sets each class's mean coverage is within 1 - alpha and 1 / (n + 1) more."""
    rng = np.random.default_rng(0)
    p_test, truth_test = draw(rng, 4000)
    coverages = []
    for _ in range(200):
        p, truth = draw(rng, 150)
        limits = [row.quantile for row in class_quantiles(p, truth, 0.1)]
        coverages.append(set_figures(prediction_sets(p_test, limits), truth_test).coverage_by_class)
    mean = np.mean(coverages, axis=0)
    assert (mean > 0.89).all()
    assert (mean < 0.9 + 1 / 40 + 0.015).all()


def test_sets_and_their_figures_by_hand():
    p = [[0.7, 0.2, 0.1], [0.4, 0.35, 0.25], [0.1, 0.1, 0.8]]
    sets = prediction_sets(p, [0.5, 0.7, 0.1])
    assert sets.tolist() == [[True, False, False], [False, True, False], [False, False, False]]
    figures = set_figures(sets, [0, 0, 2])
    assert figures.coverage == pytest.approx(1 / 3)
    assert figures.coverage_by_class[0] == 0.5
    assert math.isnan(figures.coverage_by_class[1])
    assert figures.coverage_by_class[2] == 0.0
    assert figures.mean_size == pytest.approx(2 / 3)
    assert figures.empty == pytest.approx(1 / 3)
    assert figures.n == 3


def test_a_calibration_row_at_its_own_quantile_is_inside():
    rng = np.random.default_rng(1)
    p, truth = draw(rng, 60)
    found = class_quantiles(p, truth, 0.2)
    inside = prediction_sets(p, [row.quantile for row in found])[np.arange(60), truth]
    for number, row in enumerate(found):
        assert inside[truth == number].sum() == math.ceil((row.n + 1) * 0.8 - 1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: class_quantiles([[0.5, 0.5]], [0], 0.0), "alpha must be between"),
        (lambda: class_quantiles([[0.5, 1.5]], [0], 0.1), "probabilities must be finite"),
        (lambda: class_quantiles([[0.5, np.nan]], [0], 0.1), "probabilities must be finite"),
        (lambda: class_quantiles([0.5], [0], 0.1), r"must be \[N, C\]"),
        (lambda: class_quantiles([[0.5, 0.5]], [0, 1], 0.1), "truth has 2 rows where 1"),
        (lambda: prediction_sets([[0.5, 0.5]], [0.1]), "quantiles has shape"),
        (lambda: set_figures([True], [0]), r"sets must be \[N, C\]"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
