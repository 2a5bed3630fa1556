"""ROC and precision-recall curves with pointwise 95 % bands from the cluster bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from poxlens.evaluate.intervals import Clusters, cluster_weights
from poxlens.evaluate.statistic import Bools, Floats, Ints, as_bools, as_floats

GRID = np.linspace(0.0, 1.0, 101)
DRAWS = 1000

Sweep = tuple[Floats, Floats]
"""Weight of positives and of negatives among the k highest scores, both [B, K + 1], starting at 0."""


@dataclass(frozen=True, eq=False)
class Band:
    """A curve with its band at each place of `x`; all [K]."""

    x: Floats
    y: Floats
    low: Floats  # NaN where fewer than half of the resamples have a value
    high: Floats


def roc_band(
    scores: Sequence[ArrayLike], positive: ArrayLike, clusters: Clusters, *, draws: int = DRAWS, seed: int = 0
) -> Band:
    """Sensitivity over 1 - specificity (vertical averaging, Fawcett 2006), averaged over repeats.

    Args:
        scores: [R] times [N], higher = more likely positive, one array a repeat.
        positive: bool [N].
        clusters: the key of each row's cluster [N]; whole clusters are drawn.
        draws: resamples.
        seed: of the draws.

    Raises:
        ValueError: lengths differ, or there is no positive or no negative.
    """
    return _band(scores, positive, clusters, _sensitivity, draws, seed)


def precision_recall_band(
    scores: Sequence[ArrayLike], positive: ArrayLike, clusters: Clusters, *, draws: int = DRAWS, seed: int = 0
) -> Band:
    """Precision over recall; arguments as in `roc_band`.

    At each recall stands the precision of the highest threshold that reaches it (no line is drawn between
    thresholds, which would flatter: Davis & Goadrich 2006).
    """
    return _band(scores, positive, clusters, _precision, draws, seed)


def _band(
    scores: Sequence[ArrayLike],
    positive: ArrayLike,
    clusters: Clusters,
    curve: Callable[[Sweep], Floats],
    draws: int,
    seed: int,
) -> Band:
    y = as_bools("positive", positive)
    if y.all() or not y.any():
        raise ValueError("a curve needs at least one positive and one negative")
    keys = np.unique(np.asarray(clusters), return_inverse=True)[1].astype(np.int64)
    weights = np.concatenate(
        [np.ones((1, y.size)), cluster_weights(keys, draws, np.random.default_rng(seed))]
    )
    total = np.zeros((len(weights), GRID.size))
    for one in scores:
        s = as_floats("scores", one, y.size)
        total += curve(_sweep(s, y, weights))
    total /= len(scores)
    sampled = total[1:]
    known = np.isfinite(sampled)
    enough = known.sum(axis=0) * 2 >= draws
    low, high = np.full(GRID.size, np.nan), np.full(GRID.size, np.nan)
    if enough.any():
        low[enough], high[enough] = np.nanquantile(sampled[:, enough], [0.025, 0.975], axis=0)
    return Band(GRID, total[0], np.fmin(low, total[0]), np.fmax(high, total[0]))


def _sweep(scores: Floats, y: Bools, weights: Floats) -> Sweep:
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    # A threshold lies between distinct scores only: equal scores are called together.
    ends: Ints = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    drawn = weights[:, order]
    nothing = np.zeros((len(weights), 1))
    found = np.cumsum(drawn * y[order], axis=1)[:, ends]
    called = np.cumsum(drawn * ~y[order], axis=1)[:, ends]
    return np.hstack([nothing, found]), np.hstack([nothing, called])


def _sensitivity(sweep: Sweep) -> Floats:
    values = np.full((len(sweep[0]), GRID.size), np.nan)
    for place, (found, called) in enumerate(zip(*sweep, strict=True)):
        if found[-1] > 0 and called[-1] > 0:
            rate = called / called[-1]
            # Of several points above one rate the highest: np.interp needs rates that rise.
            last = np.append(rate[1:] != rate[:-1], True)
            values[place] = np.interp(GRID, rate[last], found[last] / found[-1])
    return values


def _precision(sweep: Sweep) -> Floats:
    values = np.full((len(sweep[0]), GRID.size), np.nan)
    for place, (found, called) in enumerate(zip(*sweep, strict=True)):
        if found[-1] > 0:
            recall = found / found[-1]
            at = np.searchsorted(recall, GRID - 1e-12, side="left")
            at = np.maximum(
                at, np.searchsorted(recall, 0.0, side="right")
            )  # recall 0: the first threshold that finds
            values[place] = found[at] / (found[at] + called[at])
    return values
