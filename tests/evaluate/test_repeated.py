import numpy as np
import pytest

from poxlens.evaluate.intervals import estimate
from poxlens.evaluate.metrics import accuracy, brier
from poxlens.evaluate.ranking import auroc
from poxlens.evaluate.repeated import difference, over_repeats
from poxlens.evaluate.statistic import share


def drawn(seed=0, n=200, repeats=5):
    random = np.random.default_rng(seed)
    positive = np.arange(n) % 3 == 0
    base = random.normal(size=n) + positive
    return positive, [base + random.normal(size=n) * 0.2 for _ in range(repeats)]


def test_a_figure_over_repeats_is_the_mean_of_the_repeats():
    positive, scores = drawn()
    found = over_repeats([auroc(one, positive) for one in scores])
    assert found.value == pytest.approx(np.mean([auroc(one, positive).value for one in scores]))
    assert found.n == 200


def test_repeats_do_not_make_an_interval_narrower_than_one_repeat_allows():
    """Five times the same predictions are one: the interval must be the same, not 1 / sqrt(5) of it."""
    positive, (scores, *_) = drawn()
    clusters = np.arange(200) // 2
    one = estimate({"x": auroc(scores, positive)}, clusters)["x"]
    five = estimate({"x": over_repeats([auroc(scores, positive)] * 5)}, clusters)["x"]
    assert (five.low, five.high) == pytest.approx((one.low, one.high))
    assert five.cases == one.cases == 67


def test_one_repeat_is_left_as_it_is_and_repeats_of_other_images_are_refused():
    figure = share(np.array([True, False]))
    assert over_repeats([figure]) is figure
    with pytest.raises(ValueError, match="same images"):
        over_repeats([figure, share(np.array([True]))])
    with pytest.raises(ValueError, match="no repeat"):
        over_repeats([])


def test_a_paired_difference_is_far_narrower_than_two_intervals():
    random = np.random.default_rng(1)
    truth = np.zeros(400, int)
    first = (random.random(400) < 0.2).astype(int)
    second = first.copy()
    second[np.flatnonzero(first)[:8]] = 0  # the second model is right on eight more
    found = estimate(
        {
            "first": accuracy(truth, first),
            "gain": difference(accuracy(truth, second), accuracy(truth, first)),
        },
        np.arange(400),
    )
    assert found["gain"].value == pytest.approx(8 / 400)
    assert found["gain"].low > 0
    assert found["gain"].high - found["gain"].low < 0.5 * (found["first"].high - found["first"].low)


def test_a_difference_between_parts_equals_the_normal_approximation():
    """Shares .9 of 300 and .8 of 300 independent rows: the error is sqrt(.9*.1/300 + .8*.2/300)."""
    light = np.arange(600) < 300
    right = np.concatenate([np.arange(300) < 270, np.arange(300) < 240])
    found = estimate({"d": difference(share(right, light), share(right, ~light))}, np.arange(600))["d"]
    assert found.value == pytest.approx(0.1)
    error = np.sqrt(0.9 * 0.1 / 300 + 0.8 * 0.2 / 300)
    assert (found.low, found.high) == pytest.approx((0.1 - 1.96 * error, 0.1 + 1.96 * error), abs=0.006)
    assert found.cases == 300


def test_a_difference_of_other_rows_is_refused():
    with pytest.raises(ValueError, match="no difference"):
        difference(brier([0.5], [True]), brier([0.5, 0.5], [True, False]))
