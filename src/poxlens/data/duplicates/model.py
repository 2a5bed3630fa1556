"""What the search for duplicates finds: pairs, how each is known, and the groups they make."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KINDS = {
    "exact": "the same bytes in two files",
    "pixels": "the same pixels in two files",
    "near": "fingerprints alike beyond doubt",
    "confirmed": "one photo, by keypoints that one affine map carries over and pixels that then agree",
    "scene": "two photos of one scene: keypoints fit, pixels do not",
    "suspected": "alike to the embedding, not confirmed",
}
"""Kind of a pair -> what it means, the surest first."""

JOINED = ("exact", "pixels", "near", "confirmed", "scene")
"""Kinds whose images stand in one group."""

SAME_PHOTO = ("exact", "pixels", "near", "confirmed")
"""Kinds that say "one photo", so that two labels contradict each other."""


@dataclass(frozen=True)
class Pair:
    """Two images of a manifest that belong together, or may.

    `matrix` maps the first image onto the second, both with sides 0-1: (x', y') = A (x, y) + t, row by row.
    """

    first: int  # row, 0-based, the smaller number
    second: int
    kind: str  # one of KINDS
    similarity: float  # of the embeddings, cosine; NaN where there is none
    inliers: int = 0  # keypoints that the map carries onto their partners
    mirrored: bool = False
    relation: str = ""  # "copy", "crop", "mirrored", "rotated 90", "re-toned", "captioned"..., as measured
    correlation: float = float("nan")  # of the pixels of the overlap after alignment, -1..1
    overlap: float = float("nan")  # share of the smaller picture that both show, 0-1
    matrix: tuple[float, ...] = ()  # 6 numbers, or none

    @property
    def strength(self) -> tuple[int, float]:
        """Higher = surer that the two belong together."""
        rank = -list(KINDS).index(self.kind)
        return rank, float(self.inliers) if self.inliers else float(np.nan_to_num(self.similarity))


@dataclass(frozen=True)
class Link:
    """The weakest pair that holds a group together: without it the group falls in two."""

    pair: Pair
    group: int
    size: int  # images of the group
    apart: int  # images of the smaller part without it


@dataclass(frozen=True, eq=False)
class Duplicates:
    """All pairs of a manifest of N rows."""

    pairs: tuple[Pair, ...]  # the surest kind first, then by row
    group: NDArray[np.int64]  # [N], numbered in order of first appearance
    conflicts: tuple[Pair, ...]  # one photo under labels that contradict each other
    links: tuple[Link, ...]  # of the largest groups, the largest first
    checked: int = 0  # pairs whose pixels were compared
    unreadable: tuple[int, ...] = ()  # rows that could not be compared

    @property
    def joined(self) -> tuple[Pair, ...]:
        """The pairs that groups were made from."""
        return tuple(pair for pair in self.pairs if self.group[pair.first] == self.group[pair.second])

    def counts(self) -> dict[str, int]:
        """Kind -> how many pairs."""
        return {kind: sum(pair.kind == kind for pair in self.pairs) for kind in KINDS}
