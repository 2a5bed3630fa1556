"""Keypoints of a picture, and the one affine map that carries those of one picture onto those of another.

SIFT (Lowe 2004) with square-rooted descriptors (Arandjelovic & Zisserman 2012). Every tentative match proposes
a similarity by its own scale and direction (Philbin et al. 2007), so the search is exhaustive and the same on
every run; the best proposals grow into a least-squares affine map (Chum et al. 2003), a homography whose last
row is fixed: sources stretch photos to squares, and a flat copy of a photo has no perspective.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

SIDE = 288  # px; root of the working picture's area: SIFT gains nothing from more on 224-px sources
MOST = 500  # keypoints of a picture
FEWEST = 5  # matches that are needed to look at a map at all: three points fit any
TOLERANCE = 3.0  # px of the working picture

_COLOUR_SIDE = 72  # px
_CELLS = 6  # keypoints are taken evenly from 6 x 6 cells, or a textured background takes them all
_CONTRAST = 0.015  # SIFT's default of 0.04 finds next to nothing on smooth skin
_EDGE = 15.0
_RATIO = 0.88  # of the distances to the nearest and the second nearest descriptor
_FARTHEST = 0.75  # squared distance of two descriptors of length one
_TENTATIVE = 150  # best matches that are looked at
_PROPOSALS = 4  # maps that are grown
_STEPS = (14.0, 9.0, 6.0, 4.0, TOLERANCE, TOLERANCE)  # px, as the map grows
# A mirrored patch has its rows of cells and its directions reversed: no second description is needed.
_MIRROR = np.array(
    [
        ((3 - row) * 4 + column) * 8 + (8 - turn) % 8
        for row in range(4)
        for column in range(4)
        for turn in range(8)
    ]
)


@dataclass(frozen=True, eq=False)
class Keypoints:
    """A working picture with its K keypoints."""

    grey: NDArray[np.uint8]  # [h, w], luminance, h * w about SIDE ** 2
    colour: NDArray[np.uint8]  # [h', w', 3], RGB, the same picture smaller: for tones
    place: Floats  # [K, 2], x and y, px
    size: Floats  # [K], px
    angle: Floats  # [K], rad
    descriptor: NDArray[np.float16]  # [K, 128], of length one

    def mirrored(self) -> Keypoints:
        """Those of the mirror image (left and right exchanged); the pictures stay as they are."""
        place = self.place.copy()
        place[:, 0] = self.grey.shape[1] - 1 - place[:, 0]
        turned = np.asarray(np.pi - self.angle, np.float32)
        return Keypoints(self.grey, self.colour, place, self.size, turned, self.descriptor[:, _MIRROR])


@dataclass(frozen=True, eq=False)
class Match:
    """A map of the first picture onto the second that carries keypoints onto their partners."""

    inliers: int  # keypoints at different places of both pictures
    places: Floats  # [I, 2], where the keypoints are in the first picture, px; I >= inliers
    matrix: Doubles  # [2, 3], px of the first working picture -> px of the second
    mirrored: bool


def describe(pixels: NDArray[np.uint8]) -> Keypoints:
    """Keypoints of a picture.

    Args:
        pixels: [H, W, 3], RGB, 0-255, any size.
    """
    import cv2

    picture = _working(pixels, SIDE)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    colour = _working(picture, _COLOUR_SIDE)
    detector, equaliser = _tools()
    even = equaliser.apply(grey)
    points = detector.detect(even, None)
    if not points:
        none = np.zeros(0, np.float32)
        return Keypoints(grey, colour, none.reshape(0, 2), none, none, np.zeros((0, 128), np.float16))
    place = np.array([point.pt for point in points], np.float32)
    kept = _evenly(place, np.array([point.response for point in points]), grey.shape)
    chosen, raw = detector.compute(even, [points[number] for number in kept])
    weight = raw / np.maximum(raw.sum(1, keepdims=True), 1e-9)
    return Keypoints(
        grey,
        colour,
        np.array([point.pt for point in chosen], np.float32),
        np.array([point.size for point in chosen], np.float32),
        np.deg2rad(np.array([point.angle for point in chosen], np.float32)),
        np.sqrt(weight).astype(np.float16),
    )


def match(first: Keypoints, second: Keypoints) -> Match | None:
    """The map with the most inliers, plain or mirrored; None when fewer than FEWEST agree on any."""
    best: Match | None = None
    for mirrored in (False, True):
        other = second.mirrored() if mirrored else second
        grown = _grown(first, other, _tentative(first, other))
        if grown is not None and (best is None or grown.inliers > best.inliers):
            matrix = _unmirrored(grown.matrix, second) if mirrored else grown.matrix
            best = Match(grown.inliers, grown.places, matrix, mirrored)
    return best


def _working(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    import cv2

    height, width = pixels.shape[:2]
    factor = side / np.sqrt(height * width)
    size = (max(16, round(width * factor)), max(16, round(height * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=how), np.uint8)


@cache
def _tools() -> tuple[Any, Any]:
    cv2: Any = import_module("cv2")  # its type stubs do not know SIFT
    detector = cv2.SIFT_create(nfeatures=8 * MOST, contrastThreshold=_CONTRAST, edgeThreshold=_EDGE)
    return detector, cv2.createCLAHE(2.0, (_CELLS, _CELLS))


def _evenly(place: Floats, response: Doubles, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """The MOST keypoints that are strongest in their cell."""
    cell = np.minimum(place / np.array(shape[1::-1]) * _CELLS, _CELLS - 1).astype(np.int64) @ (1, _CELLS)
    order = np.lexsort((-response, cell))
    starts = np.searchsorted(cell[order], cell[order])
    rank = np.empty(len(cell), np.int64)
    rank[order] = np.arange(len(cell)) - starts
    return np.lexsort((-response, rank))[:MOST]


def _tentative(first: Keypoints, second: Keypoints) -> NDArray[np.int64]:
    """[T, 2], keypoints of both that may show the same spot, the surest first."""
    if min(len(first.place), len(second.place)) < FEWEST:
        return np.zeros((0, 2), np.int64)
    cosine = first.descriptor.astype(np.float32) @ second.descriptor.T.astype(np.float32)
    rows = np.arange(len(cosine))
    nearest = cosine.argmax(1)
    mutual = cosine.argmax(0)[nearest] == rows
    distance = 2 - 2 * cosine[rows, nearest]
    cosine[rows, nearest] = -1
    ratio = distance / np.maximum(2 - 2 * cosine.max(1), 1e-9)
    kept = np.flatnonzero(((ratio < _RATIO**2) | mutual) & (distance < _FARTHEST))
    kept = kept[np.argsort(ratio[kept], kind="stable")][:_TENTATIVE]
    return np.stack([kept, nearest[kept]], 1)


def _grown(first: Keypoints, second: Keypoints, pairs: NDArray[np.int64]) -> Match | None:
    """The map with the most inliers, without regard to mirrors."""
    if len(pairs) < FEWEST:
        return None
    start, end = (
        np.asarray(keys.place[pairs[:, side]], np.float64) for side, keys in enumerate((first, second))
    )
    growth = np.log(second.size[pairs[:, 1]] / first.size[pairs[:, 0]])
    turn = second.angle[pairs[:, 1]] - first.angle[pairs[:, 0]]
    bend = np.abs((turn[:, None] - turn + np.pi) % (2 * np.pi) - np.pi)
    stretch = np.abs(growth[:, None] - growth)
    near = _proposed(start, end, growth, turn) & (bend < 0.5) & (stretch < 0.6)
    votes = near.sum(1)
    found: Match | None = None
    for seed in np.argsort(-votes, kind="stable")[:_PROPOSALS]:
        if votes[seed] < FEWEST - 1:
            break
        matrix, inside = _refined(start, end, near[seed], (bend[seed] < 0.9) & (stretch[seed] < 0.9))
        count = min(_places(start[inside]), _places(end[inside]))
        if matrix is not None and count >= FEWEST and (found is None or count > found.inliers):
            found = Match(count, start[inside].astype(np.float32), matrix, mirrored=False)
    return found


def _proposed(start: Doubles, end: Doubles, growth: Floats, turn: Floats) -> NDArray[np.bool_]:
    """[T, T], True where the similarity of one match (row) carries another (column) near its partner."""
    scale = np.exp(growth)
    cosine, sine = (scale * np.cos(turn))[:, None], (scale * np.sin(turn))[:, None]
    x, y = np.moveaxis(start - start[:, None], 2, 0)
    aim_x, aim_y = np.moveaxis(end - end[:, None], 2, 0)
    miss = (cosine * x - sine * y - aim_x) ** 2 + (sine * x + cosine * y - aim_y) ** 2
    # One keypoint's scale and direction are rough, and a stretch is no similarity: 20 px leave room for both.
    near: NDArray[np.bool_] = miss < (20 * np.clip(np.sqrt(scale), 0.5, 1.5)[:, None]) ** 2
    return near


def _refined(
    start: Doubles, end: Doubles, inside: NDArray[np.bool_], allowed: NDArray[np.bool_]
) -> tuple[Doubles | None, NDArray[np.bool_]]:
    nothing = np.zeros(len(start), np.bool_)
    matrix: Doubles | None = None
    extended = np.c_[start, np.ones(len(start))]
    for tolerance in _STEPS:
        solution, _, rank, _ = np.linalg.lstsq(extended[inside], end[inside], rcond=None)
        if rank < 3:
            return None, nothing
        matrix = solution.T
        # Errors of an enlargement grow with it.
        scale = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        error = np.hypot(*(extended @ solution - end).T) / np.clip(scale, 1, 4)
        inside = (error < tolerance) & allowed
        if inside.sum() < FEWEST - 1:
            return None, nothing
    return matrix, inside


def _places(points: Doubles) -> int:
    """Points that are not at the same spot: SIFT gives one spot several directions and sizes."""
    return len(np.unique((points // TOLERANCE).astype(np.int64), axis=0))


def _unmirrored(matrix: Doubles, second: Keypoints) -> Doubles:
    """The map onto the picture itself, from that onto its mirror image."""
    flip = np.array([[-1.0, 0.0, second.grey.shape[1] - 1], [0.0, 1.0, 0.0]])
    plain: Doubles = flip @ np.vstack([matrix, [0.0, 0.0, 1.0]])
    return plain
