"""Figures of novelty scores, of known images against one condition; higher score = less like the known.

AUROC: the chance that an image of the condition scores above a known one. AUPR: average precision with the condition as
the positive class; it depends on how many there are of each. FPR at 95 % TPR, in the field's words: the share of the
condition that passes where 95 % of the known images do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from poxlens.evaluate.intervals import Estimate, estimate
from poxlens.evaluate.ranking import auroc, average_precision
from poxlens.evaluate.statistic import Bools, Floats, Statistic, as_bools, as_floats

Kind = Callable[[NDArray[np.floating], NDArray[np.bool_]], Statistic]

RESAMPLES = 500
ACCEPTED = 0.95


@dataclass(frozen=True, eq=False)
class Tested:
    """One fold of one repeat: scores of known images and of one condition."""

    image: NDArray[np.int64]  # [M], number of the image; the same image may be tested in several folds
    group: NDArray[np.int64]  # [M]
    novel: Bools  # [M], of the condition
    score: Floats  # [M]


@dataclass(frozen=True)
class Figures:
    """Of a detector on a condition, means over folds."""

    auroc: Estimate
    aupr: Estimate
    fpr95: Estimate
    known: int  # images
    novel: int


def passing_at_95(scores: NDArray[np.floating], novel: NDArray[np.bool_]) -> Statistic:
    """FPR at 95 % TPR: the share of novel images at or below the score that 95 % of the known ones do not exceed.

    Args:
        scores: [N], higher = less like the known.
        novel: [N].

    Raises:
        ValueError: lengths differ or a score is not finite.
    """
    values = as_floats("scores", scores)
    unknown = as_bools("novel", novel, values.size)
    order = np.argsort(values, kind="stable")
    ranked, marks = values[order], unknown[order]
    last = np.searchsorted(ranked, ranked, side="right") - 1  # of each run of equal scores

    def over(weights: Floats) -> Floats:
        sorted_weights = weights[:, order]
        known = np.cumsum(np.where(marks, 0.0, sorted_weights), axis=1)
        passed = np.cumsum(np.where(marks, sorted_weights, 0.0), axis=1)
        reached = known >= ACCEPTED * known[:, -1:] - 1e-9
        place = last[reached.argmax(axis=1)]
        rows = np.arange(len(weights))
        whole = passed[:, -1]
        found = np.full(len(weights), np.nan)
        defined = (whole > 0) & (known[:, -1] > 0)
        found[defined] = passed[rows, place][defined] / whole[defined]
        return found

    return Statistic(over, np.ones(values.size, bool), (unknown, ~unknown))


def figures_of(folds: Sequence[Tested], *, seed: int = 0, resamples: int = RESAMPLES) -> Figures:
    """Means over folds with 95 % intervals: whole groups are drawn, the same in every fold.

    Args:
        folds: at least one, each with known images and some of the condition.
        seed: of the bootstrap.
        resamples: how many.

    Raises:
        ValueError: there is no fold.
    """
    if not folds:
        raise ValueError("no fold has images of this condition")
    image = np.concatenate([fold.image for fold in folds])
    numbers, first, place = np.unique(image, return_index=True, return_inverse=True)
    group = np.concatenate([fold.group for fold in folds])[first]
    novel = np.concatenate([fold.novel for fold in folds])[first]
    starts = np.cumsum([0, *(len(fold.image) for fold in folds)])
    parts = [place[a:b] for a, b in pairwise(starts)]

    def mean_of(kind: Kind) -> Statistic:
        found = [kind(fold.score, fold.novel) for fold in folds]

        def over(weights: Floats) -> Floats:
            each = np.stack([one.over(weights[:, part]) for one, part in zip(found, parts, strict=True)])
            defined = np.isfinite(each)
            count = defined.sum(0)
            total = np.where(defined, each, 0.0).sum(0)
            return np.where(count > 0, total / np.maximum(count, 1), np.nan)

        return Statistic(over, np.ones(len(numbers), bool), (novel, ~novel))

    kinds: dict[str, Kind] = {"auroc": auroc, "aupr": average_precision, "fpr95": passing_at_95}
    values = estimate(
        {name: mean_of(kind) for name, kind in kinds.items()},
        group.tolist(),
        resamples=resamples,
        seed=seed,
    )
    return Figures(**values, known=int((~novel).sum()), novel=int(novel.sum()))
