import csv
import io
import math

import pytest

from poxlens.evaluate.fold_figures import Spread
from poxlens.evaluate.intervals import Estimate
from poxlens.evaluate.significance import Comparison
from poxlens.recipes.compare.report.analysis import analyse
from poxlens.recipes.compare.report.paper_tables import paper_tables
from poxlens.recipes.compare.report.table import PValue, Signed, Table, text
from poxlens.recipes.compare.report.tables import tables


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (Estimate(0.91234, 0.8, 0.99, 100, 50), "0.912 [0.800, 0.990]"),
        (Estimate(0.91234, 0.8, 0.99, 100, 9), "too few cases"),
        (Estimate(1.0, math.nan, math.nan, 100, 50), "1.000 [no interval]"),
        (
            Estimate(0.99964, 0.9991, 1.0, 100, 50),
            "0.9996 [0.999, 1.000]",
        ),  # 1 that is not reached is not written
        (Estimate(math.nan, math.nan, math.nan, 0, 0), "–"),
        (Signed(Estimate(-0.02, -0.05, 0.01, 100, 50)), "−0.020 [−0.050, +0.010]"),
        (Comparison("a", "b", 0.1, 0.05, 0.15, 0.01, 0.02), "+0.100 [+0.050, +0.150]"),
        (Spread(0.882, 0.057, 10, 10), "0.882 (± 0.057)"),
        (Spread(0.882, 0.057, 8, 10), "0.882 (± 0.057), 8 of 10 folds"),
        (Spread(math.nan, math.nan, 0, 10), "–"),
        (PValue(0.0004), "< .001"),
        (PValue(0.0461), ".046"),
        (PValue(1.0), "1.000"),
        (PValue(math.nan), "–"),
        (0.5, "0.500"),
        (7, "7"),
    ],
)
def test_cells_read_as_they_should(cell, shown):
    assert text(cell) == shown


TABLE = Table(
    "some",
    "Some & others",
    ("network", "accuracy", "folds", "p"),
    (
        ("a_b", Estimate(0.9, 0.8, 1.0, 100, 50), Spread(0.9, 0.1, 5, 5), PValue(0.01)),
        ("c|d", "–", Spread(0.8, 0.1, 5, 5), PValue(math.nan)),
    ),
    "100 % of it.",
)


def test_csv_holds_every_number_in_its_own_column():
    rows = list(csv.reader(io.StringIO(TABLE.csv())))
    assert rows[0] == [
        *("network", "accuracy", "accuracy low", "accuracy high", "accuracy n", "accuracy groups"),
        *("folds mean", "folds SD", "folds folds", "p"),
    ]
    assert rows[1] == ["a_b", "0.9", "0.8", "1", "100", "50", "0.9", "0.1", "5", "0.01"]
    assert rows[2] == ["c|d", "–", "", "", "", "", "0.8", "0.1", "5", ""]


def test_markdown_and_latex_are_escaped():
    assert "| c\\|d | – | 0.800 (± 0.100) | – |" in TABLE.markdown()
    latex = TABLE.latex()
    assert r"\caption{Some \& others}" in latex
    assert r"a\_b & 0.900 [0.800, 1.000] & 0.900 ($\pm$ 0.100) & .010 \\" in latex
    assert r"100 \% of it." in latex
    assert latex.count(r"\\") == 3


def test_the_tables_of_a_study(run):
    found = analyse(run.folder, resamples=100)
    names = [table.name for table in tables(found)]
    assert names == [
        *("decisions", "probabilities", "recall", "folds", "anova", "tukey", "augmentation", "pairs"),
        *("against-best", "calibration", "skin-tone", "net-benefit", "prevalence"),
    ]
    for table in tables(found):
        assert all(len(row) == len(table.heads) for row in table.rows), table.name


def test_the_binary_table_names_the_paper_s_columns_by_what_they_are(run):
    (table,) = paper_tables(analyse(run.folder, resamples=100))
    assert table.heads == ("network", "setting", "accuracy", "mean recall", "recall of mpox", "micro F1")
    assert "the paper's “specificity” is here “recall of mpox”" in table.note


def test_the_paper_stands_beside_a_study_made_like_its_own(make):
    wrong = {("mobilenet-v3-large", "dense"): 12, ("mobilenet-v3-small", "dense+augmentation"): 24}
    run = make(name="mcsi-like", classes=("mpox", "chickenpox", "acne", "healthy"), wrong=wrong, images=160)
    _, beside = paper_tables(analyse(run.folder, resamples=100))
    row = next(row for row in beside.rows if row[:2] == ("mobilenet-v3-large", "dense"))
    cells = dict(zip(beside.heads, row, strict=True))
    assert text(cells["accuracy, paper"]) == "0.882 (± 0.057)"
    assert text(cells["macro F1, paper"]) == "0.879 (± 0.058)"
    assert cells["accuracy, here"].mean == pytest.approx(1 - 12 / 160, abs=0.02)
    assert text(cells["one-vs-rest specificity, paper"]) == "0.960 (± 0.019)"
    absent = next(row for row in beside.rows if row[:2] == ("vgg16", "dense"))
    assert text(absent[3]) == "–"
    assert len(beside.rows) == 10
