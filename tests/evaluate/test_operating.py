import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poxlens.evaluate.intervals import wilson
from poxlens.evaluate.operating import figures_at, rule_in_threshold, rule_out_threshold

TARGETS = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 1.0])


@st.composite
def scored(draw):
    n = draw(st.integers(2, 40))
    scores = draw(st.lists(st.integers(0, 12), min_size=n, max_size=n))
    positive = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    positive[0], positive[1] = True, False
    return np.array(scores) / 12, np.array(positive)


@settings(max_examples=200, deadline=None)
@given(scored(), TARGETS)
def test_rule_out_is_the_largest_threshold_that_keeps_its_promise(data, target):
    scores, positive = data
    found = rule_out_threshold(scores, positive, target)
    assert (scores[positive] >= found).mean() >= target - 1e-9
    assert (scores[positive] >= np.nextafter(found, 2)).mean() < target - 1e-9


@settings(max_examples=200, deadline=None)
@given(scored(), TARGETS)
def test_rule_in_is_the_smallest_threshold_that_keeps_its_promise(data, target):
    scores, positive = data
    found = rule_in_threshold(scores, positive, target)
    assert (scores[~positive] < found).mean() >= target - 1e-9
    assert (scores[~positive] < np.nextafter(found, -1)).mean() < target - 1e-9


def test_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.1, 0.6, 0.4, 0.4, 0.2])
    positive = np.array([1, 1, 1, 1, 0, 0, 0, 0], bool)
    assert rule_out_threshold(scores, positive, 0.75) == 0.7
    assert rule_out_threshold(scores, positive, 0.76) == 0.1
    assert rule_in_threshold(scores, positive, 0.75) == np.nextafter(0.4, 1)
    assert rule_in_threshold(scores, positive, 0.5) == np.nextafter(0.4, 1)
    assert rule_in_threshold(scores, positive, 1.0) == np.nextafter(0.6, 1)


def test_target_of_whole_cases_is_not_pushed_up_by_rounding():
    scores = np.arange(1, 21) / 20
    # .95 of 20 is 19: one may be lost.
    assert rule_out_threshold(np.append(scores, 0), np.append(np.ones(20, bool), False), 0.95) == 2 / 20


def test_figures_have_intervals_and_counts():
    scores = np.concatenate([np.linspace(0.3, 1, 40), np.linspace(0, 0.6, 60)])
    positive = np.arange(100) < 40
    found = figures_at(0.5, scores, positive)
    hits = int((scores[:40] >= 0.5).sum())
    assert found.sensitivity.value == hits / 40
    assert (found.sensitivity.low, found.sensitivity.high) == wilson(hits, 40)
    assert found.specificity.value == (scores[40:] < 0.5).mean()
    assert (found.sensitivity.n, found.specificity.n) == (40, 60)
    clustered = figures_at(0.5, scores, positive, np.arange(100) // 5)
    assert clustered.sensitivity.cases == 8
    assert clustered.sensitivity.high - clustered.sensitivity.low > 0.2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rule_out_threshold([0.1], [False]), "there is no positive to set"),
        (lambda: rule_in_threshold([0.1], [True]), "there is no negative to set"),
        (lambda: rule_out_threshold([0.1], [True], 0.0), "target must be above 0"),
        (lambda: rule_in_threshold([0.1], [False], 1.1), "target must be above 0"),
        (lambda: rule_out_threshold([np.nan], [True]), "scores holds NaN"),
        (lambda: rule_out_threshold([0.1, 0.2], [True]), "positive has 1 rows where 2"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
