"""Learning curves: the same folds, learnt from fewer groups.

A share of the groups of each class is kept of what is learnt from and of what is chosen on; the test part stays
whole, so that a curve shows the size and nothing else. Smaller shares are part of larger ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from poxlens.recipes.compare.cases import Cases
from poxlens.recipes.compare.folds import Fold

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Size:
    """One point of the curves."""

    share: float
    images: int  # learnt from and chosen on, mean over the folds; without extra images
    folds: tuple[Fold, ...]

    @property
    def variant(self) -> str:
        """In the unit's name."""
        return f"share {self.share:g}"


def sizes(cases: Cases, folds: Sequence[Fold], shares: Sequence[float], *, seed: int) -> list[Size]:
    """The points, ascending; of shares that come to the same number of images the largest is kept.

    Args:
        cases: the images.
        folds: of the study.
        shares: of the groups, above 0 and at most 1.
        seed: of the draw.
    """
    found: dict[int, Size] = {}
    for share in sorted(set(shares)):
        parts = tuple(_fewer(cases, fold, share, seed) for fold in folds)
        images = round(float(np.mean([len(part.train) + len(part.validation) for part in parts])))
        found[images] = Size(share, images, parts)
    return [found[images] for images in sorted(found)]


def _fewer(cases: Cases, fold: Fold, share: float, seed: int) -> Fold:
    if share == 1:
        return fold
    place = (seed, fold.repeat, fold.number)
    return replace(
        fold,
        train=_part(cases, fold.train, share, [*place, 0]),
        validation=_part(cases, fold.validation, share, [*place, 1]),
        extra={name: _part(cases, rows, share, [*place, 2]) for name, rows in fold.extra.items()},
    )


def _part(cases: Cases, rows: Rows, share: float, seed: Sequence[int]) -> Rows:
    """The rows of a share of the groups that hold each class, at least one of each."""
    random = np.random.default_rng(seed)
    group = cases.groups.of[rows]
    kept = []
    for label in np.unique(cases.truth[rows]):
        holders = random.permutation(np.unique(group[cases.truth[rows] == label]))
        kept.append(holders[: max(1, round(share * len(holders)))])
    return rows[np.isin(group, np.concatenate(kept))] if kept else rows
