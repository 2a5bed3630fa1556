"""Maximum softmax probability: 1 - max_c p_c (Hendrycks and Gimpel 2017). With labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from poxlens.train.novelty.seen import Floats, Known, Seen, logits_of


@dataclass(frozen=True)
class MaximumSoftmax:
    """The score; nothing is learnt but the head itself."""

    temperature: float = 1.0

    @classmethod
    def fit(cls, known: Known) -> MaximumSoftmax:
        """Of any known images."""
        del known
        return cls()

    def score(self, seen: Seen) -> Floats:
        """[N], 0 to 1 - 1/C."""
        found: Floats = (1 - softmax(logits_of(seen) / self.temperature, axis=1).max(1)).astype(np.float32)
        return found
