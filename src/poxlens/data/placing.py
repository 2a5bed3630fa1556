"""Where one of two very small pictures lies in the other, for many pairs at once.

Normalised cross-correlation of the whole of one picture with a part of the other, at several sizes, mirrored or
not, as matrix products: a fifth of the time of one call of `cv2.matchTemplate` after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

SIDE = 16  # px
SIZES = (1.0, 0.88, 0.75, 0.66)  # of the part within the whole, tried in this order
_MARGIN = 2  # px that a picture of the same size may be shifted at
_BLOCK = 128  # pairs at once: their windows stay in the processor's cache

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Places:
    """Where one of two pictures lies best in the other, M pairs."""

    score: Floats  # [M], normalised cross-correlation, -1..1; 0 where there is nothing to correlate
    swapped: Bools  # [M], the first is the part of the second
    mirrored: Bools  # [M]
    size: Floats  # [M], of the part, by the whole's side
    left: Floats  # [M], of the part within the whole, by the whole's side
    top: Floats  # [M]


def place(pictures: Floats, pairs: Rows) -> Places:
    """The best place of each pair.

    Args:
        pictures: [N, SIDE, SIDE], without shading.
        pairs: [M, 2], rows of `pictures`.
    """
    parts = [_placed(pictures, pairs[start : start + _BLOCK]) for start in range(0, len(pairs), _BLOCK)]
    columns = zip(*parts, strict=True) if parts else ([np.empty(0, np.float32)] for _ in range(6))
    score, swapped, mirrored, size, left, top = (np.concatenate(column) for column in columns)
    return Places(score, swapped.astype(np.bool_), mirrored.astype(np.bool_), size, left, top)


def _placed(pictures: Floats, pairs: Rows) -> tuple[Floats, ...]:
    """Score, swapped, mirrored, size, left and top of a block of pairs, [M] each."""
    rows, at = np.unique(pairs, return_inverse=True)
    first, second = at.reshape(pairs.shape).T
    few = pictures[rows]
    best = [np.zeros(len(pairs), np.float32) for _ in range(6)]
    best[0] -= 2.0
    for size in SIZES:
        side = round(SIDE * size)
        shift = _MARGIN if side == SIDE else 0
        field = np.pad(few, ((0, 0), (shift, shift), (shift, shift)), mode="symmetric") if shift else few
        scale, marks = 1.0 / np.maximum(_norms(field, side), 1e-6), _marks(few, side)
        across = scale.shape[2]
        for swapped, whole, part in ((False, first, second), (True, second, first)):
            if swapped and side == SIDE:
                continue
            told = marks[part] @ _windows(field[whole], side)  # [M, 2, places], the plain ones first
            told *= scale[whole].reshape(len(pairs), 1, -1)
            flat = told.reshape(len(pairs), -1)
            where = flat.argmax(1)
            score = flat[np.arange(len(pairs)), where]
            mirrored, spot = np.divmod(where, across * across)
            y, x = np.divmod(spot, across)
            new = (score, swapped, mirrored, side / SIDE, (x - shift) / SIDE, (y - shift) / SIDE)
            better = score > best[0]
            best = [
                np.where(better, value, old).astype(np.float32) for value, old in zip(new, best, strict=True)
            ]
    return tuple(best)


def _windows(field: Floats, side: int) -> Floats:
    """The windows of pictures as columns, [N, side * side, places]."""
    windows = np.ascontiguousarray(sliding_window_view(field, (side, side), axis=(1, 2)))
    return windows.reshape(len(field), -1, side * side).transpose(0, 2, 1)


def _norms(field: Floats, side: int) -> Floats:
    """The norm of each window without its mean, [N, P, P]."""
    reach = field.shape[1]
    place = np.arange(reach) - np.arange(reach - side + 1)[:, None]
    box = ((place >= 0) & (place < side)).astype(np.float64)  # [P, reach], sums over a window by a product
    exact = field.astype(np.float64)  # a difference of large numbers follows
    total, power = box @ exact @ box.T, box @ (exact * exact) @ box.T
    return np.sqrt(np.maximum(power - total * total / (side * side), 0.0)).astype(np.float32)


def _marks(pictures: Floats, side: int) -> Floats:
    """The pictures as parts of `side` px, plain and mirrored, without the mean and of length one, [N, 2, side²]."""
    small = pictures if side == SIDE else _shrinking(side) @ pictures @ _shrinking(side).T
    small = small - small.mean((1, 2), keepdims=True)
    small /= np.maximum(np.sqrt(np.einsum("nyx,nyx->n", small, small)), 1e-6)[:, None, None]
    return np.stack([small, small[:, :, ::-1]], 1).reshape(len(small), 2, side * side)


@cache
def _shrinking(side: int) -> Floats:
    """[side, SIDE], the mean over areas that OpenCV shrinks pictures by."""
    unit = np.eye(SIDE, dtype=np.float32)
    return np.asarray(cv2.resize(unit, (SIDE, side), interpolation=cv2.INTER_AREA), np.float32)
