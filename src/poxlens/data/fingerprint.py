"""The fingerprint of a picture: a vector that stays near when the picture is cropped, mirrored or re-toned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VERSION = "dct1"
SIZE = 63


def fingerprints(grey: NDArray[np.uint8], squares: NDArray[np.uint8]) -> NDArray[np.float16]:
    """[N, SIZE]."""
    from poxlens.data.phash import low_frequencies

    low = low_frequencies(grey).reshape(len(grey), -1)[:, 1:]
    norm = np.linalg.norm(low, axis=1, keepdims=True)
    return (low / np.maximum(norm, 1e-6)).astype(np.float16)
