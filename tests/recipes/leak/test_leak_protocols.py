"""Who may stand on which side of a split."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from poxlens.errors import TrainingError
from poxlens.recipes.leak.protocols import PROTOCOLS, Units, folds_of

COPIES, FOLDS = 3, 4  # of the plan in conftest


def test_common_tests_every_copy_once_and_splits_the_copies_of_an_image(collection):
    made = collection()
    units = Units.of(made, COPIES)
    folds = list(folds_of(made, "common", COPIES, FOLDS, 0))
    assert np.array_equal(sum(fold.test.astype(int) for fold in folds), np.ones(60 * (COPIES + 1)))
    for fold in folds:
        assert not (fold.train & fold.test).any()
        both = np.intersect1d(units.image[fold.train], units.image[fold.test])
        assert len(both) > 0.9 * len(np.unique(units.image[fold.test]))


def test_image_keeps_an_image_whole_but_splits_groups(collection):
    made = collection()
    units = Units.of(made, COPIES)
    folds = list(folds_of(made, "image", COPIES, FOLDS, 0))
    shared = 0
    for fold in folds:
        assert len(np.intersect1d(units.image[fold.train], units.image[fold.test])) == 0
        assert (units.copy[fold.test] == 0).all()
        assert fold.train.sum() == 45 * (COPIES + 1)
        groups = made.group[units.image]
        shared += len(np.intersect1d(groups[fold.train], groups[fold.test]))
    assert shared > 20
    assert np.array_equal(np.flatnonzero(sum(f.test for f in folds)), np.flatnonzero(units.copy == 0))


@pytest.mark.parametrize("protocol", ["grouped", "strict"])
def test_no_group_is_on_both_sides(protocol, collection):
    made = collection(others=20)
    units = Units.of(made, COPIES)
    group = made.group[units.image]
    seen = np.zeros(len(group), int)
    for fold in folds_of(made, protocol, COPIES, FOLDS, 0):
        assert len(np.intersect1d(group[fold.train], group[fold.test])) == 0
        assert (units.copy[fold.test] == 0).all()
        assert made.tested[units.image[fold.test]].all()
        seen += fold.test
    assert np.array_equal(np.flatnonzero(seen), np.flatnonzero((units.copy == 0) & (units.image < 60)))
    assert seen.max() == 1


def test_other_data_sets_are_learnt_from_in_merged_and_but_for_look_alikes_in_strict(collection):
    made = collection(others=20)
    units = Units.of(made, COPIES)
    other = ~made.tested[units.image]
    for name in ("common", "image", "grouped"):
        assert not any((fold.train & other).any() for fold in folds_of(made, name, COPIES, FOLDS, 0))
    for merged, strict, grouped in zip(
        *(folds_of(made, name, COPIES, FOLDS, 0) for name in ("merged", "strict", "grouped")), strict=True
    ):
        assert np.array_equal(merged.test, strict.test)
        assert np.array_equal(merged.test, grouped.test)
        assert merged.train[other].all()
        alike = np.isin(made.group[units.image], made.group[units.image[merged.test]])
        assert np.array_equal(merged.train & ~strict.train, other & alike)
        assert np.array_equal(strict.train & ~other, grouped.train)


def test_classes_are_spread_over_folds(collection):
    made = collection()
    units = Units.of(made, 0)
    for name in PROTOCOLS:
        for fold in folds_of(made, name, 0, FOLDS, 0):
            assert 0.3 <= made.label[units.image[fold.test]].mean() <= 0.7


def test_splits_differ_by_seed_and_only_by_seed(collection):
    made = collection()
    first, again, other = (
        np.stack([fold.test for fold in folds_of(made, "grouped", 1, FOLDS, seed)]) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(("protocol", "kind"), [("common", "images"), ("grouped", "groups of images")])
def test_too_small_a_class_is_named(protocol, kind, collection):
    made = replace(collection(8, 4), label=np.array([0, 0, 0, 1, 1, 1, 1, 1]))
    with pytest.raises(TrainingError, match=f'"mpox" has . {kind}, too few for 4 folds'):
        list(folds_of(made, protocol, 1, 4, 0))


def test_an_unknown_protocol_is_refused(collection):
    with pytest.raises(ValueError, match="no protocol 'hope'"):
        list(folds_of(collection(), "hope", 1, 4, 0))
