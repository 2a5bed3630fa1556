"""PaDiM: a Gaussian at each place of the feature map, the most unlikely place counts (Defard 2021). Without labels.

    score = max_p sqrt((x_p - mu_p)' S_p^-1 (x_p - mu_p)),   S_p = covariance + 0.01 1

Photos of rashes are not aligned, unlike the parts that PaDiM was made for: one Gaussian of all places is the
cheap form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.train.novelty.seen import Floats, Known, Seen, patches_of

Doubles = NDArray[np.float64]
_RIDGE = 0.01


@dataclass(frozen=True, eq=False)
class Padim:
    """Means and precisions of the places, or of all places together."""

    means: Doubles  # [P or 1, E]
    precisions: Doubles  # [P or 1, E, E]

    @classmethod
    def fit(cls, known: Known, *, aligned: bool = False) -> Padim:
        """From the patches of the known images.

        Args:
            known: the images.
            aligned: a Gaussian for each place, as published, instead of one of all.
        """
        patches = patches_of(known.seen).astype(np.float64)
        parts = patches.transpose(1, 0, 2) if aligned else patches.reshape(1, -1, patches.shape[2])
        means, precisions = [], []
        for part in parts:
            mean = part.mean(0)
            centred = part - mean
            covariance = centred.T @ centred / max(1, len(part) - 1)
            means.append(mean)
            precisions.append(np.linalg.inv(covariance + _RIDGE * np.eye(len(mean))))
        return cls(np.stack(means), np.stack(precisions))

    def score(self, seen: Seen) -> Floats:
        """[N], >= 0."""
        patches = patches_of(seen).astype(np.float64)
        centred = patches - self.means
        if len(self.means) == 1:
            flat = centred.reshape(-1, centred.shape[2])
            squares = ((flat @ self.precisions[0]) * flat).sum(1).reshape(centred.shape[:2])
        else:
            squares = np.einsum("npe,pef,npf->np", centred, self.precisions, centred, optimize=True)
        found: Floats = np.sqrt(np.maximum(squares, 0)).max(1).astype(np.float32)
        return found
