"""Virtual-logit matching: the residual outside the main subspace as one more logit (Wang 2022). With labels.

With the origin o = -(W^+)' b, where all logits are 0, and the first k principal directions P of the known x - o,

    score = alpha |(1 - P P')(x - o)| - log sum_c exp(l_c),

alpha such that the mean virtual logit of the known images is their mean largest logit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.special import logsumexp

from poxlens.train.novelty.seen import Floats, Known, Seen, logits_of

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VirtualLogit:
    """The parameters."""

    origin: Doubles  # [D]
    directions: Doubles  # [D, k], orthonormal columns
    alpha: float

    @classmethod
    def fit(cls, known: Known, *, size: int = 64) -> VirtualLogit:
        """With the head that gave the logits.

        Raises:
            ValueError: the known images come without their head.
        """
        if known.weight is None or known.bias is None:
            raise ValueError("ViM needs the weights of the head")
        origin = -np.linalg.pinv(known.weight.T.astype(np.float64)) @ known.bias
        centred = known.seen.features - origin
        size = min(size, len(centred) - 1, centred.shape[1] - 1)
        whole = centred.shape[1]
        _, vectors = eigh(centred.T @ centred / len(centred), subset_by_index=(whole - size, whole - 1))
        found = cls(origin, vectors, 1.0)
        largest = logits_of(known.seen).max(1).mean()
        return cls(origin, found.directions, float(largest / found._residual(known.seen).mean()))

    def score(self, seen: Seen) -> Floats:
        """[N]."""
        energy = logsumexp(logits_of(seen).astype(np.float64), axis=1)
        found: Floats = (self.alpha * self._residual(seen) - energy).astype(np.float32)
        return found

    def _residual(self, seen: Seen) -> Doubles:
        centred = seen.features - self.origin
        inside = np.square(centred @ self.directions).sum(1)
        found: Doubles = np.sqrt(np.maximum(np.square(centred).sum(1) - inside, 0))
        return found
