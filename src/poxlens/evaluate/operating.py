"""Operating points: the rule-out and rule-in thresholds of a score, and what each one costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from poxlens.evaluate.intervals import Clusters, Estimate, estimate
from poxlens.evaluate.metrics import sensitivity, specificity
from poxlens.evaluate.statistic import Floats, as_bools, as_floats


@dataclass(frozen=True)
class Operating:
    """A threshold (score >= threshold is called positive) and its figures."""

    threshold: float
    sensitivity: Estimate
    specificity: Estimate


def rule_out_threshold(scores: ArrayLike, positive: ArrayLike, target: float = 0.95) -> float:
    """The largest t so that at least `target` of the positives score t or more.

    It is a positive's own score; with ties at it the sensitivity is higher than the target.

    Args:
        scores: out-of-fold, [N], higher = more likely positive.
        positive: bool [N].
        target: the sensitivity wanted, above 0 and at most 1.

    Raises:
        ValueError: lengths differ, no positives, or target out of range.
    """
    ranked = _side(scores, positive, side=True)
    return float(ranked[ranked.size - _needed(ranked.size, target)])


def rule_in_threshold(scores: ArrayLike, positive: ArrayLike, target: float = 0.95) -> float:
    """The smallest t so that at least `target` of the negatives score below t.

    It is the next floating-point number above a negative's score: that negative and all tied with it are
    below. A score that cannot separate (the needed negatives reach the highest score) gives a threshold that
    nothing reaches.

    Args:
        scores: out-of-fold, [N], higher = more likely positive.
        positive: bool [N].
        target: the specificity wanted, above 0 and at most 1.

    Raises:
        ValueError: lengths differ, no negatives, or target out of range.
    """
    ranked = _side(scores, positive, side=False)
    return float(np.nextafter(ranked[_needed(ranked.size, target) - 1], np.inf))


def figures_at(
    threshold: float,
    scores: ArrayLike,
    positive: ArrayLike,
    clusters: Clusters | None = None,
    *,
    seed: int = 0,
) -> Operating:
    """Sensitivity and specificity of `score >= threshold`, with intervals.

    Args:
        threshold: of the score.
        scores: [N].
        positive: bool [N].
        clusters: the key of each row's cluster [N], as in `estimate`.
        seed: of the bootstrap.
    """
    called = as_floats("scores", scores) >= threshold
    found = estimate(
        {"sensitivity": sensitivity(positive, called), "specificity": specificity(positive, called)},
        clusters,
        seed=seed,
    )
    return Operating(float(threshold), found["sensitivity"], found["specificity"])


def _side(scores: ArrayLike, positive: ArrayLike, *, side: bool) -> Floats:
    s = as_floats("scores", scores)
    chosen = s[as_bools("positive", positive, s.size) == side]
    if chosen.size == 0:
        raise ValueError(f"there is no {'positive' if side else 'negative'} to set the threshold by")
    return np.sort(chosen)


def _needed(count: int, target: float) -> int:
    if not 0 < target <= 1:
        raise ValueError(f"target must be above 0 and at most 1, is {target}")
    # 1e-9: 0.95 * 20 must need 19, not 20 for a rounding error.
    return max(1, math.ceil(target * count - 1e-9))
