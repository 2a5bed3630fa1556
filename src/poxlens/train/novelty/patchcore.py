"""PatchCore: distance of the most unlike place to a bank of known places (Roth 2022). Without labels.

    score = max_p min_m |x_p - m|,

the bank being a coreset chosen greedily, each member the place farthest from those chosen before (Sener 2018). The
re-weighting by neighbours of the bank (its eq. 7) is left out: the cheap form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from poxlens.train.novelty.seen import Floats, Known, Seen, patches_of

_BLOCK = 4096  # places compared at once


@dataclass(frozen=True, eq=False)
class PatchCore:
    """The bank."""

    bank: Floats  # [M, E]

    @classmethod
    def fit(cls, known: Known, *, size: int = 512, candidates: int = 10_000, seed: int = 0) -> PatchCore:
        """A coreset of the places of the known images.

        Args:
            known: the images.
            size: of the coreset.
            candidates: places that it is chosen from, drawn at random.
            seed: of the draw.
        """
        patches = patches_of(known.seen)
        flat = patches.reshape(-1, patches.shape[2]).astype(np.float32)
        random = np.random.default_rng(seed)
        if len(flat) > candidates:
            flat = flat[np.sort(random.choice(len(flat), candidates, replace=False))]
        return cls(flat[coreset(flat, min(size, len(flat)))])

    def score(self, seen: Seen) -> Floats:
        """[N], >= 0."""
        patches = patches_of(seen)
        flat = patches.reshape(-1, patches.shape[2]).astype(np.float32)
        squares = np.square(self.bank).sum(1)
        nearest = np.empty(len(flat), np.float32)
        for start in range(0, len(flat), _BLOCK):
            some = flat[start : start + _BLOCK]
            nearest[start : start + _BLOCK] = (squares - 2 * some @ self.bank.T).min(1) + np.square(some).sum(
                1
            )
        found: Floats = np.sqrt(np.maximum(nearest, 0)).reshape(patches.shape[:2]).max(1)
        return found


def coreset(points: Floats, size: int) -> list[int]:
    """Places of `size` of the points [N, E], the first being point 0, each next the farthest from those before."""
    chosen = [0]
    distance = np.square(points - points[0]).sum(1)
    while len(chosen) < size:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.square(points - points[chosen[-1]]).sum(1))
    return chosen
