"""The verdict on two pictures: one photo, two photos of one scene, or nothing that can be shown.

The limits were set on real photos (docs/duplicates.md, "How sure"): among pairs of different photos, the fine
structure of the overlap never correlates above 0.86 however many keypoints fit (watermarks, studio poses), and
pairs of one photo seldom stay below 0.92.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.data.duplicates.agreement import Agreement, agreement
from poxlens.data.duplicates.relation import relation
from poxlens.data.keypoints import Keypoints, Match, match

VERSION = 4  # of the method: verdicts of another are not taken from a store

LIMIT = 0.90  # correlation above which a fit is one photo
LIMIT_FEW = 0.95  # with fewer inliers than ENOUGH
ENOUGH = 8
FEWEST = 6
HOLDING = 0.70  # left of it without its best strip of blocks: the strip may be a caption that both carry
SCENE = 0.50  # correlation above which many inliers are one scene
SCENE_INLIERS = 25
CELLS = 10  # of 36: those of a watermark fill one to four, of a caption at most seven
STEEPEST = 2.5  # stretch of one side against the other; squares made of panoramas reach 2
LARGEST = 8.0  # enlargement


@dataclass(frozen=True)
class Verdict:
    """What two pictures are to each other."""

    kind: str  # "confirmed", "scene" or "" for nothing shown
    inliers: int = 0
    correlation: float = float("nan")
    overlap: float = float("nan")  # share of the smaller picture that both show
    mirrored: bool = False
    relation: str = ""
    matrix: tuple[float, ...] = ()  # first -> second, sides 0-1; 6 numbers


NOTHING = Verdict("")


def confirm(first: Keypoints, second: Keypoints) -> Verdict:
    """Compare two described pictures."""
    fit = match(first, second)
    if fit is None or fit.inliers < FEWEST or not plausible(fit.matrix):
        return NOTHING
    laid = agreement(first, second, fit.matrix)
    if laid is None:
        return NOTHING
    kind = _kind(fit, laid)
    if not kind:
        return Verdict("", fit.inliers, laid.correlation)
    return Verdict(
        kind,
        fit.inliers,
        round(laid.correlation, 4),
        round(float(max(laid.shares)), 4),
        fit.mirrored,
        relation(first, second, laid),
        _unit(laid.matrix, first, second),
    )


def plausible(matrix: NDArray[np.float64]) -> bool:
    """Whether a copy could have been made so: no fold to a line, no wild stretch or enlargement."""
    large, small = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return bool(small > 1 / LARGEST and large < LARGEST and large < STEEPEST * small)


def _kind(fit: Match, laid: Agreement) -> str:
    widely = _cells(fit, laid) >= CELLS
    if laid.correlation >= (LIMIT if fit.inliers >= ENOUGH else LIMIT_FEW) and (
        widely or laid.holding >= HOLDING
    ):
        return "confirmed"
    return "scene" if fit.inliers >= SCENE_INLIERS and laid.correlation >= SCENE and widely else ""


def _cells(fit: Match, laid: Agreement) -> int:
    """Cells of a 6 x 6 grid over the overlap that hold an inlier."""
    height, width = laid.mask.shape
    move = laid.frames[0]
    place = fit.places @ move[:, :2].T + move[:, 2]
    cell = np.clip(place / (width, height) * 6, 0, 5).astype(np.int64)
    return len(np.unique(cell, axis=0))


def _unit(matrix: NDArray[np.float64], first: Keypoints, second: Keypoints) -> tuple[float, ...]:
    """The map between pictures whose sides are 0-1."""
    source = np.array([first.grey.shape[1], first.grey.shape[0]], np.float64)
    target = np.array([second.grey.shape[1], second.grey.shape[0]], np.float64)
    scaled = np.c_[matrix[:, :2] * source, matrix[:, 2]] / target[:, None]
    return tuple(round(float(value), 5) for value in scaled.ravel())
