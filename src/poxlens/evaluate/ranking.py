"""Figures of how a score orders positives and negatives: ROC curve, AUROC, average precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from poxlens.evaluate.statistic import Floats, Ints, Statistic, as_bools, as_floats, divide


@dataclass(frozen=True)
class Roc:
    """A ROC curve, from (0, 0) to (1, 1), one corner for each distinct score; all [K + 1]."""

    false_positive_rate: Floats
    sensitivity: Floats
    threshold: Floats  # score >= threshold is called; the first is +inf


def auroc(scores: ArrayLike, positive: ArrayLike) -> Statistic:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    The Mann-Whitney form by ranks (Hanley & McNeil 1982).

    Args:
        scores: [N], higher = more likely positive.
        positive: bool [N].

    Raises:
        ValueError: lengths differ or a score is not finite.
    """
    s = as_floats("scores", scores)
    y = as_bools("positive", positive, s.size)
    order, starts = _blocks(s)
    marks = y[order].astype(np.float64)

    def over(weights: Floats) -> Floats:
        pos, neg = _per_block(weights, order, starts, marks)
        below = np.cumsum(neg, axis=1) - neg / 2
        return divide((pos * below).sum(axis=1), pos.sum(axis=1) * neg.sum(axis=1))

    return Statistic(over, np.ones(s.size, bool), (y, ~y))


def average_precision(scores: ArrayLike, positive: ArrayLike) -> Statistic:
    """Sum over thresholds of precision times the gain in recall, not interpolated; as in `auroc`."""
    s = as_floats("scores", scores)
    y = as_bools("positive", positive, s.size)
    order, starts = _blocks(-s)
    marks = y[order].astype(np.float64)

    def over(weights: Floats) -> Floats:
        pos, neg = _per_block(weights, order, starts, marks)
        found = np.cumsum(pos, axis=1)
        called = found + np.cumsum(neg, axis=1)
        precision = np.divide(found, called, out=np.zeros_like(found), where=called > 0)
        return divide((pos * precision).sum(axis=1), pos.sum(axis=1))

    return Statistic(over, np.ones(s.size, bool), (y, ~y))


def roc(scores: ArrayLike, positive: ArrayLike) -> Roc:
    """The ROC curve of a score; arguments as in `auroc`.

    Raises:
        ValueError: lengths differ, or there is no positive or no negative.
    """
    s = as_floats("scores", scores)
    y = as_bools("positive", positive, s.size)
    if y.all() or not y.any():
        raise ValueError("a ROC curve needs at least one positive and one negative")
    order, starts = _blocks(-s)
    pos, neg = _per_block(np.ones((1, s.size)), order, starts, y[order].astype(np.float64))
    return Roc(
        np.concatenate([[0.0], np.cumsum(neg[0]) / neg.sum()]),
        np.concatenate([[0.0], np.cumsum(pos[0]) / pos.sum()]),
        np.concatenate([[np.inf], s[order][starts]]),
    )


def _blocks(scores: Floats) -> tuple[Ints, Ints]:
    """The ascending order of the scores [N], and where in it each run of equal scores starts [K]."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]])) if ranked.size else order
    return order, starts


def _per_block(weights: Floats, order: Ints, starts: Ints, marks: Floats) -> tuple[Floats, Floats]:
    """The weight of positives and of negatives in each run of equal scores, both [B, K]."""
    ranked = weights[:, order]
    if starts.size == order.size:  # no ties: reduceat would only copy
        pos = ranked * marks
        return pos, ranked - pos
    return np.add.reduceat(ranked * marks, starts, axis=1), np.add.reduceat(
        ranked * (1 - marks), starts, axis=1
    )
