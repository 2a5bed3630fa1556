"""Free energy of the logits: -T log sum_c exp(l_c / T) (Liu 2020). With labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from poxlens.train.novelty.seen import Floats, Known, Seen, logits_of


@dataclass(frozen=True)
class Energy:
    """The score; nothing is learnt but the head itself."""

    temperature: float = 1.0

    @classmethod
    def fit(cls, known: Known) -> Energy:
        """Of any known images."""
        del known
        return cls()

    def score(self, seen: Seen) -> Floats:
        """[N], higher where all logits are low."""
        logits = logits_of(seen).astype(np.float64)
        found: Floats = (-self.temperature * logsumexp(logits / self.temperature, axis=1)).astype(np.float32)
        return found
