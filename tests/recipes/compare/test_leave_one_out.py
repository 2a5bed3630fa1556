from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from poxlens.data.splits.store import write_splits
from poxlens.recipes.compare.cases import read_cases, read_table
from poxlens.recipes.compare.folds import Fold, leave_one_out
from poxlens.recipes.compare.leave_one_out import best_chosen, tasks
from poxlens.recipes.compare.run import compare
from poxlens.recipes.compare.units import Result, Setting, Unit


def rows_of(path, **wanted):
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def test_nested_is_the_cross_validation_with_one_group_a_fold(study_of, where, photos):
    heads = {"heads": ["logistic", "dense"], "augmentation": [False]}
    study = study_of(**heads, leave_one_out={"ways": ["nested"]})
    place = where()
    cases = read_cases(study, read_table(study, place.base), place.base)
    splits = leave_one_out(study, cases, place.base)
    assert len(list(splits)) == 16  # patients
    write_splits(photos / "loo.json", splits)
    nested = compare(study, place)
    plain = compare(study_of(**heads, protocol={"splits": "loo.json"}), where("plain"))
    found = rows_of(nested.out / "leave_one_out.csv")
    assert {row.pop("way") for row in found} == {"nested"}
    assert found == rows_of(plain.out / "predictions.csv")
    assert len(found) == 2 * 32


def test_the_papers_way_takes_the_best_folds_hyperparameters_and_says_that_it_leaks(study_of, where):
    study = study_of(
        heads=["logistic", "svm", "dense"],
        leave_one_out={"ways": ["best-fold", "nested"], "settings": ["svm", "dense+augmentation"]},
    )
    done = compare(study, where())
    assert done.failed == {}
    rows = rows_of(done.out / "leave_one_out.csv")
    assert {row["way"] for row in rows} == {"best-fold (leaks)", "nested"}
    assert {row["setting"] for row in rows} == {"svm", "dense+augmentation"}
    assert len(rows) == 2 * 2 * 32
    units = [
        json.loads(path.read_text()) for path in (done.out / "leave-one-out" / "one" / "svm").glob("*.json")
    ]
    fixed = [one for one in units if one["variant"].startswith("best-fold")]
    assert len(fixed) == 16
    assert len({str(one["chosen"]["setting"]) for one in fixed}) == 1
    assert all(len(one["trials"]) == 1 for one in fixed)
    assert all(len(one["trials"]) == 12 for one in units if one["variant"] == "nested")


def test_plain_leave_one_out_leaves_out_one_image(study_of, where):
    study = study_of(protocol={"grouped": False})
    place = where()
    cases = read_cases(study, read_table(study, place.base), place.base)
    splits = leave_one_out(study, cases, place.base)
    assert [len(splits.outer[repeat][fold]) for repeat, fold in splits] == [1] * 32
    tested = np.concatenate([splits.outer[repeat][fold] for repeat, fold in splits])
    assert sorted(tested.tolist()) == list(range(32))


def test_the_best_fold_by_hand(study_of, where):
    study = study_of()
    place = where()
    cases = read_cases(study, read_table(study, place.base), place.base)
    setting = Setting("logistic")

    def result(fold, right):
        test = np.arange(4)
        truth = cases.truth[test]
        said = np.where(np.arange(4) < right, truth, 1 - truth)
        return Result(
            Unit("one", setting, 0, fold), test, np.eye(2, dtype=np.float32)[said], {"setting": fold}, [], 0.1
        )

    results = [result(0, 2), result(2, 3), result(1, 3)]
    assert best_chosen(cases, results, "one", setting) == {"setting": 1}
    assert best_chosen(cases, results, "two", setting) is None
    assert best_chosen(cases, results, "one", replace(setting, averaged=True)) is None


def test_another_best_fold_is_another_unit(study_of, where):
    study, place = study_of(), where()
    cases = read_cases(study, read_table(study, place.base), place.base)

    class Net:
        identity = "x"

    def variants(chosen):
        test = np.arange(2)
        result = Result(
            Unit("one", Setting("svm"), 0, 0),
            test,
            np.eye(2, dtype=np.float32)[cases.truth[test]],
            chosen,
            [],
            0.1,
        )
        part = Fold(0, 0, test, test, test)
        return [
            task.unit.variant
            for task in tasks(cases, [part], [result], "best-fold", {"one": Net()}, [Setting("svm")])
        ]

    assert variants({"setting": [1, 2]}) == variants({"setting": [1, 2]})
    assert variants({"setting": [1, 2]}) != variants({"setting": [1, 3]})


@pytest.mark.parametrize("ways", [["best-fold"], ["nested"]])
def test_a_resumed_leave_one_out_gives_the_same_bytes(study_of, where, ways):
    study = study_of(heads=["prototypes"], leave_one_out={"ways": ways})
    done = compare(study, where())
    path = done.out / "leave_one_out.csv"
    first = path.read_bytes()
    units = sorted((done.out / "leave-one-out").rglob("*.json"))
    assert len(units) == 16
    kept = units[3].stat().st_mtime_ns
    for lost in units[7:]:
        lost.unlink()
    compare(study, where())
    assert path.read_bytes() == first
    assert units[3].stat().st_mtime_ns == kept
