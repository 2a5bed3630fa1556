import numpy as np
import pytest
from sklearn import metrics as reference

from poxlens.evaluate.bands import GRID, precision_recall_band, roc_band


def drawn(n=300, seed=0):
    random = np.random.default_rng(seed)
    positive = random.random(n) < 0.4
    return random.normal(size=n) + 1.2 * positive, positive


def test_the_roc_curve_is_the_one_of_scikit_learn():
    scores, positive = drawn()
    found = roc_band([scores], positive, np.arange(300), draws=50)
    fpr, tpr, _ = reference.roc_curve(positive, scores, drop_intermediate=False)
    last = np.append(fpr[1:] != fpr[:-1], True)
    np.testing.assert_allclose(found.y, np.interp(GRID, fpr[last], tpr[last]))
    area = np.trapezoid(found.y, GRID)
    assert area == pytest.approx(reference.roc_auc_score(positive, scores), abs=0.005)


def test_precision_is_that_of_the_highest_threshold_reaching_a_recall():
    # Ranked: + - + - -; recall 0 and .5 are reached by the first (precision 1), above .5 by the third (2/3).
    found = precision_recall_band([[5, 4, 3, 2, 1]], [True, False, True, False, False], np.arange(5), draws=5)
    assert found.y[0] == found.y[50] == 1
    np.testing.assert_allclose(found.y[51:], 2 / 3)


def test_equal_scores_are_called_together():
    found = precision_recall_band([[1, 1, 1, 1]], [True, False, False, True], np.arange(4), draws=5)
    np.testing.assert_allclose(found.y, 0.5)
    np.testing.assert_allclose(
        roc_band([[1, 1, 1, 1]], [True, False, False, True], np.arange(4), draws=5).y, GRID
    )


def test_the_band_holds_the_curve_and_is_as_wide_as_chance():
    scores, positive = drawn(600)
    found = roc_band([scores], positive, np.arange(600), draws=400)
    inside = slice(5, 96)
    assert (found.low[inside] <= found.y[inside]).all()
    assert (found.high[inside] >= found.y[inside]).all()
    # At fixed specificity the error is at least that of a share of the positives.
    place, n = 20, int(positive.sum())
    error = np.sqrt(found.y[place] * (1 - found.y[place]) / n)
    assert 1.0 < (found.high[place] - found.low[place]) / (2 * 1.96 * error) < 2.0


def test_whole_clusters_make_the_band_wider_and_repeats_do_not_make_it_narrower():
    scores, positive = drawn(200)
    twice = np.repeat(np.arange(200), 3)
    apart = roc_band([scores[twice]], positive[twice], np.arange(600), draws=300)
    together = roc_band([scores[twice]], positive[twice], twice, draws=300)
    assert (together.high - together.low)[10:60].mean() > 1.4 * (apart.high - apart.low)[10:60].mean()
    one = roc_band([scores], positive, np.arange(200), draws=200)
    three = roc_band([scores] * 3, positive, np.arange(200), draws=200)
    np.testing.assert_allclose(three.low, one.low)


def test_one_class_has_no_curve():
    with pytest.raises(ValueError, match="at least one positive and one negative"):
        roc_band([[1.0, 2.0]], [True, True], [0, 1])
