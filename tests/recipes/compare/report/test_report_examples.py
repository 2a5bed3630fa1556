"""Examples of a comparison: of its most accurate model, or of the one that is named."""

from __future__ import annotations

import pytest

from poxlens.recipes.examples import ExamplesError, lots, read_told


def test_the_most_accurate_model_is_shown_unless_another_is_named(run):
    told = read_told(run.folder)
    assert told.model == "net-a dense"
    assert told.classes == run.classes
    assert sum(not one.right for one in told.cases) == 4
    assert len(told.cases) == 120
    assert sum(not one.right for one in read_told(run.folder, "net-b svm").cases) == 12
    with pytest.raises(ExamplesError, match='no model "net-c dense"; it has net-a dense'):
        read_told(run.folder, "net-c dense")


def test_each_class_has_its_own_examples(run):
    parts = lots(read_told(run.folder, "net-b dense"), 3)
    assert [(name, len(right), len(wrong)) for name, right, wrong in parts] == [
        ("mpox", 3, 3),
        ("others", 3, 3),
    ]
    for name, right, wrong in parts:
        assert all(name in one.file for one in (*right, *wrong))
        assert all(one.said != name and one.probability > 0.5 for one in wrong)
