"""The six augmentations of Campana 2024 (3.1, 4.3): rotation, translation, flip, contrast, brightness, zoom.

A strength s in [0, 0.5] means what it means in Keras' preprocessing layers, which the paper used: rotation by up to
s of a full turn, translation by up to s of a side, zoom by up to s, contrast factor in [1 - s, 1 + s], brightness
moved by up to s of the range. What comes from outside the picture is its mirror image.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

FlipType = Literal["vertical", "horizontal", "both"]
KINDS = ("rotation", "width", "height", "zoom", "contrast", "brightness")
MOST = 0.5
FLIPS: dict[FlipType, tuple[tuple[bool, bool], ...]] = {
    "vertical": ((False, False), (False, True)),
    "horizontal": ((False, False), (True, False)),
    "both": ((False, False), (False, True), (True, False), (True, True)),
}
"""Flip type -> (mirrored left to right, mirrored top to bottom) that it may give, equally likely."""


@dataclass(frozen=True)
class Strengths:
    """How far each augmentation may go, each 0 to 0.5, and which flips there are."""

    rotation: float  # of a full turn
    width: float  # translation, of the width
    height: float  # translation, of the height
    zoom: float
    contrast: float
    brightness: float
    flip: FlipType

    def limits(self) -> NDArray[np.float64]:
        """[6], in the order of KINDS."""
        return np.array(astuple(self)[:6], np.float64)


@dataclass(frozen=True)
class Draw:
    """One drawn augmentation: signed amounts in the order of KINDS, and flips."""

    amounts: tuple[float, ...]  # [6], each -0.5 to 0.5
    mirrored: bool
    upended: bool


def draw(strengths: Strengths, random: np.random.Generator) -> Draw:
    """One augmentation within the strengths."""
    limits = strengths.limits()
    flips = FLIPS[strengths.flip]
    mirrored, upended = flips[int(random.integers(len(flips)))]
    return Draw(tuple(random.uniform(-limits, limits).tolist()), mirrored, upended)


def augment(image: NDArray[np.uint8], one: Draw) -> NDArray[np.uint8]:
    """The augmented image.

    Args:
        image: [S, S, 3] uint8.
        one: what to do.
    """
    rotation, width, height, zoom, contrast, brightness = one.amounts
    side = image.shape[0]
    centre = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((centre, centre), 360 * rotation, 1 / (1 + zoom))
    matrix[:, 2] += (width * side, height * side)
    turned = cv2.warpAffine(
        image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    mean = np.array(cv2.mean(turned)[:3])
    # A table of the 256 levels of each channel: the same numbers in a third of the time.
    levels = (np.arange(256)[:, None] - mean) * (1 + contrast) + mean + 255 * brightness
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    toned = cv2.LUT(turned, table[None])
    if one.mirrored:
        toned = toned[:, ::-1]
    if one.upended:
        toned = toned[::-1]
    found: NDArray[np.uint8] = np.ascontiguousarray(toned, np.uint8)
    return found
