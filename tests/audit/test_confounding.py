import numpy as np
import pytest
from scipy.stats.contingency import association

from poxlens.audit import confounding
from poxlens.audit.confounding import (
    bench,
    check_probes,
    check_sources,
    class_probes,
    cramers_v,
    pair_probes,
    tasks,
)


def test_cramers_v():
    assert cramers_v(np.array([[50, 0], [0, 70]])) == pytest.approx(1, abs=0.01)
    assert cramers_v(np.array([[30, 60], [10, 20]])) == 0
    assert np.isnan(cramers_v(np.array([[3, 4]])))
    # The plain figure, for large n where the correction vanishes.
    counts = np.array([[4000, 1000, 500], [1000, 3000, 700]])
    assert cramers_v(counts) == pytest.approx(association(counts, method="cramer"), abs=0.002)
    # Of pure noise the plain figure is .22 on average, the corrected one .07.
    rng = np.random.default_rng(0)
    noise = [rng.multinomial(60, np.full(12, 1 / 12)).reshape(4, 3) for _ in range(200)]
    assert np.mean([cramers_v(counts) for counts in noise]) < 0.08
    assert np.mean([association(counts, method="cramer") for counts in noise]) > 0.2


@pytest.fixture
def world(make, a_row):
    """Three classes of 60 in two sources: c is shot in a studio (white frame); d has another JPEG quality."""
    rng = np.random.default_rng(0)
    labels = [("a", "c", "d")[n // 60] for n in range(180)]
    rows = [
        a_row(f"{n}.jpg", label, dataset="web" if label == "d" else "clinic")
        for n, label in enumerate(labels)
    ]
    studio = np.array([label == "c" for label in labels])
    web = np.array([label == "d" for label in labels])
    traits = {
        "border_white": np.where(studio, 0.8, 0.02) + rng.normal(0, 0.1, 180),
        "border_mean": np.where(studio, 230, 120) + rng.normal(0, 20, 180),
        "jpeg_quality": np.where(web, 70, 90) + rng.normal(0, 2, 180),
        "log_sharpness": rng.normal(2, 0.3, 180),
    }
    return make(rows, traits=traits)


def test_the_studio_is_found_in_the_whole_table_and_within_its_source(world):
    table = bench(world, resamples=200, seed=0)
    calls = []
    probes = class_probes(table, lambda: calls.append(1))
    pairs = pair_probes(table, lambda: calls.append(1))
    assert len(calls) == tasks(table, 25) == 3 + 2 + 3
    figures = {(one.scope, one.label, one.family): one.auroc for one in probes}
    assert figures["all", "c", "border"].value > 0.97
    assert figures["clinic", "c", "border"].value > 0.97
    assert figures["all", "d", "jpeg"].value > 0.97
    assert figures["all", "d", "source"].value > 0.97
    assert figures["all", "a", "sharpness"].value < 0.65
    assert ("clinic", "c", "resolution") not in figures  # all of one size: nothing to learn from
    assert {(one.label, one.against) for one in pairs} == {("a", "c"), ("a", "d"), ("c", "d")}
    assert all(one.auroc.value > 0.97 for one in pairs)
    findings = check_probes(probes)
    assert [one.numbers["scope"] for one in findings] == ["all", "clinic"]
    whole, within = findings
    named = {(item.name, item.detail.split(":")[0]) for item in whole.items}
    assert ("c", "frame and background") in named
    assert ("d", "JPEG quality and compression") in named
    assert all("blur" not in detail for _, detail in named)
    assert {item.name for item in within.items} == {"a", "c"}
    assert "Size, compression, file or frame, which no disease changes, give away: a, c." in within.advice


def test_a_source_of_one_class_is_told(world):
    findings = {one.code: one for one in check_sources(world)}
    single = findings["confounded.single_source"]
    assert [(item.name, item.detail) for item in single.items] == [
        ("a", "all 60 images from clinic"), ("c", "all 60 images from clinic"), ("d", "all 60 images from web"),
    ]  # fmt: skip
    source = findings["confounded.source"]
    assert source.numbers["share"] == pytest.approx(2 / 3)
    assert source.numbers["commonest_share"] == pytest.approx(1 / 3)


def test_classes_spread_over_sources_alike_are_quiet(make, a_row):
    rows = [a_row(str(n), "ab"[n % 2], dataset="xy"[n // 50]) for n in range(100)]
    material = make(rows, traits={"log_sharpness": np.random.default_rng(0).normal(2, 0.3, 100)})
    assert check_sources(material) == []
    table = bench(material, resamples=200, seed=0)
    assert check_probes(class_probes(table)) == []


def test_classes_too_small_are_listed_not_judged(make, a_row):
    rows = [a_row(str(n), "a" if n < 8 else "b") for n in range(60)]
    table = bench(make(rows), resamples=200, seed=0)
    assert class_probes(table) == ()
    assert table.skipped == ["a (all)", "b (all)"]


def test_unreadable_files_take_no_part_and_large_tables_are_sampled(make, a_row, monkeypatch):
    rows = [a_row(str(n), "ab"[n % 2]) for n in range(100)]
    material = make(rows, fault=["unreadable.corrupt: x"] * 10 + [""] * 90)
    assert len(bench(material, resamples=200, seed=0).label) == 90
    monkeypatch.setattr(confounding, "MOST_ROWS", 40)
    assert len(bench(material, resamples=200, seed=0).label) == 40
