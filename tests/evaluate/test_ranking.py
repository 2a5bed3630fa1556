import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from poxlens.evaluate.ranking import auroc, average_precision, roc


def draw(seed: int, decimals: int, n: int = 150):
    rng = np.random.default_rng(seed)
    positive = rng.random(n) < 0.3
    positive[:2] = True, False
    return (rng.normal(size=n) + positive).round(decimals), positive


@pytest.mark.parametrize("decimals", [0, 1, 12])
@pytest.mark.parametrize("seed", range(4))
def test_ranking_equals_scikit_learn_with_and_without_ties(seed, decimals):
    scores, positive = draw(seed, decimals)
    assert auroc(scores, positive).value == pytest.approx(reference.roc_auc_score(positive, scores))
    expected = reference.average_precision_score(positive, scores)
    assert average_precision(scores, positive).value == pytest.approx(expected)
    curve = roc(scores, positive)
    fpr, tpr, thresholds = reference.roc_curve(positive, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, fpr)
    np.testing.assert_allclose(curve.sensitivity, tpr)
    np.testing.assert_allclose(curve.threshold, thresholds)


def test_auroc_by_hand():
    # Pairs (positive, negative): 3>1, 3>2, 2>1, 2=2 (half): 3.5 of 4.
    assert auroc([3, 2, 1, 2], [True, True, False, False]).value == pytest.approx(3.5 / 4)
    assert auroc([1, 1, 1], [True, False, False]).value == 0.5


def test_without_both_sides_there_is_no_figure():
    assert np.isnan(auroc([1.0, 2.0], [True, True]).value)
    assert np.isnan(auroc([], []).value)
    assert np.isnan(average_precision([1.0, 2.0], [False, False]).value)
    with pytest.raises(ValueError, match="at least one positive and one negative"):
        roc([1.0, 2.0], [True, True])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 100_000), st.sampled_from([0, 1, 12]))
def test_weights_mean_repeated_rows(seed, decimals):
    scores, positive = draw(seed, decimals, 30)
    weights = np.random.default_rng(seed).integers(0, 4, (3, 30))
    for figure in (auroc, average_precision):
        many = figure(scores, positive).over(weights.astype(float))
        for row, value in zip(weights, many, strict=True):
            again = np.repeat(np.arange(30), row)
            np.testing.assert_allclose(value, figure(scores[again], positive[again]).value, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000))
def test_auroc_is_of_the_order_only_and_turns_with_the_sign(seed):
    scores, positive = draw(seed, 1, 60)
    area = auroc(scores, positive).value
    assert auroc(np.exp(scores), positive).value == pytest.approx(area)
    assert auroc(-scores, positive).value == pytest.approx(1 - area)
