import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from poxlens.audit.probes import deal_units, design, enough, out_of_fold, probe, subset


def test_design_is_standard_and_drops_what_does_not_vary():
    rng = np.random.default_rng(0)
    values = np.stack([rng.normal(50, 9, 400), np.full(400, 7.0), np.full(400, np.nan)], axis=1)
    columns = design(values)
    assert columns.shape == (400, 2)  # the number and its square
    assert np.abs(columns.mean(0)).max() < 1e-9
    assert np.abs(columns.std(0) - 1).max() < 1e-9


def test_a_missing_value_is_a_mark_of_its_own():
    values = np.full((100, 1), 90.0)
    values[:30] = np.nan
    columns = design(values)
    assert columns.shape == (100, 1)
    assert len(np.unique(columns[:30])) == 1
    assert columns[0, 0] != columns[50, 0]


def test_one_giant_does_not_set_the_scale():
    values = np.arange(1000.0)[:, None].copy()
    values[0] = 1e12
    assert np.ptp(design(values)[:, 0]) < 4


def test_units_stay_whole_and_classes_are_spread():
    rng = np.random.default_rng(1)
    unit = rng.integers(0, 120, 600)
    label = (unit % 3).astype(np.int64)
    fold = deal_units(unit, label, 5, 0)
    assert all(len(set(fold[unit == one])) == 1 for one in np.unique(unit))
    for kind in range(3):
        units = [len(np.unique(unit[(fold == number) & (label == kind)])) for number in range(5)]
        assert max(units) - min(units) <= 1
        rows = [int(((fold == number) & (label == kind)).sum()) for number in range(5)]
        assert max(rows) < 1.15 * min(rows)


def test_a_subset_is_of_whole_units():
    unit = np.repeat(np.arange(100), 7)
    kept = subset(unit, 300, 0)
    assert 293 <= kept.sum() <= 300
    assert all(kept[unit == one].all() or not kept[unit == one].any() for one in range(100))
    assert subset(unit, 700, 0).all()


def test_a_class_that_differs_is_told_and_a_middle_value_too():
    rng = np.random.default_rng(2)
    positive = np.arange(300) < 100
    shifted = rng.normal(0, 1, 300) + 2.0 * positive
    middle = np.where(positive, rng.normal(0, 0.1, 300), rng.normal(0, 2, 300))
    unit = np.arange(300)
    fold = deal_units(unit, positive.astype(int), 5, 0)
    found = probe(
        {"shifted": design(shifted[:, None]), "middle": design(middle[:, None]), "none": np.empty((300, 0))},
        positive, unit, fold, resamples=200, seed=0,
    )  # fmt: skip
    assert set(found) == {"shifted", "middle"}
    assert found["shifted"].value == pytest.approx(0.92, abs=0.04)  # Phi(2 / sqrt 2) = .921
    assert found["middle"].value > 0.85
    assert found["shifted"].low < found["shifted"].value < found["shifted"].high


def test_noise_is_worth_nothing():
    rng = np.random.default_rng(3)
    values = []
    for _ in range(20):
        positive = rng.random(200) < 0.4
        fold = deal_units(np.arange(200), positive.astype(int), 5, 0)
        scores = out_of_fold(design(rng.normal(size=(200, 3))), positive, fold)
        values.append(roc_auc_score(positive, scores))
    assert np.mean(values) == pytest.approx(0.5, abs=0.03)
    assert max(values) < 0.65


def test_what_only_names_the_person_is_worth_nothing():
    """Each person has a number of its own that says nothing of the class: copies on both sides would tell."""
    rng = np.random.default_rng(4)
    person = np.repeat(np.arange(40), 10)
    positive = np.repeat(rng.random(40) < 0.5, 10)
    one_hot = (person[:, None] == np.arange(40)[None]).astype(float)
    columns = design(one_hot, squares=False)
    whole = out_of_fold(columns, positive, deal_units(person, positive.astype(int), 5, 0))
    torn = out_of_fold(columns, positive, deal_units(np.arange(400), positive.astype(int), 5, 0))
    assert roc_auc_score(positive, torn) > 0.95
    assert roc_auc_score(positive, whole) < 0.65


def test_too_few_units_give_no_verdict():
    positive = np.arange(40) < 20
    assert enough(positive, np.arange(40))
    assert not enough(positive, np.arange(40) // 3)  # seven units on one side
