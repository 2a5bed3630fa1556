"""Frames and bars: strips of one colour along the edge of an image, which no camera makes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SPREAD = 2.5  # grey levels; a line of pixels that varies less was drawn, not photographed
_JUMP = 12.0  # grey levels, mean, from the strip to the photo
_DEEPEST = 0.45  # of the side: what is left must be an image


def frame(pixels: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """How deep the strip of one colour is at the left, top, right and bottom, px; 0 where there is none.

    A line of pixels belongs to the strip when it is of one colour and of the same colour as the outermost line.
    Three lines are needed, and a jump behind them; the line after the strip is taken too, as resizing mixes it
    with the frame.

    Args:
        pixels: [H, W, 3], uint8.
    """
    along = pixels.astype(np.float32)
    left, right = _depth(along.transpose(1, 0, 2)), _depth(along.transpose(1, 0, 2)[::-1])
    return left, _depth(along), right, _depth(along[::-1])


def _depth(lines: NDArray[np.float32]) -> int:
    """Of the strip at the start of [n, length, 3] lines."""
    most = int(len(lines) * _DEEPEST)
    near = lines[:most]
    flat = (near.std(1) < _SPREAD).all(1)
    same = (np.abs(near.mean(1) - lines[0].mean(0)) < _SPREAD).all(1)
    ends = np.flatnonzero(~(flat & same))
    depth = int(ends[0]) if len(ends) else most
    if depth < 3:
        return 0
    # A photo begins with a jump; smooth skin or a smooth wall that darkens by and by has none.
    beyond = lines[depth + 1 : depth + 3]
    jump = np.abs(beyond - lines[0].mean(0)).mean()
    return depth + 1 if len(ends) and jump > _JUMP else 0
