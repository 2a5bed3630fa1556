import math
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from poxlens.evaluate.calibration import ece
from poxlens.evaluate.intervals import Estimate, cluster_weights, estimate, wilson
from poxlens.evaluate.metrics import brier
from poxlens.evaluate.ranking import auroc
from poxlens.evaluate.statistic import share


@pytest.mark.parametrize(("k", "n"), [(0, 5), (1, 5), (5, 5), (19, 20), (95, 100), (312, 1000)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_equals_scipy(k, n, level):
    expected = stats.binomtest(k, n).proportion_ci(level, method="wilson")
    assert wilson(k, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_at_the_ends():
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match=r"successes must be 0\.\.n, is 3 of 2"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="level must be between 0 and 1"):
        wilson(1, 2, 1.0)


def test_independent_shares_get_wilson():
    found = estimate({"a": share([True] * 19 + [False])})["a"]
    assert found == Estimate(0.95, *wilson(19, 20), 20, 20)


def test_a_share_of_all_is_as_sure_as_its_clusters_are_many():
    clusters = np.repeat([f"p{i}" for i in range(12)], 5)
    found = estimate({"a": share([True] * 60)}, clusters)["a"]
    assert (found.low, found.high) == wilson(12, 12)
    assert (found.n, found.cases) == (60, 12)


def test_cluster_weights_draw_whole_clusters_so_many_times():
    keys = np.array([0, 1, 1, 2, 2, 2])
    weights = cluster_weights(keys, 500, np.random.default_rng(0))
    assert (weights[:, 1] == weights[:, 2]).all()
    assert (weights[:, 3] == weights[:, 5]).all()
    assert (weights[:, 0] + weights[:, 1] + weights[:, 3] == 3).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(6), abs=0.12)


def test_bootstrap_of_a_mean_has_the_textbook_width():
    rng = np.random.default_rng(2)
    p, y = np.clip(rng.normal(0.5, 0.1, 400), 0, 1), np.zeros(400, bool)
    squares = p**2
    found = estimate({"b": brier(p, y)})["b"]
    half = 1.96 * squares.std() / math.sqrt(400)
    assert found.value == pytest.approx(squares.mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.06)


def test_rows_of_one_person_count_as_one():
    """Every row copied four times under one key: the same interval as without, not half as wide."""
    rng = np.random.default_rng(3)
    hit, score = rng.random(80) < 0.7, rng.normal(size=80)
    positive = rng.random(80) < 0.5
    single = estimate({"s": share(hit), "a": auroc(score, positive)}, np.arange(80))
    four = np.repeat(np.arange(80), 4)
    copied = estimate({"s": share(hit[four]), "a": auroc(score[four], positive[four])}, four)
    assert copied["s"].high - copied["s"].low == pytest.approx(single["s"].high - single["s"].low, rel=0.08)
    assert (copied["a"].low, copied["a"].high) == pytest.approx((single["a"].low, single["a"].high))
    assert (copied["a"].n, copied["a"].cases) == (320, single["a"].cases)


def test_intervals_of_clustered_shares_cover():
    """95 % intervals of strongly clustered data hold the truth about 95 % of the time; Wilson's do not."""
    rng = np.random.default_rng(4)
    held = careless = 0
    for trial in range(150):
        persons = rng.beta(2, 1, 50)
        hit = (rng.random((50, 6)) < persons[:, None]).ravel()
        found = estimate({"s": share(hit)}, np.repeat(np.arange(50), 6), resamples=400, seed=trial)["s"]
        held += found.low <= 2 / 3 <= found.high
        low, high = wilson(int(hit.sum()), hit.size)
        careless += low <= 2 / 3 <= high
    assert held >= 0.89 * 150
    assert careless < 0.89 * 150


def test_the_seed_decides_and_other_figures_do_not_disturb():
    rng = np.random.default_rng(5)
    score, positive = rng.normal(size=60), rng.random(60) < 0.4
    one = estimate({"a": auroc(score, positive)}, seed=1)["a"]
    assert (
        estimate({"b": brier(np.abs(score) % 1, positive), "a": auroc(score, positive)}, seed=1)["a"] == one
    )
    assert estimate({"a": auroc(score, positive)}, seed=2)["a"] != one


def test_cases_are_the_persons_on_the_rarer_side():
    positive = np.array([True] * 6 + [False] * 40)
    clusters = ["p1"] * 3 + ["p2"] * 3 + [f"n{i}" for i in range(40)]
    found = estimate({"a": auroc(np.arange(46.0), positive)}, clusters)["a"]
    assert (found.n, found.cases, found.too_few) == (46, 2, True)


def test_what_is_not_defined_has_no_interval():
    found = estimate({"s": share([True, False], [False, False]), "a": auroc([1.0, 2.0], [True, True])})
    assert math.isnan(found["s"].value)
    assert math.isnan(found["s"].low)
    assert math.isnan(found["a"].value)
    assert math.isnan(found["a"].high)
    assert found["s"].n == 0
    perfect = estimate({"a": auroc(np.arange(40.0), np.arange(40) >= 20)})["a"]
    assert perfect.value == 1.0
    assert math.isnan(perfect.low)
    assert estimate({}) == {}
    # One positive among 40: a third of the resamples lacks it, the rest still give an interval.
    rare = estimate({"a": auroc(np.arange(40.0), np.arange(40) == 20)})["a"]
    assert 0 <= rare.low <= rare.value <= rare.high <= 1


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"clusters has shape \(1,\) where \(2,\)"):
        estimate({"s": share([True, False])}, ["a"])
    with pytest.raises(ValueError, match="resamples must be at least 1"):
        estimate({"s": share([True])}, resamples=0)
    with pytest.raises(ValueError, match="same rows"):
        estimate({"s": share([True]), "t": share([True, False])})


def test_two_thousand_resamples_of_two_thousand_rows_are_quick():
    rng = np.random.default_rng(6)
    positive = rng.random(2000) < 0.2
    figure = auroc(rng.normal(size=2000) + positive, positive)
    spent = []
    for _ in range(3):
        start = time.perf_counter()
        estimate({"a": figure}, rng.integers(0, 900, 2000), resamples=2000)
        spent.append(time.perf_counter() - start)
    assert min(spent) < 2.0


def test_the_interval_of_a_calibration_error_holds_it_and_is_about_it():
    """Without moving the resamples back, the interval of a well calibrated score lies above its ECE."""
    rng = np.random.default_rng(8)
    p = rng.random(300)
    figure = ece(p, rng.random(300) < p)
    found = estimate({"e": figure})["e"]
    plain = estimate({"e": replace(figure, biased=False)})["e"]
    assert 0 <= found.low < found.value < found.high
    assert found.value - found.low > 0.3 * (found.high - found.value)
    assert plain.low == plain.value or plain.value - plain.low < 0.3 * (plain.high - plain.value)
