"""Figures of each fold, and their mean and standard deviation over folds as the papers of the field report them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from poxlens.evaluate.metrics import confusion
from poxlens.evaluate.statistic import Floats, Ints, divide

FOLD_FIGURES = {
    "accuracy": "share of images decided right",
    "recall of the target": "share of the target's images that are called the target",
    "recall of the others": "share of the other images that are not called the target",
    "mean recall": "mean over classes of the share decided right (balanced accuracy)",
    "one-vs-rest specificity": "mean over classes of the share of the other images not called that class",
    "macro F1": "mean over classes of 2 TP / (2 TP + FP + FN)",
    "micro F1": "F1 of all decisions together, which with one class an image is the accuracy",
}
"""Figure -> what it is."""


@dataclass(frozen=True)
class Spread:
    """A mean over folds with its standard deviation. Folds overlap in training: no interval follows from it."""

    mean: float  # NaN: defined on no fold
    sd: float  # with n - 1; NaN with fewer than two folds
    folds: int  # on which the figure is defined
    of: int  # all folds

    @property
    def partial(self) -> bool:
        """Whether some fold had no case to compute it on."""
        return self.folds < self.of


def fold_figures(truth: ArrayLike, decided: ArrayLike, classes: int, target: int) -> dict[str, float]:
    """Every figure of `FOLD_FIGURES` on one fold; NaN where the fold has no case for it.

    Args:
        truth: class numbers [N].
        decided: class numbers [N].
        classes: how many there are.
        target: number of the class screened for.

    Raises:
        ValueError: lengths differ or a number is out of range.
    """
    table = confusion(truth, decided, classes).astype(np.float64)
    n, right = float(table.sum()), np.diag(table)
    true, called = table.sum(axis=1), table.sum(axis=0)
    recall = divide(right, true)
    f1 = divide(2 * right, true + called)
    spared = divide(n - true - called + right, n - true)
    others = n - true[target]
    return {
        "accuracy": float(right.sum() / n) if n else math.nan,
        "recall of the target": float(recall[target]),
        "recall of the others": float(1 - (called[target] - right[target]) / others) if others else math.nan,
        "mean recall": _mean(recall),
        "one-vs-rest specificity": _mean(spared),
        "macro F1": _mean(f1),
        "micro F1": float(right.sum() / n) if n else math.nan,
    }


def by_fold(truth: Ints, decided: Ints, fold: Ints, classes: int, target: int) -> dict[str, Floats]:
    """Figure -> its value on each fold [F], in the order of fold numbers.

    Args:
        truth: class numbers [N].
        decided: class numbers [N].
        fold: the fold that tested each image [N].
        classes: how many there are.
        target: number of the class screened for.
    """
    found = [
        fold_figures(truth[rows], decided[rows], classes, target)
        for rows in (fold == number for number in np.unique(fold))
    ]
    return {name: np.array([one[name] for one in found]) for name in FOLD_FIGURES}


def spread(values: ArrayLike) -> Spread:
    """Mean and standard deviation of a figure over folds [F]; NaN is a fold it is not defined on."""
    every = np.asarray(values, np.float64)
    known = every[np.isfinite(every)]
    mean = float(known.mean()) if known.size else math.nan
    sd = float(known.std(ddof=1)) if known.size > 1 else math.nan
    return Spread(mean, sd, int(known.size), int(every.size))


def spreads(figures: Mapping[str, ArrayLike]) -> dict[str, Spread]:
    """`spread` of each figure."""
    return {name: spread(values) for name, values in figures.items()}


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else math.nan
