"""Prediction sets that hold the truth with a chosen probability, class by class (conformal prediction)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from poxlens.evaluate.statistic import Bools, Floats, as_labels


@dataclass(frozen=True)
class ClassQuantile:
    """What a class needs to enter a prediction set: 1 - p <= quantile."""

    quantile: float  # 1 when there are too few calibration rows to promise anything: the class always enters
    n: int  # calibration rows of the class


@dataclass(frozen=True)
class SetFigures:
    """How prediction sets did on rows whose truth is known."""

    coverage: float  # share of rows whose set holds the truth; NaN without rows
    coverage_by_class: tuple[float, ...]  # NaN for a class without rows
    mean_size: float
    empty: float  # share of empty sets
    n: int


def class_quantiles(probabilities: ArrayLike, truth: ArrayLike, alpha: float) -> tuple[ClassQuantile, ...]:
    """The quantile of each class so that its members' sets hold it with probability >= 1 - alpha.

    The score is 1 - p(true class) (LAC, Sadinle 2019); the quantile is the ceil((n + 1)(1 - alpha))-th
    smallest score of the class's own n rows (class-conditional; Angelopoulos & Bates 2023, sections 1 and
    3.1). When that rank is beyond n, the class enters every set.

    Args:
        probabilities: [N, C], out-of-fold.
        truth: class numbers [N].
        alpha: the error allowed, 0..1.

    Raises:
        ValueError: alpha outside 0..1, shapes differ, a number out of range.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, is {alpha}")
    p = _probabilities(probabilities)
    true = as_labels("truth", truth, p.shape[1], p.shape[0])
    found = []
    for number in range(p.shape[1]):
        scores = np.sort(1 - p[true == number, number])
        # 1e-9: (n + 1)(1 - alpha) that is a whole number must not be rounded up by a rounding error.
        rank = math.ceil((scores.size + 1) * (1 - alpha) - 1e-9)
        found.append(ClassQuantile(float(scores[rank - 1]) if rank <= scores.size else 1.0, int(scores.size)))
    return tuple(found)


def prediction_sets(probabilities: ArrayLike, quantiles: ArrayLike) -> Bools:
    """Which classes are in each row's set, bool [N, C]; probabilities [N, C], quantiles [C]."""
    p = _probabilities(probabilities)
    limits = np.asarray(quantiles, dtype=np.float64)
    if limits.shape != (p.shape[1],):
        raise ValueError(f"quantiles has shape {limits.shape} where {(p.shape[1],)} is needed")
    inside: Bools = 1 - p <= limits
    return inside


def set_figures(sets: ArrayLike, truth: ArrayLike) -> SetFigures:
    """Coverage and size of prediction sets; sets bool [N, C], truth class numbers [N]."""
    inside = np.asarray(sets, dtype=bool)
    if inside.ndim != 2:
        raise ValueError(f"sets must be [N, C], has shape {inside.shape}")
    true = as_labels("truth", truth, inside.shape[1], inside.shape[0])
    held = inside[np.arange(true.size), true]
    sizes = inside.sum(axis=1)
    by_class = tuple(_mean(held[true == number]) for number in range(inside.shape[1]))
    return SetFigures(_mean(held), by_class, _mean(sizes), _mean(sizes == 0), int(true.size))


def _mean(values: ArrayLike) -> float:
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()) if array.size else math.nan


def _probabilities(values: ArrayLike) -> Floats:
    p = np.asarray(values, dtype=np.float64)
    if p.ndim != 2:
        raise ValueError(f"probabilities must be [N, C], has shape {p.shape}")
    if p.size and not (p.min() >= -1e-6 and p.max() <= 1 + 1e-6):
        raise ValueError("probabilities must be finite and 0..1")
    return p
