from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from poxlens.export.parity import Cases, Judged, Limits, compare

N, C = 200, 3


@pytest.fixture
def cases():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, C, N)
    return Cases(
        file=np.array([f"{i}.jpg" for i in range(N)]),
        group=np.arange(N) // 2,
        truth=truth,
        positive=truth == 0,
        tone=np.array(["light", "dark", ""] * (N // 3) + ["light"] * (N % 3)),
        target=0,
        threshold=0.3,
    )


@pytest.fixture
def floats(cases):
    """Nine of ten decided as they are."""
    rng = np.random.default_rng(1)
    said = np.where(rng.random(N) < 0.9, cases.truth, (cases.truth + 1) % C)
    probabilities = np.full((N, C), 0.15)
    probabilities[np.arange(N), said] = 0.7
    return Judged(
        probabilities,
        np.where(probabilities[:, 0] > 0.3, "refer", "uncertain"),
        rng.random((N, C, 7, 7)).astype(np.float32),
        rng.random(N),
    )


def test_the_same_is_at_parity(cases, floats):
    found = compare(cases, floats, floats)
    assert found.met
    assert found.missed == ()
    assert found.moved == ()
    assert (found.mean_change, found.largest_change, found.classes_changed, found.decisions_changed) == (
        0,
        0,
        0,
        0,
    )
    assert found.heatmap_median == pytest.approx(1)
    assert found.novelty_rank == pytest.approx(1)
    change = found.figures["all"]["accuracy"]
    assert (change.difference, change.low, change.high, change.n) == (0, 0, 0, N)
    assert change.before == pytest.approx(np.mean(floats.probabilities.argmax(1) == cases.truth))
    assert set(found.figures) == {"all", "light skin", "dark skin"}
    assert set(found.figures["all"]) == {"accuracy", "sensitivity", "specificity", "AUROC"}


def test_what_changed_is_counted_and_named(cases, floats):
    probabilities = floats.probabilities.copy()
    lost = np.flatnonzero(cases.positive & (probabilities.argmax(1) == 0))[:3]
    probabilities[lost] = [0.1, 0.8, 0.1]
    decision = floats.decision.copy()
    decision[lost] = "uncertain"
    found = compare(cases, floats, replace(floats, probabilities=probabilities, decision=decision))
    assert found.classes_changed == pytest.approx(3 / N)
    assert found.decisions_changed == pytest.approx(3 / N)
    assert found.largest_change == pytest.approx(0.6)
    assert found.mean_change == pytest.approx(3 * 0.6 / N)
    assert [one.file for one in found.moved] == [f"{i}.jpg" for i in lost]
    assert (found.moved[0].before, found.moved[0].after) == ("refer", "uncertain")
    assert found.moved[0].probability_after == pytest.approx(0.1)
    accuracy, sensitivity = (found.figures["all"][name] for name in ("accuracy", "sensitivity"))
    assert accuracy.difference == pytest.approx(-3 / N)
    assert sensitivity.difference == pytest.approx(-3 / cases.positive.sum())
    assert sensitivity.n == cases.positive.sum()
    assert accuracy.low < -3 / N < accuracy.high <= 0
    assert not found.met
    told = " ".join(found.missed)
    for words in (
        "accuracy loses 1.50 points, 0.5 are allowed",
        "1.50% of the decisions change",
        "sensitivity",
    ):
        assert words in told
    assert compare(
        cases,
        floats,
        replace(floats, probabilities=probabilities, decision=decision),
        Limits(points=0.1, changed=0.02),
    ).met


def test_the_interval_is_that_of_the_pairs(cases, floats):
    """Two forms that err on the same images differ by nothing, however wide the interval of each is."""
    probabilities = floats.probabilities.copy()
    gained = np.flatnonzero(floats.probabilities.argmax(1) != cases.truth)[:1]
    probabilities[gained] = 0.1
    probabilities[gained, cases.truth[gained]] = 0.8
    change = compare(cases, floats, replace(floats, probabilities=probabilities)).figures["all"]["accuracy"]
    assert 0 <= change.low <= 1 / N <= change.high < 4 / N


def test_heat_maps_and_novelty_have_limits_of_their_own(cases, floats):
    rng = np.random.default_rng(2)
    maps = floats.heatmap + rng.normal(0, 0.1, floats.heatmap.shape).astype(np.float32)
    found = compare(cases, floats, replace(floats, heatmap=maps))
    shown = floats.probabilities.argmax(1)
    by_hand = [
        np.corrcoef(floats.heatmap[i, shown[i]].ravel(), maps[i, shown[i]].ravel())[0, 1] for i in range(N)
    ]
    assert found.heatmap_median == pytest.approx(np.median(by_hand), abs=1e-6)
    assert found.heatmap_fifth == pytest.approx(np.percentile(by_hand, 5), abs=1e-6)
    assert len(found.missed) == 1
    assert "heat maps correlate with 0.9" in found.missed[0]
    mixed = compare(cases, floats, replace(floats, novelty=np.roll(floats.novelty, 1)))
    assert "novelty ranks correlate with" in mixed.missed[0]


def test_empty_heat_maps_are_alike_and_one_empty_map_is_not(cases, floats):
    empty = np.zeros_like(floats.heatmap)
    assert compare(cases, replace(floats, heatmap=empty), replace(floats, heatmap=empty)).heatmap_median == 1
    assert compare(cases, floats, replace(floats, heatmap=empty)).heatmap_median == 0


def test_images_of_two_possible_classes_have_no_accuracy(cases, floats):
    unsure = replace(cases, truth=np.where(np.arange(N) < 50, -1, cases.truth))
    assert compare(unsure, floats, floats).figures["all"]["accuracy"].n == N - 50


def test_novelty_without_ranks(cases, floats):
    level = replace(floats, novelty=np.full(N, 0.5))
    assert compare(cases, level, level).novelty_rank == 1
    assert compare(cases, floats, level).novelty_rank == 0
