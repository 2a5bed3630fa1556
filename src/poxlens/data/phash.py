"""The DCT perceptual hash (pHash, Zauner 2010; ImageHash's `phash`), many pictures at once, in all eight positions.

The cosine transform of a mirrored or turned picture is the transform of the picture with signs changed and axes
exchanged, so the hashes of the eight positions cost one transform.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 32  # px of the grey copy
_LOW = 8  # frequencies kept a direction; 8 x 8 bits

VIEWS = (
    "as it is",
    "mirrored",
    "upside down",
    "turned 180",
    "transposed",
    "turned 90",
    "turned 270",
    "transversed",
)
"""What the columns of `phashes` are the hashes of; the first two are the ones a photo meets most."""

_POSITIONS = np.arange(2 * SIDE).astype(np.float64)


def _cosines() -> NDArray[np.float64]:
    """The type-2 cosine transform for the lowest frequencies, [8, 32], scaled as SciPy does."""
    frequency, place = np.arange(_LOW)[:, None], np.arange(SIDE)[None]
    table: NDArray[np.float64] = 2.0 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * SIDE))
    return table


_DCT = _cosines()
_SIGNS = np.where(np.arange(_LOW) % 2, -1.0, 1.0)


def low_frequencies(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The 8 x 8 lowest cosine coefficients of each of N grey pictures, [N, 8, 8], rows = vertical frequency.

    Args:
        grey: [N, 32, 32], 0-255.
    """
    along = grey.reshape(-1, SIDE).astype(np.float64) @ _DCT.T  # [N x 32, 8], along x
    low: NDArray[np.float64] = np.einsum(
        "ky,nyx->nkx", _DCT, along.reshape(len(grey), SIDE, _LOW), optimize=True
    )
    return low


def phashes(grey: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The hashes of N grey pictures in the eight positions of VIEWS, [N, 8]; bit 63 is the constant term.

    Equal bit for bit to `imagehash.phash` of the same 32 x 32 picture.

    Args:
        grey: [N, 32, 32], 0-255.
    """
    low = low_frequencies(grey)
    x, y = _SIGNS[None, None, :], _SIGNS[None, :, None]
    turned = np.swapaxes(low, 1, 2)
    # A quarter turn is a transposition and a mirroring; anticlockwise as Pillow's ROTATE_90.
    views = np.stack([low, low * x, low * y, low * x * y, turned, turned * y, turned * x, turned * x * y], 1)
    flat = views.reshape(len(grey), len(VIEWS), _LOW * _LOW)
    bits = flat > np.median(flat, axis=2, keepdims=True)
    packed = np.packbits(bits, axis=2)
    return np.ascontiguousarray(packed).view(">u8")[..., 0].astype(np.uint64)


def distance(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How many bits differ, 0-64, with NumPy's broadcasting."""
    different: NDArray[np.uint8] = np.bitwise_count(one ^ other)
    return different
