import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from poxlens.evaluate.fold_figures import FOLD_FIGURES, by_fold, fold_figures, spread


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 100_000), st.integers(2, 5))
def test_figures_of_a_fold_equal_scikit_learn(seed, classes):
    random = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), random.integers(0, classes, 40)])
    decided = np.where(random.random(truth.size) < 0.6, truth, random.integers(0, classes, truth.size))
    found = fold_figures(truth, decided, classes, 0)
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(truth, decided))
    assert found["mean recall"] == pytest.approx(reference.balanced_accuracy_score(truth, decided))
    assert found["macro F1"] == pytest.approx(reference.f1_score(truth, decided, average="macro"))
    assert found["micro F1"] == pytest.approx(reference.f1_score(truth, decided, average="micro"))
    assert found["recall of the target"] == pytest.approx(reference.recall_score(truth == 0, decided == 0))
    assert found["recall of the others"] == pytest.approx(reference.recall_score(truth != 0, decided != 0))
    one_vs_rest = [reference.recall_score(truth != one, decided != one) for one in range(classes)]
    assert found["one-vs-rest specificity"] == pytest.approx(np.mean(one_vs_rest))
    assert set(found) == set(FOLD_FIGURES)


def test_a_binary_fold_by_hand():
    # 2 of 3 mpox found, 4 of 5 others spared.
    truth, decided = [0, 0, 0, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1, 1, 0]
    found = fold_figures(truth, decided, 2, 0)
    assert found["accuracy"] == pytest.approx(6 / 8)
    assert found["recall of the target"] == pytest.approx(2 / 3)
    assert found["recall of the others"] == pytest.approx(4 / 5)
    assert found["mean recall"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found["one-vs-rest specificity"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert found["macro F1"] == pytest.approx((4 / 6 + 8 / 10) / 2)


def test_a_fold_without_the_target_has_no_recall_of_it():
    found = fold_figures([1, 1], [1, 0], 2, 0)
    assert math.isnan(found["recall of the target"])
    assert found["mean recall"] == 0.5


def test_mean_and_sd_are_over_the_folds_that_have_the_figure():
    found = spread([0.8, 0.9, math.nan, 1.0])
    assert (found.mean, found.sd, found.folds, found.of) == (pytest.approx(0.9), pytest.approx(0.1), 3, 4)
    assert found.partial
    assert not spread([0.8, 0.9]).partial
    assert math.isnan(spread([math.nan]).mean)
    assert math.isnan(spread([0.5]).sd)


def test_figures_come_in_the_order_of_folds():
    truth = np.array([0, 1, 0, 1])
    found = by_fold(truth, np.array([1, 1, 0, 1]), np.array([3, 3, 1, 1]), 2, 0)
    assert found["accuracy"].tolist() == [1.0, 0.5]
