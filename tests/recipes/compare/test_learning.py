from __future__ import annotations

import csv
from itertools import pairwise

import numpy as np
import pytest

from poxlens.recipes.compare.cases import read_cases, read_table
from poxlens.recipes.compare.extra import no_extra
from poxlens.recipes.compare.folds import folds, split
from poxlens.recipes.compare.learning import sizes
from poxlens.recipes.compare.run import compare


@pytest.fixture
def parts(study_of, where):
    study, place = study_of(), where()
    cases = read_cases(study, read_table(study, place.base), place.base)
    return cases, list(folds(cases, split(study, cases, place.base), no_extra(), grouped=True))


def test_smaller_shares_are_part_of_larger_ones_and_the_test_stays(parts):
    cases, whole = parts
    found = sizes(cases, whole, (0.2, 0.5, 1.0), seed=0)
    assert [one.images for one in found] == sorted(one.images for one in found)
    assert found[-1].images == 24
    for small, large in pairwise(found):
        assert small.images < large.images
        for one, other, fold in zip(small.folds, large.folds, whole, strict=True):
            assert set(one.train) <= set(other.train) <= set(fold.train)
            assert np.array_equal(one.test, fold.test)


def test_every_class_and_whole_groups_are_left_in(parts):
    cases, whole = parts
    for size in sizes(cases, whole, (0.01, 0.3), seed=0):
        for one, fold in zip(size.folds, whole, strict=True):
            for rows, all_rows in ((one.train, fold.train), (one.validation, fold.validation)):
                assert set(cases.truth[rows]) == {0, 1}
                assert np.array_equal(np.sort(rows), rows)
                inside = np.isin(cases.groups.of[all_rows], cases.groups.of[rows])
                assert np.array_equal(all_rows[inside], rows)


def test_half_is_half_of_the_groups(parts):
    cases, whole = parts
    (size,) = sizes(cases, whole, (0.5,), seed=0)
    for one in size.folds:
        groups = np.unique(cases.groups.of[np.concatenate([one.train, one.validation])])
        assert len(groups) == 6  # of 12


def test_the_table(study_of, where):
    study = study_of(
        heads=["logistic", "prototypes"], learning={"shares": [0.25, 1.0], "settings": ["logistic"]}
    )
    done = compare(study, where(), learning_curve=True)
    with (done.out / "learning.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[:9] == [
        "size",
        "repeat",
        "fold",
        "network",
        "setting",
        "file",
        "group",
        "tone",
        "label",
    ]
    assert {row["setting"] for row in rows} == {"logistic"}
    count = {size: sum(row["size"] == size for row in rows) for size in {row["size"] for row in rows}}
    assert set(count.values()) == {32}
    assert len(count) == 2
    assert max(map(int, count)) == 24
    with (done.out / "predictions.csv").open(newline="") as stream:
        whole = [row for row in csv.DictReader(stream) if row["setting"] == "logistic"]
    assert [{k: v for k, v in row.items() if k != "size"} for row in rows if row["size"] == "24"] == whole
    first = (done.out / "learning.csv").read_bytes()
    compare(study, where(), learning_curve=True)
    assert (done.out / "learning.csv").read_bytes() == first
