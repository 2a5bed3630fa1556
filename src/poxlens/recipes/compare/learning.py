"""Learning curves: the same folds, learnt from fewer groups.

A share of each class' groups is kept of what is learnt from and of what is chosen on; the test part stays whole, so
that a curve shows the size and nothing else. Smaller shares are part of larger ones.
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
    kept = _kept(
        cases, np.concatenate([fold.train, fold.validation]), share, [seed, fold.repeat, fold.number]
    )
    train, validation = (_of(cases, rows, kept) for rows in (fold.train, fold.validation))
    extra = {}
    for name, rows in fold.extra.items():
        random = np.random.default_rng([seed, fold.repeat, fold.number, 1])
        groups = random.permutation(np.unique(cases.groups.of[rows]))
        extra[name] = _of(cases, rows, groups[: round(share * len(groups))])
    # a class that a small share left out of one part keeps one of its groups there
    train = _complete(cases, fold.train, train)
    validation = _complete(cases, fold.validation, validation)
    return replace(fold, train=train, validation=validation, extra=extra)


def _kept(cases: Cases, rows: Rows, share: float, seed: Sequence[int]) -> Rows:
    """Groups of a share of those in which each class is most frequent; at least one of each."""
    random = np.random.default_rng(list(seed))
    groups, place = np.unique(cases.groups.of[rows], return_inverse=True)
    counts = np.zeros((len(groups), len(cases.classes)), np.int64)
    np.add.at(counts, (place, cases.truth[rows]), 1)
    own = counts.argmax(1)
    found = []
    for label in range(len(cases.classes)):
        some = random.permutation(groups[own == label])
        found.append(some[: max(1, round(share * len(some)))])
    return np.concatenate(found)


def _of(cases: Cases, rows: Rows, groups: Rows) -> Rows:
    return rows[np.isin(cases.groups.of[rows], groups)]


def _complete(cases: Cases, whole: Rows, part: Rows) -> Rows:
    absent = np.setdiff1d(cases.truth[whole], cases.truth[part])
    for label in absent:
        first = whole[cases.truth[whole] == label][0]
        part = np.union1d(part, whole[cases.groups.of[whole] == cases.groups.of[first]])
    return np.sort(part)
