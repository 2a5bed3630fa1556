"""Augmented views computed once: what lets tuned augmentation run on cached features.

Each image has its own B views, with amounts spread over the whole range of strengths, denser near zero. A draw within
given strengths becomes the view that lies nearest to it. Checked against augmenting in every step:
benchmarks/compare.py --only bank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from poxlens.train.augmentation import FLIPS, KINDS, MOST, Draw, Strengths

Floats = NDArray[np.float32]
_ALL = FLIPS["both"]


def planned(digest: str, views: int, seed: int) -> list[Draw]:
    """The draws of one image's views: scrambled Sobol points, scaled so that weak strengths have views too.

    Args:
        digest: SHA-256 of the image, so that its views do not depend on which other images there are.
        views: B, best a power of two.
        seed: of the scrambling.
    """
    random = np.random.default_rng([seed, int(digest[:15], 16)])
    points = qmc.Sobol(len(KINDS) + 1, seed=random).random(views)
    amounts = (2 * points[:, :-1] - 1) * MOST * points[:, -1:]
    flips = [_ALL[view % len(_ALL)] for view in range(views)]
    return [Draw(tuple(row), *flip) for row, flip in zip(amounts.tolist(), flips, strict=True)]


@dataclass(frozen=True, eq=False)
class FeatureBank:
    """Features of N images in B augmented views each."""

    features: NDArray[np.floating[Any]]  # [N, B, D], float16 halves the memory of a worker
    amounts: NDArray[np.float64]  # [N, B, 6]
    flips: NDArray[np.int64]  # [N, B], number in FLIPS["both"]

    @classmethod
    def of(cls, features: NDArray[np.floating[Any]], draws: Sequence[Sequence[Draw]]) -> FeatureBank:
        """From [N, B, D] features of the planned draws."""
        amounts = np.array([[one.amounts for one in row] for row in draws])
        flips = np.array([[_ALL.index((one.mirrored, one.upended)) for one in row] for row in draws])
        return cls(features, amounts, flips)

    def draw(self, strengths: Strengths, random: np.random.Generator) -> Floats:
        """[N, D]: one view of each image, the nearest to a draw within the strengths."""
        count = len(self.features)
        limits = strengths.limits()
        wanted = random.uniform(-limits, limits, (count, len(KINDS)))
        allowed = np.array([_ALL.index(flip) for flip in FLIPS[strengths.flip]])
        flip = allowed[random.integers(len(allowed), size=count)]
        distance = np.square(self.amounts - wanted[:, None]).sum(2)
        distance[self.flips != flip[:, None]] = np.inf
        found: Floats = self.features[np.arange(count), distance.argmin(1)].astype(np.float32)
        return found
