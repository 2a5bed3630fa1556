"""Distance to the k-th nearest known image, embeddings brought to length 1 (Sun 2022). Without labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poxlens.train.novelty.seen import Floats, Known, Seen


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The known images, and how many neighbours are counted."""

    bank: Floats  # [M, D], of length 1
    k: int

    @classmethod
    def fit(cls, known: Known, *, k: int = 5) -> Neighbours:
        """All known images; k at most their number."""
        bank = _unit(known.seen.features)
        return cls(bank, min(k, len(bank)))

    def score(self, seen: Seen) -> Floats:
        """[N], 0 to 2."""
        cosine = _unit(seen.features) @ self.bank.T
        kth = np.partition(cosine, len(self.bank) - self.k, axis=1)[:, len(self.bank) - self.k]
        found: Floats = np.sqrt(np.maximum(2 - 2 * kth, 0)).astype(np.float32)
        return found


def _unit(features: Floats) -> Floats:
    values = features.astype(np.float64)  # 2 - 2 cosine of near images loses half its digits in 32 bits
    unit: Floats = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
    return unit
