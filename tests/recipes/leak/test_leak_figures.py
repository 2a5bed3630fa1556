"""The tool shows leakage where there is some, and its figures are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from poxlens.evaluate.intervals import Estimate
from poxlens.recipes.leak.figures import gap, measure, originals
from poxlens.recipes.leak.report import written


def test_random_labels_look_learnt_under_the_common_protocol_and_only_there(tested, of):
    common = measure(of(tested, "1-nn", "common"), "mpox", resamples=300)
    honest = measure(of(tested, "1-nn", "grouped"), "mpox", resamples=300)
    assert common.clustered["accuracy"].value > 0.95
    assert common.clustered["AUROC"].value > 0.97
    assert common.seen == 1.0
    assert honest.seen == 0.0
    for name in ("accuracy", "AUROC", "macro F1"):
        assert honest.clustered[name].low < 0.5 < honest.clustered[name].high
        assert abs(honest.clustered[name].value - 0.5) < 0.1


def test_a_random_split_of_images_leaks_through_look_alikes(tested, of):
    image = measure(of(tested, "1-nn", "image"), "mpox", resamples=300)
    honest = measure(of(tested, "1-nn", "grouped"), "mpox", resamples=300)
    assert image.clustered["accuracy"].value > honest.clustered["accuracy"].value + 0.1
    assert 0.5 < image.seen < 1


def test_the_gap_is_the_difference_and_its_interval_excludes_zero(tested, of):
    above, below = of(tested, "1-nn", "common"), of(tested, "1-nn", "grouped")
    found = gap(above, below, "mpox", resamples=300)
    for name, estimate in found.figures.items():
        first, second = (measure(t, "mpox", resamples=10).clustered[name].value for t in (above, below))
        assert estimate.value == pytest.approx(first - second, abs=1e-12)
        assert estimate.low > 0.2
    with pytest.raises(ValueError, match="the same groups"):
        gap(above, replace(below, group=below.group.copy() + "x"), "mpox")


def test_the_naive_interval_is_narrower_than_the_one_over_groups(tested, of):
    common = measure(of(tested, "logistic", "common"), "mpox", resamples=500)
    width = {
        kind: figures["accuracy"].high - figures["accuracy"].low
        for kind, figures in (("naive", common.naive), ("groups", common.clustered))
    }
    assert width["groups"] > 1.2 * width["naive"]


def test_more_copies_leak_more(tested, of):
    values = [
        measure(of(tested, "1-nn", "common", k), "mpox", resamples=10).clustered["accuracy"].value
        for k in (0, 1, 3)
    ]
    assert values == sorted(values)
    assert values[2] > values[0] + 0.1


def test_originals_are_the_unaugmented_rows(tested, of):
    common = of(tested, "svm", "common")
    alone = originals(common)
    assert len(alone.file) == 160
    assert (alone.copy == 0).all()
    assert np.array_equal(alone.probability, common.probability[:, common.copy == 0])


def test_how_figures_are_written():
    assert written(Estimate(0.9531, 0.9, 1.0, 10, 5)) == "0.953 [0.900–1.000]"
    assert written(Estimate(-0.05, -0.1, 0.02, 10, 5), signed=True) == "−0.050 [−0.100 to +0.020]"
    assert written(Estimate(1.0, float("nan"), float("nan"), 10, 5)) == "1.000 [no interval]"
    assert written(None) == "–"
