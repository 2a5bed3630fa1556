"""Figures of made-up predictions whose answers are known."""

import math

import numpy as np
import pytest
from scipy import stats

from poxlens.recipes.compare.report.analysis import analyse
from poxlens.recipes.compare.report.comparisons import test_share as share_tested
from poxlens.recipes.compare.report.wording import pairs_told, result_told, tones_told


def model(found, name):
    return next(one for one in found.pooled if one.model.name == name)


def test_pooled_figures_are_those_made(run):
    found = analyse(run.folder, resamples=200)
    assert found.best.model.name == "net-a dense"
    for name, wrong in (
        ("net-a dense", 4),
        ("net-a dense+augmentation", 6),
        ("net-b dense", 20),
        ("net-b svm", 12),
    ):
        one = model(found, name)
        assert one.figures["accuracy"].value == pytest.approx(1 - wrong / 120)
        assert one.figures["accuracy"].low <= 1 - wrong / 120 <= one.figures["accuracy"].high
        assert one.confusion.sum() == 120
        assert np.trace(one.confusion) == 120 - wrong
        # Groups of two images, classes in turn: half of the wrong ones are of each class.
        assert one.recalls["mpox"].value == pytest.approx(1 - (wrong // 4 * 2 + min(2, wrong % 4)) / 60)
        assert one.figures["sensitivity at .5"].value == one.recalls["mpox"].value
    assert model(found, "net-a dense").figures["accuracy"].cases == 60
    assert found.tested.models[0].probabilities.shape == (1, 120, 2)


def test_repeats_are_averaged_and_no_evidence(make):
    run = make(repeats=3)
    found = analyse(run.folder, resamples=300)
    one = model(found, "net-b dense")
    assert one.figures["accuracy"].value == pytest.approx(100 / 120)
    assert one.figures["accuracy"].n == 120
    assert one.spreads["accuracy"].of == 15
    assert one.confusion.sum() == 360
    # Ten of sixty groups are wrong, all or nothing: the interval is that of ten in sixty, not of sixty in 360.
    error = math.sqrt(10 / 60 * 50 / 60 / 60)
    assert one.figures["accuracy"].high - one.figures["accuracy"].low == pytest.approx(
        2 * 1.96 * error, rel=0.2
    )


def test_differences_are_paired(run):
    found = analyse(run.folder, resamples=400)
    assert found.comparisons.best == "net-a dense"
    against = {one.name: one.differences["accuracy"] for one in found.comparisons.against}
    assert against["net-b dense"].value == pytest.approx(16 / 120)
    assert against["net-b dense"].low > 0
    assert against["net-a dense+augmentation"].value == pytest.approx(2 / 120)
    assert against["net-a dense+augmentation"].low <= 0 or against["net-a dense+augmentation"].low < 0.001
    assert result_told(found).startswith("Most accurate: net-a dense, with accuracy 0.967")


def test_tests_over_folds_use_the_folds_accuracies(run):
    found = analyse(run.folder, resamples=100)
    tests = found.comparisons
    assert tests.refused == ""
    assert [one.setting for one in tests.settings] == ["dense"]  # the only one that both networks have
    first, second = (model(found, name).folds["accuracy"] for name in ("net-a dense", "net-b dense"))
    assert tests.settings[0].anova.anova.statistic == pytest.approx(
        stats.ttest_rel(first, second).statistic ** 2
    )
    (augmented,) = tests.augmentation
    assert augmented.network == "net-a"
    assert augmented.with_it == pytest.approx(1 - 6 / 120)
    assert len(tests.pairs) == 6
    assert share_tested(found.tested) == pytest.approx(1 / 4, rel=0.02)
    assert all(math.isnan(pair.p) or pair.adjusted >= pair.p for pair in tests.pairs)
    assert "of 6 pairs" in pairs_told(found)


def test_folds_of_one_group_are_not_tested(make):
    found = analyse(make(folds=15, images=60).folder, resamples=100)
    assert found.comparisons.refused.startswith("Folds of 4 images")
    assert found.comparisons.pairs == ()
    assert len(found.comparisons.against) == 3


def test_few_groups_with_a_tone_have_no_verdict(make):
    run = make(tones=lambda place: "dark" if place < 16 else "light")
    found = analyse(run.folder, resamples=100)
    assert {one.verdict for one in found.tones.values()} == {
        "too few cases: 8 groups with dark skin, 10 are needed"
    }
    assert tones_told(found).startswith("No verdict: too few cases")


def test_a_class_with_few_groups_says_so(make):
    run = make(classes=("mpox", "acne", "healthy"), images=48)
    found = analyse(run.folder, resamples=100)
    assert all(recall.too_few for one in found.pooled for recall in one.recalls.values())
    assert found.best.figures["AUROC"].too_few


def test_three_classes(make):
    run = make(classes=("mpox", "acne", "healthy"))
    found = analyse(run.folder, resamples=100)
    one = model(found, "net-b dense")
    assert one.confusion.shape == (3, 3)
    assert one.figures["accuracy"].value == pytest.approx(100 / 120)
    assert found.calibrated["net-b dense"].temperatures.shape == (5,)


def test_curves_are_of_each_network_s_best_setting(run):
    found = analyse(run.folder, resamples=100)
    assert [one.pooled.model.name for one in found.leaders] == ["net-a dense", "net-b svm"]
    useful = found.leaders[0].useful
    assert useful.everybody[useful.thresholds.index(0.5)].value == pytest.approx(0, abs=1e-9)
    ends = [value for one in useful.npv for value in (one.low, one.value, one.high)]
    assert all(0 <= value <= 1 for value in ends)


def series(run, name, first, values, keep=lambda row: True):
    head, *lines = run.predictions.read_text().splitlines()
    rows = run.rows()
    with (run.folder / name).open("w") as stream:
        stream.write(f"{first},{head}\n")
        for value in values:
            stream.writelines(
                f"{value},{line}\n"
                for line, row in zip(lines, rows, strict=True)
                if row["setting"] == "svm" and keep(row)
            )


def test_learning_curves_and_leaving_one_out_are_read(run):
    series(run, "learning.csv", "size", (96, 20))
    series(run, "leave_one_out.csv", "way", ("nested", "best-fold (leaks)"))
    found = analyse(run.folder, resamples=100)
    assert [(one.network, one.size) for one in found.learning] == [("net-b", 20), ("net-b", 96)]
    assert [one.value for one in found.left_out] == ["best-fold (leaks)", "nested"]
    for one in (*found.learning, *found.left_out):
        assert one.figures["accuracy"].value == pytest.approx(108 / 120)
    assert found.incomplete == ()


def test_a_point_that_lacks_images_is_named_and_left_out(run):
    series(run, "learning.csv", "size", (96,), keep=lambda row: row["fold"] != "2")
    found = analyse(run.folder, resamples=100)
    assert found.learning == ()
    assert found.incomplete == ("learning curve, net-b svm, 96: 24 predictions are missing",)


def test_a_size_that_is_no_number_is_refused(run):
    from poxlens.recipes.compare.report.rows import ReportError

    series(run, "learning.csv", "size", ("all",))
    with pytest.raises(ReportError, match="row 2: size must be a number of images, is 'all'"):
        analyse(run.folder, resamples=100)
