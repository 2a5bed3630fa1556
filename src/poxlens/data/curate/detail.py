"""Whether a picture holds the detail that its size promises, or was enlarged from a smaller one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def fine_detail(pixels: NDArray[np.uint8]) -> float:
    """Share of the contrast that is lost when the picture is halved and enlarged again, 0-1.

    Skin in focus has pores, lines and sensor noise: 0.05 to 0.5. A picture that was enlarged to its size has next
    to nothing finer than two pixels.

    Args:
        pixels: [H, W, 3], uint8.
    """
    image = Image.fromarray(pixels).convert("L")
    half = image.resize((max(1, image.width // 2), max(1, image.height // 2)), Image.Resampling.BOX)
    again = half.resize(image.size, Image.Resampling.BICUBIC)
    grey = np.asarray(image, np.float32)
    lost = grey - np.asarray(again, np.float32)
    return float(lost.std() / max(grey.std(), 1.0))
