"""Examples of a run of `poxlens train`: out of fold, by lot, the same each time."""

from __future__ import annotations

import json

import numpy as np
import pytest

from poxlens.recipes.examples import Case, ExamplesError, Told, lots, read_told
from poxlens.recipes.predictions import Predicted, Rows, write_predictions

CLASSES = ("mpox", "measles", "healthy")


@pytest.fixture
def run(tmp_path):
    """Twelve photos, two repeats; the fourth of each class is told wrong; one is a patch, one of two classes."""
    truth = np.arange(12) % 3
    possible = np.eye(3, dtype=bool)[truth]
    possible[11] = [False, True, True]
    rows = Rows(
        np.array([f"set/{at:02d}.jpg" for at in range(12)]),
        np.array([""] * 10 + ["0,0,64", ""]),
        np.array(["set"] * 12),
        np.array([CLASSES[at] for at in truth]),
        np.arange(12),
        np.array(["light"] * 12),
        np.ones(12, bool),
        np.zeros(12),
        possible,
    )
    logits = np.zeros((2, 12, 3))
    logits[0, np.arange(12), truth] = 2.0
    logits[1, np.arange(12), truth] = 1.0
    logits[:, 9] = [0.0, 3.0, 0.0]  # of mpox, told measles
    other = np.full((1, 12, 3), 5.0)
    write_predictions(
        tmp_path / "predictions.csv",
        {
            "strict": Predicted(rows, logits, np.zeros((2, 12), int)),
            "loose filter": Predicted(rows, other, np.zeros((1, 12), int)),
        },
        CLASSES,
    )
    recipe = {"recipe": {"name": "r", "version": "1"}, "data_sha256": "ab"}
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    return tmp_path


def test_a_training_run_tells_what_was_said_out_of_fold(run):
    told = read_told(run)
    assert told.classes == CLASSES
    assert told.model == "r 1"
    assert told.table_sha256 == "ab"
    assert [one.file for one in told.cases] == [f"set/{at:02d}.jpg" for at in range(10)]  # no patch, no doubt
    wrong = [one for one in told.cases if not one.right]
    assert [(one.file, one.truth, one.said) for one in wrong] == [("set/09.jpg", "mpox", "measles")]
    expected = np.mean([np.e**z / (np.e**z + 2) for z in (2.0, 1.0)])
    assert told.cases[0].probability == pytest.approx(expected, abs=1e-5)


def test_lots_do_not_depend_on_the_order_and_hold_at_most_as_many(run):
    told = read_told(run)
    parts = lots(told, 2)
    assert [name for name, _, _ in parts] == list(CLASSES)
    name, right, wrong = parts[0]
    assert [len(right), len(wrong)] == [2, 1]
    assert all(one.truth == name and one.right for one in right)
    again = lots(Told(told.classes, told.cases[::-1], told.model, ""), 2)
    assert again == parts
    assert lots(told, 50)[0][1][:2] == right


def test_a_folder_of_another_kind_or_another_model_is_named(run, tmp_path):
    with pytest.raises(ExamplesError, match="neither study"):
        read_told(tmp_path / "none")
    with pytest.raises(ExamplesError, match="leave --model out"):
        read_told(run, "a b")
    (run / "predictions.csv").write_text("experiment\n")
    with pytest.raises(ExamplesError, match="cannot be read"):
        read_told(run)


def test_a_case_is_right_when_it_was_told_as_it_is():
    assert Case("a", "mpox", "mpox", 0.9).right
    assert not Case("a", "mpox", "measles", 0.9).right
