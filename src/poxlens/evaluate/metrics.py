"""Figures of class decisions and of probabilities; each comes as a `Statistic` and so gets an interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from poxlens.evaluate.statistic import Floats, Ints, Statistic, as_bools, as_floats, as_labels, divide, share


def confusion(truth: ArrayLike, decided: ArrayLike, classes: int) -> Ints:
    """Counts [classes, classes]: rows are the truth, columns what was decided.

    Args:
        truth: class numbers [N].
        decided: class numbers [N].
        classes: how many classes there are.

    Raises:
        ValueError: lengths differ or a number is out of range.
    """
    true = as_labels("truth", truth, classes)
    codes = true * classes + as_labels("decided", decided, classes, true.size)
    return np.bincount(codes, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def sensitivity(positive: ArrayLike, called: ArrayLike) -> Statistic:
    """The share of positives that are called; both bool [N]."""
    return share(called, positive)


def specificity(positive: ArrayLike, called: ArrayLike) -> Statistic:
    """The share of negatives that are not called; both bool [N]."""
    negative = ~as_bools("positive", positive)
    return share(~as_bools("called", called), negative)


def accuracy(truth: ArrayLike, decided: ArrayLike) -> Statistic:
    """The share of rows decided as they are; class numbers [N]."""
    return share(np.asarray(truth) == np.asarray(decided))


def balanced_accuracy(truth: ArrayLike, decided: ArrayLike, classes: int) -> Statistic:
    """Mean over the classes that occur of the share of each that is decided right (mean recall)."""

    def figure(table: Floats) -> Floats:
        return _mean_of_defined(divide(_diagonal(table), table.sum(axis=2)))

    return _from_confusion(truth, decided, classes, figure)


def macro_f1(truth: ArrayLike, decided: ArrayLike, classes: int) -> Statistic:
    """Mean over classes of F1 = 2 TP / (2 TP + FP + FN); classes neither true nor decided are left out."""

    def figure(table: Floats) -> Floats:
        both = table.sum(axis=1) + table.sum(axis=2)
        return _mean_of_defined(divide(2 * _diagonal(table), both))

    return _from_confusion(truth, decided, classes, figure)


def brier(probability: ArrayLike, positive: ArrayLike) -> Statistic:
    """Brier's score, mean of (probability - truth)^2: 0 is best, 0.25 what a constant 0.5 gets (Brier 1950).

    Args:
        probability: of being positive, [N], 0..1.
        positive: bool [N].
    """
    p = as_probabilities("probability", probability)
    y = as_bools("positive", positive, p.size)
    squares = (p - y) ** 2

    def over(weights: Floats) -> Floats:
        return divide(weights @ squares, weights.sum(axis=1))

    return Statistic(over, np.ones(p.size, bool), (y, ~y))


def as_probabilities(name: str, values: ArrayLike, size: int | None = None) -> Floats:
    """`values` as float64 [N] in 0..1 (a rounding error of 1e-6 is cut off).

    Raises:
        ValueError: not one axis, not of length `size`, not finite or out of range.
    """
    p = as_floats(name, values, size)
    if p.size and (p.min() < -1e-6 or p.max() > 1 + 1e-6):
        raise ValueError(f"{name} must be 0..1, is {p.min():g}..{p.max():g}")
    return np.clip(p, 0.0, 1.0)


def _from_confusion(
    truth: ArrayLike, decided: ArrayLike, classes: int, figure: Callable[[Floats], Floats]
) -> Statistic:
    true = as_labels("truth", truth, classes)
    codes = true * classes + as_labels("decided", decided, classes, true.size)
    cells = np.zeros((true.size, classes * classes))
    cells[np.arange(true.size), codes] = 1.0

    def over(weights: Floats) -> Floats:
        return figure((weights @ cells).reshape(-1, classes, classes))

    sides = tuple(true == number for number in np.unique(true))
    return Statistic(over, np.ones(true.size, bool), sides)


def _diagonal(table: Floats) -> Floats:
    return np.diagonal(table, axis1=1, axis2=2)


def _mean_of_defined(values: Floats) -> Floats:
    defined = np.isfinite(values)
    return divide(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1).astype(np.float64))
