"""Figures of novelty scores against scikit-learn, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from poxlens.evaluate import novelty as figures
from poxlens.evaluate.novelty import figures_of, passing_at_95


def fold(scores, novel, image=None, group=None):
    count = len(scores)
    return figures.Tested(
        np.arange(count) if image is None else np.asarray(image),
        np.arange(count) if group is None else np.asarray(group),
        np.asarray(novel, bool),
        np.asarray(scores, float),
    )


def brute(scores, novel):
    """The share of novel images at or below the smallest known score that 95 % of the known do not exceed."""
    known = np.sort(scores[~novel])
    limit = known[int(np.ceil(0.95 * len(known) - 1e-9)) - 1]
    return (scores[novel] <= limit).mean()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 60), st.booleans())
def test_fpr_at_95_by_brute_force(seed, known, unknown, ties):
    random = np.random.default_rng(seed)
    scores = random.normal(size=known + unknown)
    scores = np.round(scores) if ties else scores
    novel = np.arange(known + unknown) >= known
    assert passing_at_95(scores, novel).value == pytest.approx(brute(scores, novel))


def test_weights_are_copies():
    random = np.random.default_rng(1)
    scores, novel = random.normal(size=40), np.arange(40) >= 25
    times = random.integers(0, 4, 40)
    found = passing_at_95(scores, novel).over(times[None].astype(float))[0]
    copied = np.repeat(np.arange(40), times)
    assert found == pytest.approx(brute(scores[copied], novel[copied]))


def test_perfect_and_useless():
    novel = np.arange(40) >= 20
    assert passing_at_95(novel.astype(float), novel).value == 0
    assert passing_at_95(np.zeros(40), novel).value == 1
    assert passing_at_95(-novel.astype(float), novel).value == 1


def test_means_over_folds():
    random = np.random.default_rng(2)
    folds = [fold(random.normal(size=60) + (np.arange(60) >= 30), np.arange(60) >= 30) for _ in range(3)]
    found = figures_of(folds, resamples=60)
    assert found.auroc.value == pytest.approx(np.mean([roc_auc_score(f.novel, f.score) for f in folds]))
    assert found.aupr.value == pytest.approx(
        np.mean([average_precision_score(f.novel, f.score) for f in folds])
    )
    assert found.fpr95.value == pytest.approx(np.mean([brute(f.score, f.novel) for f in folds]))
    assert found.auroc.low < found.auroc.value < found.auroc.high
    assert (found.known, found.novel) == (30, 30)


def test_images_of_one_group_widen_the_interval():
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(20), 5)
    score = np.repeat(random.normal(size=20), 5) + 0.01 * random.normal(size=100) + (groups >= 10)
    novel = groups >= 10
    alone = figures_of([fold(score, novel)], resamples=200).auroc
    grouped = figures_of([fold(score, novel, group=groups)], resamples=200).auroc
    assert alone.value == grouped.value
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)


def test_no_fold():
    with pytest.raises(ValueError, match="no fold"):
        figures_of([])
