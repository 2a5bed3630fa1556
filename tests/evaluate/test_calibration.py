import itertools

import numpy as np
import pytest
from scipy import optimize, special

from poxlens.evaluate.calibration import (
    TEMPERATURES,
    ece,
    fit_temperature,
    negative_log_likelihood,
    reliability,
    softmax,
)


def draw(seed: int, n: int = 500, classes: int = 4, sharpness: float = 1.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * 2
    chances = special.softmax(logits, axis=1)
    truth = np.array([rng.choice(classes, p=row) for row in chances])
    return logits * sharpness, truth


def test_softmax_equals_scipy_and_does_not_overflow():
    logits = np.random.default_rng(0).normal(size=(20, 5)) * 50
    np.testing.assert_allclose(softmax(logits, 1.7), special.softmax(logits / 1.7, axis=1), atol=1e-15)
    assert softmax([[1e4, 0.0]])[0, 0] == 1.0


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0, 10.0])
def test_temperature_is_where_scipy_finds_the_least_loss(sharpness):
    logits, truth = draw(1, sharpness=sharpness)
    found = fit_temperature(logits, truth)
    expected = optimize.minimize_scalar(
        lambda t: negative_log_likelihood(logits, truth, t), bounds=(0.05, 20), method="bounded"
    )
    # The loss is flat at its minimum: scipy's own answer is good to about 1e-5.
    assert found == pytest.approx(expected.x, rel=1e-3)
    assert negative_log_likelihood(logits, truth, found) <= expected.fun + 1e-12
    # The logits were made calibrated, then multiplied: the temperature undoes it.
    assert found == pytest.approx(sharpness, rel=0.15)


def test_temperature_stays_in_its_range():
    separable = np.array([[9.0, 0.0], [0.0, 9.0]])
    assert fit_temperature(separable, [0, 1]) == TEMPERATURES[0]
    assert fit_temperature(separable, [1, 0]) == TEMPERATURES[1]


def test_loss_equals_the_definition():
    logits, truth = draw(2, 50)
    expected = -np.log(special.softmax(logits / 2, axis=1)[np.arange(50), truth]).mean()
    assert negative_log_likelihood(logits, truth, 2.0) == pytest.approx(expected)


def test_ece_by_hand():
    p = [0.1, 0.1, 0.8, 0.9]
    y = [False, True, True, True]
    # Two equal-mass bins: {.1, .1}: |.1 - .5|; {.8, .9}: |.85 - 1|, half the rows each.
    assert ece(p, y, bins=2).value == pytest.approx((0.4 + 0.15) / 2)
    # Ten equal-width bins (a, b]: .1 | .8 | .9, weights 2, 1, 1.
    assert ece(p, y, bins=10, binning="width").value == pytest.approx((2 * 0.4 + 0.2 + 0.1) / 4)


def test_equal_width_ece_equals_the_usual_loop():
    rng = np.random.default_rng(3)
    p = rng.random(400)
    y = rng.random(400) < p**2
    expected = 0.0
    for low in np.arange(15) / 15:
        inside = (p > low) & (p <= low + 1 / 15)
        if inside.any():
            expected += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    assert ece(p, y, bins=15, binning="width").value == pytest.approx(expected)


def test_equal_mass_bins_hold_equally_many_and_never_split_ties():
    rng = np.random.default_rng(4)
    p = rng.random(103)
    table = reliability(p, rng.random(103) < p, bins=10)
    assert sum(row.n for row in table) == 103
    assert {row.n for row in table} <= {10, 11}
    tied = reliability([0.5] * 50 + [0.9] * 3, [True] * 53, bins=10)
    assert [(row.n, row.low, row.high) for row in tied] == [(50, 0.5, 0.5), (3, 0.9, 0.9)]


def test_reliability_and_ece_are_of_one_table():
    rng = np.random.default_rng(5)
    p = rng.random(300).round(2)
    y = rng.random(300) < p
    table = reliability(p, y, bins=8)
    total = sum(row.n * abs(row.stated - row.observed) for row in table) / 300
    assert ece(p, y, bins=8).value == pytest.approx(total)
    assert all(a.high < b.low for a, b in itertools.pairwise(table))


def test_a_calibrated_score_has_little_error_and_a_sharpened_one_much():
    logits, truth = draw(6, 4000)
    top = softmax(logits)
    assert ece(top.max(axis=1), top.argmax(axis=1) == truth).value < 0.03
    sharp = softmax(logits * 3)
    assert ece(sharp.max(axis=1), sharp.argmax(axis=1) == truth).value > 0.1


def test_weights_mean_repeated_rows():
    """Equal probabilities a bin, so that the bins of the repeated rows are the same."""
    rng = np.random.default_rng(7)
    p = np.repeat([0.1, 0.35, 0.65, 0.9], 10)
    y = rng.random(40) < p
    weights = rng.integers(0, 3, 40)
    again = np.repeat(np.arange(40), weights)
    weighted = ece(p, y, bins=4, binning="width").over(weights[None].astype(float))[0]
    assert weighted == pytest.approx(ece(p[again], y[again], bins=4, binning="width").value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_temperature(np.zeros((0, 3)), []), "logits must be"),
        (lambda: fit_temperature([[np.inf, 0.0]], [0]), "logits must be finite"),
        (lambda: fit_temperature([[1.0, 0.0]], [2]), "truth must hold numbers from 0 to 1"),
        (lambda: ece([0.5], [True], bins=0), "bins must be at least 1"),
        (lambda: ece([0.5], [True], binning="other"), "binning must be"),
        (lambda: ece([1.5], [True]), "probability must be"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
