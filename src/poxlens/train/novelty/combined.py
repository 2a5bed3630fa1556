"""Several detectors as one: each score brought to one scale on known images that it did not learn from.

No single score knows both another disease and a picture of a thing. A score s becomes (s - m) / (q - m) with m the
median and q the 95th percentile of held-out known images, so that 1 is its own limit at 95 % acceptance; the
combination is the largest of them, or their mean. Scores on images learnt from are too low, hence held out: by folds
of groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold

from poxlens.train.novelty.seen import Detector, Fit, Floats, Known, Seen

How = Literal["maximum", "mean"]
ACCEPTED = 0.95


@dataclass(frozen=True)
class Scale:
    """Where a score lies on held-out known images."""

    middle: float  # median
    limit: float  # 95th percentile

    @classmethod
    def of(cls, scores: NDArray[np.floating]) -> Scale:
        """Of [N] scores."""
        middle, limit = np.quantile(np.asarray(scores, np.float64), [0.5, ACCEPTED])
        return cls(float(middle), float(limit))

    def apply(self, scores: Floats) -> Floats:
        """[N], 0 at the median and 1 at the limit."""
        found: Floats = ((scores - self.middle) / max(self.limit - self.middle, 1e-9)).astype(np.float32)
        return found


@dataclass(frozen=True, eq=False)
class Combined:
    """Detectors with their scales."""

    parts: tuple[tuple[Detector, Scale], ...]
    how: How = "maximum"

    def score(self, seen: Seen) -> Floats:
        """[N]."""
        scaled = np.stack([scale.apply(part.score(seen)) for part, scale in self.parts])
        found: Floats = scaled.max(0) if self.how == "maximum" else scaled.mean(0)
        return found


def fit_combined(
    fits: Mapping[str, Fit], known: Known, groups: NDArray[np.int64], *, folds: int = 3, how: How = "maximum"
) -> Combined:
    """Fit each detector on all known images, and its scale on folds of them.

    Args:
        fits: detectors by name.
        known: images.
        groups: [N], what stays on one side of a fold.
        folds: at most the number of groups.
        how: the scaled scores become one.
    """
    held = held_out(list(fits.values()), known, groups, folds)
    parts = [(fit(known), Scale.of(scores)) for fit, scores in zip(fits.values(), held, strict=True)]
    return Combined(tuple(parts), how)


def held_out(
    fits: Sequence[Fit], known: Known, groups: NDArray[np.int64], folds: int = 3
) -> NDArray[np.float32]:
    """[F, N] score of each known image by detectors that did not learn from it; logits are taken as they come.

    Raises:
        ValueError: there is one group only.
    """
    folds = min(folds, len(np.unique(groups)))
    found = np.full((len(fits), len(groups)), np.nan, np.float32)
    for train, test in GroupKFold(folds).split(groups, groups=groups):
        part = rows_of(known, train)
        for place, fit in enumerate(fits):
            found[place, test] = fit(part).score(known.seen.rows(test))
    return found


def rows_of(known: Known, rows: NDArray[np.int64]) -> Known:
    """Some of the known images, classes counted anew where one is left without images."""
    truth = known.truth[rows]
    sure = np.unique(truth[truth >= 0])
    counted = np.where(truth >= 0, np.searchsorted(sure, truth), -1).astype(np.int64)
    return Known(known.seen.rows(rows), counted, known.weight, known.bias, known.outliers)
