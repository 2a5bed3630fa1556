"""Novelty on embeddings: how much of an embedding lies outside the subspace that the training set spans.

With z the standardised embedding and V the first k principal directions of the training set, novelty =
1 - |V' z|^2 / |z|^2, in 0..1, higher = less like the training set (reconstruction residual of PCA; Jackson and
Mudholkar 1979, made relative to |z|^2 so that strong and weak photos compare).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from poxlens.train.heads import standardisation

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Subspace:
    """The novelty score's parameters."""

    mean: Floats  # [D]
    scale: Floats  # [D]
    directions: Floats  # [D, k], orthonormal columns

    @classmethod
    def fit(cls, features: Floats, size: int = 64) -> Subspace:
        """From [N, D] features, with `size` directions (at most N - 1 and D)."""
        mean, scale = standardisation(features)
        standard = (features - mean) / scale
        # The small Gram matrix: N is below D here, and its eigenvectors give V.
        gram = standard @ standard.T
        size = min(size, len(features) - 1, features.shape[1])
        last = len(gram) - 1
        # only the largest: a third of the time that all of them take
        values, vectors = eigh(gram.astype(np.float64), subset_by_index=(last - size + 1, last))
        top = vectors[:, ::-1] / np.sqrt(np.maximum(values[::-1], 1e-9))
        # A sign of its own choosing would make bundles differ from machine to machine.
        directions = standard.T @ top.astype(np.float32)
        signs = np.sign(directions[np.abs(directions).argmax(0), np.arange(size)])
        return cls(mean, scale, (directions * signs).astype(np.float32))

    def score(self, features: Floats) -> Floats:
        """[N] novelty of [N, D] features."""
        standard = (features - self.mean) / self.scale
        inside = ((standard @ self.directions) ** 2).sum(1)
        score: Floats = (1.0 - inside / np.maximum((standard**2).sum(1), 1e-12)).astype(np.float32)
        return score
