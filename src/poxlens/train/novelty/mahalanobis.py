"""Mahalanobis distance to the nearest class, absolute and relative (Lee 2018; Ren 2021). With or without labels.

    d_k(z) = (z - mu_k)' S^-1 (z - mu_k),   score = min_k d_k(z)
    relative:                               score = min_k d_k(z) - d_0(z)

with one covariance S of all classes and, relative, one Gaussian 0 of all images together. There are about as many
images as dimensions, so S is drawn towards a multiple of the identity (Ledoit and Wolf 2004).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf_shrinkage

from poxlens.train.novelty.seen import Floats, Ints, Known, Seen

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Gaussian:
    """One covariance around several means."""

    means: Doubles  # [K, D]
    precision: Doubles  # [D, D]

    @classmethod
    def fit(cls, features: Floats, truth: Ints | None = None, shrinkage: float | None = None) -> Gaussian:
        """Of [N, D] features.

        Args:
            features: of the known images.
            truth: [N] class numbers, -1 where it is not sure; None for one class.
            shrinkage: 0-1; Ledoit and Wolf's choice when None.
        """
        values = features.astype(np.float64)
        if truth is not None:
            values, truth = values[truth >= 0], truth[truth >= 0]
        numbers = np.zeros(len(values), np.int64) if truth is None else truth
        means = np.stack([values[numbers == k].mean(0) for k in np.unique(numbers)])
        centred = values - means[np.unique(numbers, return_inverse=True)[1]]
        if shrinkage is None:
            shrinkage = float(ledoit_wolf_shrinkage(centred, assume_centered=True))
        covariance = centred.T @ centred / len(centred)
        size = len(covariance)
        ridge = shrinkage * np.trace(covariance) / size + 1e-12
        covariance = (1 - shrinkage) * covariance + ridge * np.eye(size)
        return cls(means, np.linalg.inv(covariance))

    def nearest(self, features: Floats) -> Doubles:
        """[N], squared distance to the nearest mean."""
        values = features.astype(np.float64)
        found = np.full(len(values), np.inf)
        for mean in self.means:
            centred = values - mean
            found = np.minimum(found, ((centred @ self.precision) * centred).sum(1))
        return found


@dataclass(frozen=True, eq=False)
class Mahalanobis:
    """Distance to the nearest class, and less that to all together where `background` is given."""

    classes: Gaussian
    background: Gaussian | None = None

    @classmethod
    def fit(cls, known: Known, *, shrinkage: float | None = None) -> Mahalanobis:
        """With the labels of the known images."""
        return cls(Gaussian.fit(known.seen.features, known.truth, shrinkage))

    @classmethod
    def without_labels(cls, known: Known, *, shrinkage: float | None = None) -> Mahalanobis:
        """One Gaussian of all known images."""
        return cls(Gaussian.fit(known.seen.features, None, shrinkage))

    @classmethod
    def relative(cls, known: Known, *, shrinkage: float | None = None) -> Mahalanobis:
        """With labels, relative to one Gaussian of all."""
        features = known.seen.features
        classes = Gaussian.fit(features, known.truth, shrinkage)
        return cls(classes, Gaussian.fit(features, None, shrinkage))

    def score(self, seen: Seen) -> Floats:
        """[N]."""
        found = self.classes.nearest(seen.features)
        if self.background is not None:
            found = found - self.background.nearest(seen.features)
        return found.astype(np.float32)
