"""The one input rule: crop a long photo at its middle, then an antialiased triangle filter in whole numbers.

The rule is written out in docs/resize.md so exactly that another language can repeat it bit for bit; it is
what Pillow's BILINEAR resize does with 8-bit pixels, one direction after the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.photo.rules import InputRule as InputRule


def crop_box(width: int, height: int, rule: InputRule) -> tuple[int, int, int, int]:
    """The part of a photo that the model sees, centred: left, top, right, bottom in px.

    The long side keeps floor(short side x max_aspect) px, at most what it has; an odd remainder leaves one px
    more at the right or bottom.

    Raises:
        ValueError: when a side is not positive.
    """
    if width < 1 or height < 1:
        raise ValueError(f"width and height must be positive, not {width} x {height}")
    longest = int(min(width, height) * rule.max_aspect)
    kept_width, kept_height = min(width, longest), min(height, longest)
    left, top = (width - kept_width) // 2, (height - kept_height) // 2
    return left, top, left + kept_width, top + kept_height


def prepare(pixels: NDArray[np.uint8], rule: InputRule) -> NDArray[np.uint8]:
    """The model's input: the crop of `crop_box`, resized to rule.size x rule.size.

    Args:
        pixels: [H, W, 3], uint8, RGB.
        rule: the input rule of the bundle.

    Returns:
        [size, size, 3], uint8, RGB.

    Raises:
        ValueError: when pixels are not [H, W, 3] uint8 with at least one pixel.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"pixels must be [H, W, 3] uint8, not {pixels.shape} {pixels.dtype}")
    left, top, right, bottom = crop_box(pixels.shape[1], pixels.shape[0], rule)
    # Cropped first: the filter must not see what lies outside the box.
    image = Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))
    # Two calls, rows first: in one call newer Pillow releases choose the order of the passes by their cost.
    wide = image.resize((rule.size, image.height), Image.Resampling.BILINEAR)
    return np.array(wide.resize((rule.size, rule.size), Image.Resampling.BILINEAR))
