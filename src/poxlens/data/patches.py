"""Skin patches cut from photos of whole people: the only healthy close-ups that such sets can give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poxlens.photo.skin import skin_mask


@dataclass(frozen=True)
class Patch:
    """A square of a photo, px."""

    left: int
    top: int
    side: int


def skin_patches(
    pixels: NDArray[np.uint8],
    *,
    most: int = 2,
    sides: tuple[float, ...] = (0.57, 0.5, 0.43, 0.36, 0.29),
    skin: float = 0.97,
) -> list[Patch]:
    """The largest, then smoothest squares that are nearly all skin, apart from each other.

    Smoothness (mean change from pixel to pixel) keeps eyes, mouths, hair and edges out, which have the colour
    of skin to the mask.

    Args:
        pixels: [H, W, 3] uint8.
        most: how many at most.
        sides: shares of the short side to try, the largest first.
        skin: least share of skin pixels.
    """
    height, width = pixels.shape[:2]
    grey = pixels.mean(2, dtype=np.float32)
    change = np.abs(np.diff(grey, axis=1, prepend=grey[:, :1])) + np.abs(
        np.diff(grey, axis=0, prepend=grey[:1])
    )
    masked, rough = _integral(skin_mask(pixels).astype(np.float32)), _integral(change)
    found: list[Patch] = []
    for share in sides:
        side = int(min(height, width) * share)
        step = max(1, side // 12)
        tops, lefts = np.mgrid[0 : height - side + 1 : step, 0 : width - side + 1 : step].reshape(2, -1)
        whole = _window_mean(masked, tops, lefts, side) >= skin
        order = np.argsort(_window_mean(rough, tops, lefts, side)[whole], kind="stable")
        for top, left in zip(tops[whole][order].tolist(), lefts[whole][order].tolist(), strict=True):
            patch = Patch(left, top, side)
            if all(_apart(patch, other) for other in found):
                found.append(patch)
            if len(found) == most:
                return found
    return found


def _integral(values: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.pad(values.cumsum(0, dtype=np.float64).cumsum(1), ((1, 0), (1, 0)))


def _window_mean(
    integral: NDArray[np.float64], tops: NDArray[np.int_], lefts: NDArray[np.int_], side: int
) -> NDArray[np.float64]:
    total = (
        integral[tops + side, lefts + side]
        - integral[tops, lefts + side]
        - integral[tops + side, lefts]
        + integral[tops, lefts]
    )
    mean: NDArray[np.float64] = total / float(side * side)
    return mean


def _apart(one: Patch, other: Patch) -> bool:
    return abs(one.left - other.left) > one.side // 2 or abs(one.top - other.top) > one.side // 2
