import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from poxlens.evaluate.metrics import (
    accuracy,
    balanced_accuracy,
    brier,
    confusion,
    macro_f1,
    sensitivity,
    specificity,
)
from poxlens.evaluate.statistic import share


def draw(seed: int, n: int = 300, classes: int = 5):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    return truth, np.where(rng.random(n) < 0.6, truth, rng.integers(0, classes, n))


@pytest.mark.parametrize("seed", range(5))
def test_class_figures_equal_scikit_learn(seed):
    truth, decided = draw(seed)
    assert (confusion(truth, decided, 5) == reference.confusion_matrix(truth, decided)).all()
    assert accuracy(truth, decided).value == pytest.approx(reference.accuracy_score(truth, decided))
    expected = reference.balanced_accuracy_score(truth, decided)
    assert balanced_accuracy(truth, decided, 5).value == pytest.approx(expected)
    expected = reference.f1_score(truth, decided, average="macro")
    assert macro_f1(truth, decided, 5).value == pytest.approx(expected)
    positive, called = truth == 0, decided == 0
    assert sensitivity(positive, called).value == pytest.approx(reference.recall_score(positive, called))
    assert specificity(positive, called).value == pytest.approx(reference.recall_score(~positive, ~called))


def test_macro_f1_leaves_out_a_class_that_is_nowhere_and_counts_one_only_decided():
    truth, decided = [0, 0, 1], [0, 2, 1]
    # F1: class 0 2/3, class 1 1, class 2 0 (decided once, wrongly), class 3 not there.
    assert macro_f1(truth, decided, 4).value == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert balanced_accuracy(truth, decided, 4).value == pytest.approx((0.5 + 1) / 2)


def test_brier_equals_scikit_learn_and_by_hand():
    rng = np.random.default_rng(1)
    p, y = rng.random(200), rng.random(200) < 0.3
    assert brier(p, y).value == pytest.approx(reference.brier_score_loss(y, p))
    assert brier([0.9, 0.2], [True, False]).value == pytest.approx((0.01 + 0.04) / 2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_weights_mean_repeated_rows(seed):
    """A weighting must give what the rows repeated so often give, for every figure."""
    rng = np.random.default_rng(seed)
    truth, decided = draw(seed, 40, 3)
    p = rng.random(40).round(1)
    weights = rng.integers(0, 4, 40)
    again = np.repeat(np.arange(40), weights)
    if again.size == 0:
        return
    for figure in (
        lambda i: accuracy(truth[i], decided[i]),
        lambda i: macro_f1(truth[i], decided[i], 3),
        lambda i: balanced_accuracy(truth[i], decided[i], 3),
        lambda i: brier(p[i], truth[i] == 0),
        lambda i: sensitivity(truth[i] == 0, decided[i] == 0),
        lambda i: specificity(truth[i] == 0, decided[i] == 0),
    ):
        weighted = figure(np.arange(40)).over(weights[None].astype(float))[0]
        np.testing.assert_allclose(weighted, figure(again).value, rtol=1e-12)


def test_share_counts_only_the_rows_it_is_of():
    figure = share([1, 1, 0, 1], [1, 0, 1, 1])
    assert figure.value == pytest.approx(2 / 3)
    assert figure.n == 3
    assert np.isnan(share([1, 0], [0, 0]).value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: confusion([0, 1], [0, 2], 2), "decided must hold numbers from 0 to 1"),
        (lambda: confusion([0, -1], [0, 1], 2), "truth must hold numbers"),
        (lambda: confusion([0.5], [0], 2), "truth must hold class numbers"),
        (lambda: confusion([0, 1], [0], 2), "decided has 1 rows where 2 are needed"),
        (lambda: brier([0.5, 1.2], [True, False]), "probability must be 0..1, is 0.5..1.2"),
        (lambda: brier([0.5, np.nan], [True, False]), "probability holds NaN or infinity at row 1"),
        (lambda: brier([[0.5]], [True]), "probability must have one axis"),
        (lambda: share([0, 2]), "hit must hold True and False only"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        call()
