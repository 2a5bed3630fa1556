"""Gaps between limbs and fingers: darkness that reaches in from the edge, too narrow for the network's map."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_DARK = (
    0.4  # of the median lightness; skin in its own shadow stays above, the depth between two limbs does not
)
_LEAST = 3  # places; fewer are a hair or a lesion's rim


def gaps(pixels: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which places are dark and hang together with the edge of the picture.

    A crust or a mole inside skin is as dark but does not reach the edge; one that is cut by the edge is lost.

    Args:
        pixels: [H, W, 3], uint8, a square that is skin otherwise.
        shape: rows and columns of the answer.
    """
    import cv2

    grey = Image.fromarray(pixels).convert("L").resize((shape[1], shape[0]), Image.Resampling.BOX)
    light = np.asarray(grey, np.float32)
    dark = light < _DARK * np.median(light)
    count, parts = cv2.connectedComponents(dark.astype(np.uint8), connectivity=8)
    edge = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    sizes = np.bincount(parts.ravel(), minlength=count)
    chosen = [part for part in np.unique(edge) if part and sizes[part] >= _LEAST]
    found: NDArray[np.bool_] = np.isin(parts, chosen)
    return found
