"""What a test is worth where it is used: net benefit (decision curves), and PPV and NPV over prevalence."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from poxlens.evaluate.metrics import as_probabilities
from poxlens.evaluate.statistic import Bools, Floats, Statistic, as_bools, divide

THRESHOLDS = tuple(round(0.01 * step, 2) for step in range(1, 100))
PREVALENCES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


def net_benefit(probability: ArrayLike, positive: ArrayLike, threshold: float) -> Statistic:
    """Net benefit of acting on probability >= threshold: TP / n - FP / n * t / (1 - t) (Vickers & Elkin 2006).

    Acting on nobody has net benefit 0; `treat_all` is that of acting on everybody. It is of the prevalence of
    the sample.

    Args:
        probability: of being positive, [N], 0..1.
        positive: bool [N].
        threshold: above 0 and below 1: the probability at which acting and not acting are worth the same.

    Raises:
        ValueError: lengths differ or the threshold is out of range.
    """
    p = as_probabilities("probability", probability)
    y = as_bools("positive", positive, p.size)
    return _benefit(y, p >= _inside(threshold), threshold)


def treat_all(positive: ArrayLike, threshold: float) -> Statistic:
    """Net benefit of acting on everybody; arguments as in `net_benefit`."""
    y = as_bools("positive", positive)
    return _benefit(y, np.ones(y.size, bool), _inside(threshold))


def predictive_values(
    positive: ArrayLike, called: ArrayLike, prevalence: float
) -> tuple[Statistic, Statistic]:
    """PPV and NPV that the sample's sensitivity and specificity give at another prevalence (Bayes).

    It holds where the sample's cases and non-cases are like those of the place of use.

    Args:
        positive: bool [N].
        called: bool [N].
        prevalence: above 0 and below 1.

    Raises:
        ValueError: lengths differ or the prevalence is out of range.
    """
    y = as_bools("positive", positive)
    c = as_bools("called", called, y.size)
    share = _inside(prevalence)
    cells = np.stack([y & c, y, ~y & ~c, ~y], axis=1).astype(np.float64)

    def rates(weights: Floats) -> tuple[Floats, Floats]:
        counted = weights @ cells
        return divide(counted[:, 0], counted[:, 1]), divide(counted[:, 2], counted[:, 3])

    def ppv(weights: Floats) -> Floats:
        found, spared = rates(weights)
        return divide(found * share, found * share + (1 - spared) * (1 - share))

    def npv(weights: Floats) -> Floats:
        found, spared = rates(weights)
        return divide(spared * (1 - share), spared * (1 - share) + (1 - found) * share)

    rows = np.ones(y.size, bool)
    return Statistic(ppv, rows, (y, ~y)), Statistic(npv, rows, (y, ~y))


def _benefit(y: Bools, called: Bools, threshold: float) -> Statistic:
    gain = (y & called) - (~y & called) * (threshold / (1 - threshold))

    def over(weights: Floats) -> Floats:
        return divide(weights @ gain, weights.sum(axis=1))

    return Statistic(over, np.ones(y.size, bool), (y, ~y))


def _inside(value: float) -> float:
    if not 0 < value < 1:
        raise ValueError(f"must be above 0 and below 1, is {value}")
    return value
