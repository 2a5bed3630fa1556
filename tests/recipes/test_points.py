"""Thresholds that reach their targets wherever they are asked to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from poxlens.evaluate.calibration import softmax
from poxlens.recipes.points import Targets, choose_points, temperature_of, truth

CLASSES = ("mpox", "chickenpox", "acne")
TARGETS = Targets(sensitivity=0.9, specificity=0.8, specificity_other=0.95, other=("acne",), alpha=0.1)


def world(seed, count=120, repeats=2, skill=2.0):
    """Two sources with all classes, one of which hides part of its target; logits of varied skill."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    labels[:6] = [0, 1, 2, 0, 1, 2]
    possible = np.eye(3, dtype=bool)[labels]
    unsure = (rng.random(count) < 0.1) & (labels > 0)
    possible[unsure, 1:] = True
    source = np.where(np.arange(count) % 2 < 1, "a", "b")
    source[:6] = list("aaabbb")
    z = (
        skill * possible[None]
        + rng.normal(0, 1, (repeats, count, 3))
        + np.where(source == "b", 0.7, 0)[None, :, None] * [1, 0, 0]
    )
    left = {}
    for name in "ab":
        logits = skill / 2 * possible + rng.normal(0, 1.5, (count, 3))
        left[name] = np.where((source == name)[:, None], logits, np.nan)
    return z, left, possible, source


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0, 4.0]))
def test_thresholds_reach_their_targets_everywhere(seed, skill):
    z, left, possible, source = world(seed, skill=skill)
    points = choose_points(z, left, possible, source, CLASSES, "mpox", TARGETS)
    p = np.stack([softmax(one, points.temperature)[:, 0] for one in z])
    positive = possible[:, 0]
    for name, logits in left.items():
        rows = source == name
        outside = softmax(logits[rows], points.temperature)[:, 0]
        assert (p[:, rows & positive] >= points.rule_out).mean() >= 0.9 - 1e-9
        if points.rule_in < 1:
            assert (outside[~positive[rows]] < points.rule_in).mean() >= 0.8 - 1e-9
    if points.rule_in < 1:
        for number, wanted in ((1, 0.8), (2, 0.95)):
            assert (p[:, possible[:, number] & ~positive] < points.rule_in).mean() >= wanted - 1e-9
    assert 0 <= points.rule_out <= points.rule_in <= 1
    assert len(points.quantiles) == 3


def test_thresholds_are_no_more_careful_than_they_must_be():
    """Moved a little towards the middle, some source or class misses its target."""
    z, left, possible, source = world(3)
    points = choose_points(z, left, possible, source, CLASSES, "mpox", TARGETS)
    p = np.stack([softmax(one, points.temperature)[:, 0] for one in z])
    positive = possible[:, 0]
    higher, lower = np.nextafter(points.rule_out, 1), np.nextafter(points.rule_in, 0)
    missed, crossed = [], []
    for name, logits in left.items():
        rows = source == name
        outside = softmax(logits[rows], points.temperature)[:, 0]
        missed.append((p[:, rows & positive] >= higher).mean())
        crossed.append((outside[~positive[rows]] < lower).mean() - 0.8)
    for number, wanted in ((1, 0.8), (2, 0.95)):
        crossed.append((p[:, possible[:, number] & ~positive] < lower).mean() - wanted)
    assert min(missed) < 0.9
    assert min(crossed) < 0


def test_a_source_with_nothing_but_the_target_sets_no_rule_in_point():
    z, left, possible, source = world(4)
    possible[source == "b"] = [True, False, False]
    with_b = choose_points(z, left, possible, source, CLASSES, "mpox", TARGETS)
    assert 0 < with_b.rule_out < 1
    assert 0 < with_b.rule_in <= 1


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_temperature_is_the_one_of_least_log_loss_on_sure_labels(scale):
    z, _, possible, _ = world(5)
    z = z * scale
    labels = truth(possible)
    sure = labels >= 0

    def mean_loss(temperature):
        return -np.mean(
            [log_softmax(one[sure] / temperature, 1)[np.arange(sure.sum()), labels[sure]] for one in z]
        )

    expected = minimize_scalar(mean_loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-9}).x
    assert temperature_of(z, possible) == pytest.approx(expected, rel=1e-4)


def test_truth_is_unknown_where_several_classes_are_possible():
    possible = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 1], [0, 0, 0]], bool)
    assert truth(possible).tolist() == [0, 2, -1, -1]


def test_quantiles_are_the_mean_over_repeats_and_count_each_image_once():
    z, left, possible, source = world(6)
    points = choose_points(z, left, possible, source, CLASSES, "mpox", TARGETS)
    labels = truth(possible)
    for number in range(3):
        each = []
        for one in z:
            scores = np.sort(1 - softmax(one, points.temperature)[labels == number, number])
            each.append(scores[int(np.ceil((len(scores) + 1) * 0.9 - 1e-9)) - 1])
        assert points.quantiles[number].n == (labels == number).sum()
        assert points.quantiles[number].quantile == pytest.approx(np.mean(each), abs=1e-12)
