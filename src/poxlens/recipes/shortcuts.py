"""What a class can be told by without looking at the rash: images spoilt on purpose, and plain traits.

A model that does nearly as well on these as on the whole image has learnt its sources, not a disease.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Image8 = NDArray[np.uint8]


def border_only(image: Image8, *, side: float = 0.7) -> Image8:
    """The middle square of `side` of the image's side replaced by the mean colour: 0.7 leaves 51 % of the area."""
    size = image.shape[0]
    edge = round(size * (1 - side) / 2)
    spoilt = image.copy()
    spoilt[edge : size - edge, edge : size - edge] = image.mean((0, 1)).astype(np.uint8)
    return spoilt


def thin_border(image: Image8) -> Image8:
    """Only the outer 10 % on each side (36 % of the area), where fewer lesions reach."""
    return border_only(image, side=0.8)


def thumbnail(image: Image8) -> Image8:
    """16 x 16 px, enlarged again: colours and their layout."""
    size = image.shape[:2][::-1]
    small = Image.fromarray(image).resize((16, 16), Image.Resampling.BOX)
    return np.asarray(small.resize(size, Image.Resampling.BICUBIC))


def blurred(image: Image8) -> Image8:
    """Gaussian blur of 12 px at 224 px: no lesion is left."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(12 * image.shape[0] / 224)))


SPOILT: dict[str, Callable[[Image8], Image8]] = {
    "border only, 51 % of the area": border_only,
    "border only, 36 % of the area": thin_border,
    "16 x 16 thumbnail": thumbnail,
    "blurred at 12 px": blurred,
}


def traits(image: Image8) -> NDArray[np.float32]:
    """Colour, contrast, sharpness and compressibility of [S, S, 3] uint8: 12 numbers, no content."""
    levels = image.astype(np.float32)
    grey = levels.mean(2)
    fine = np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()
    block = np.abs(np.diff(grey, axis=1))[:, 7::8].mean()  # at the edges of JPEG's blocks
    sizes = []
    for quality in (30, 90):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=quality)
        sizes.append(np.log(buffer.tell()))
    return np.array(
        [*levels.mean((0, 1)), *levels.std((0, 1)), grey.min(), grey.max(), fine, block, *sizes], np.float32
    )
