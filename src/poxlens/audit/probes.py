"""How well plain traits of a file tell its class: a small probe whose AUROC should be near .5, and often is not.

A probe is a logistic regression on standardised numbers and their squares (so that a middle value can be told
too), cross-validated so that no person, group or photo is ever learnt from and tested. A model trained on the
images can use whatever a probe can use.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from poxlens.audit.material import Bools, Floats, Ints
from poxlens.evaluate.intervals import FEW, Estimate, estimate
from poxlens.evaluate.ranking import auroc

FOLDS = 5
MOST_ROWS = 10_000  # of a probe; more move no AUROC by .01 and cost minutes
_RARE = 0.01  # a value missing, or there, in a smaller share of rows tells nothing


@dataclass(frozen=True)
class Probe:
    """One class told from others by one family of traits."""

    scope: str  # "all", or the source within which it was measured
    label: str  # the class
    against: str  # "the others", or one class
    family: str  # of traits; "all traits"; "source"
    auroc: Estimate  # out of fold; 95 % interval over independent units


def design(values: Floats, *, squares: bool = True) -> Floats:
    """Columns to learn from: numbers with gaps filled, their squares, and marks of what is missing.

    Args:
        values: [N, T], NaN where there is no value.
        squares: whether squares are wanted; a mark of 0 and 1 needs none.

    Returns:
        [N, P], standardised, without constant columns; P may be 0.
    """
    columns = []
    for column in np.asarray(values, np.float64).T:
        there = np.isfinite(column)
        if not there.any():
            continue
        if _RARE <= there.mean() <= 1 - _RARE:
            columns.append(there.astype(np.float64))
        # Clipped at 1 and 99 %: one file of 100 megapixels must not set the scale for all.
        low, high = np.quantile(column[there], [0.01, 0.99])
        filled = np.where(there, np.clip(column, low, high), np.median(column[there]))
        columns.append(filled)
        if squares and np.unique(filled).size > 2:
            columns.append(((filled - filled.mean()) / filled.std()) ** 2)
    if not columns:
        return np.empty((len(values), 0))
    table = np.stack(columns, axis=1)
    spread = table.std(0)
    varied = spread > 1e-9 * np.maximum(1.0, np.abs(table).max(0))
    standard: Floats = (table[:, varied] - table[:, varied].mean(0)) / spread[varied]
    return standard


def deal_units(unit: Ints, label: Ints, folds: int, seed: int) -> Ints:
    """A fold for each row, whole units only, each class spread as evenly as its units allow.

    Args:
        unit: [N], rows of one unit stay together.
        label: [N]; a unit counts for its most frequent label.
        folds: how many.
        seed: of the order of units of one size.
    """
    _, which = np.unique(unit, return_inverse=True)
    counts = np.bincount(which)
    # The most frequent label of a unit: the last of its rows after sorting by how often the pair occurs.
    pairs, place, often = np.unique(
        np.stack([which, label], axis=1), axis=0, return_inverse=True, return_counts=True
    )
    del place
    order = np.lexsort((often, pairs[:, 0]))
    last = np.append(pairs[order, 0][1:] != pairs[order, 0][:-1], True)
    main = pairs[order, 1][last]
    shuffled = np.random.default_rng(seed).permutation(len(counts))
    fold = np.empty(len(counts), np.int64)
    for kind in np.unique(main):
        units = shuffled[main[shuffled] == kind]
        units = units[np.argsort(-counts[units], kind="stable")]
        # There and back, so that the first fold does not get the largest of each round.
        turn = np.arange(len(units)) % (2 * folds)
        fold[units] = np.where(turn < folds, turn, 2 * folds - 1 - turn)
    dealt: Ints = fold[which]
    return dealt


def subset(unit: Ints, most: int, seed: int) -> Bools:
    """Which rows to use: whole units in random order until `most` rows are reached, [N]."""
    if len(unit) <= most:
        return np.ones(len(unit), bool)
    _, which = np.unique(unit, return_inverse=True)
    counts = np.bincount(which)
    order = np.random.default_rng(seed).permutation(len(counts))
    kept = np.zeros(len(counts), bool)
    kept[order[np.cumsum(counts[order]) <= most]] = True
    chosen: Bools = kept[which]
    return chosen


def out_of_fold(columns: Floats, positive: Bools, fold: Ints) -> Floats:
    """The probe's score of each row by a model that saw no row of its fold, [N]; higher = more likely positive."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    scores = np.zeros(len(positive))
    for held in np.unique(fold):
        test = fold == held
        told = positive[~test]
        if told.all() or not told.any():
            continue  # nothing to learn: 0 for every row of this fold
        model = LogisticRegression(C=1.0, class_weight="balanced", solver="newton-cholesky", max_iter=50)
        with warnings.catch_warnings():
            # Where nothing can be learnt its line search stands still and it goes on with lbfgs: no matter.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(columns[~test], told)
        scores[test] = model.decision_function(columns[test])
    return scores


def probe(
    families: Mapping[str, Floats],
    positive: Bools,
    unit: Ints,
    fold: Ints,
    *,
    resamples: int,
    seed: int,
) -> dict[str, Estimate]:
    """The AUROC of each family's probe, with its interval.

    Args:
        families: columns of `design` by name, [N, P] each; a family without columns is left out.
        positive: [N], the class.
        unit: [N], independent units.
        fold: [N], of `deal_units`.
        resamples: of the cluster bootstrap.
        seed: of the bootstrap.
    """
    figures = {
        name: auroc(out_of_fold(columns, positive, fold), positive)
        for name, columns in families.items()
        if columns.shape[1]
    }
    return estimate(figures, unit, resamples=resamples, seed=seed)


def enough(positive: Bools, unit: Ints) -> bool:
    """Whether both sides have the independent units that a verdict needs."""
    return bool(min(np.unique(unit[positive]).size, np.unique(unit[~positive]).size) >= FEW)
