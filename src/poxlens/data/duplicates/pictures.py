"""Small copies of a pair's images, and what differs between them, for a page that stays on this computer."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.errors import PhotoError
from poxlens.photo.decode import decode

SIDE = 190  # px, the long side

Picture = NDArray[np.uint8]


@lru_cache(maxsize=512)
def small(path: Path) -> Picture | None:
    """[h, w, 3], at most SIDE px; None where the file cannot be read any more."""
    try:
        image = Image.fromarray(decode(path, working_side=SIDE).pixels)
    except PhotoError:
        return None
    image.thumbnail((SIDE, SIDE))
    return np.asarray(image)


def uri(picture: Picture) -> str:
    """A data: URI of a JPEG."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=72)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")


def difference(first: Picture, second: Picture, matrix: tuple[float, ...]) -> Picture:
    """The first minus the second laid over it, tones made equal: grey where they agree, white outside.

    Args:
        first: [h, w, 3].
        second: [h, w, 3].
        matrix: first -> second, sides 0-1; 6 numbers.
    """
    import cv2

    unit = np.reshape(matrix, (2, 3))
    height, width = first.shape[:2]
    source = np.array([width, height], np.float64)
    target = np.array([second.shape[1], second.shape[0]], np.float64)
    move = np.c_[unit[:, :2] / source * target[:, None], unit[:, 2] * target]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(second, move, (width, height), flags=flags).astype(np.float32).mean(2)
    inside = (
        cv2.warpAffine(np.full(second.shape[:2], 255, np.uint8), move, (width, height), flags=flags) > 250
    )
    grey = first.astype(np.float32).mean(2)
    if inside.sum() < 16:
        return np.full((height, width, 3), 255, np.uint8)
    gain = grey[inside].std() / max(float(laid[inside].std()), 1.0)
    apart = grey - grey[inside].mean() - gain * (laid - laid[inside].mean())
    shown = np.where(inside, np.clip(128 + apart, 0, 255), 255)
    return np.repeat(shown[..., None], 3, 2).astype(np.uint8)


def outline(matrix: tuple[float, ...]) -> list[tuple[float, float]] | None:
    """Corners of the second picture in the first, sides 0-1; None where it does not lie inside it."""
    unit = np.vstack([np.reshape(matrix, (2, 3)), [0.0, 0.0, 1.0]])
    back = np.linalg.inv(unit)[:2]
    corners = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]]) @ back.T
    area = abs(float(np.linalg.det(back[:, :2])))
    if area > 0.95:
        return None
    return [(float(x), float(y)) for x, y in corners]
