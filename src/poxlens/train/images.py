"""Training images made alike, so that as little as possible of a class can be told by its source.

Sources differ in resolution, JPEG quality, watermark and stretching. Every training image goes through the
runtime's own decoding and input rule, then through one JPEG compression of the same quality; known watermark
strips are cut off first.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.data.patches import Patch
from poxlens.photo.resize import InputRule, prepare

WATERMARK_STRIPS: Mapping[str, float] = {"dermnet": 0.2}
"""Share of the height cut off at the bottom, by data set: DermNet NZ prints its name there."""


@dataclass(frozen=True)
class Harmonise:
    """How a file becomes a training image."""

    rule: InputRule
    jpeg_quality: int = 85  # close to the most compressed source's (MSLD, MSID)

    def image(
        self, pixels: NDArray[np.uint8], dataset: str = "", patch: Patch | None = None
    ) -> NDArray[np.uint8]:
        """[S, S, 3] uint8 of one decoded photo, or of one patch of it.

        Args:
            pixels: [H, W, 3] uint8 from `poxlens.photo.decode`.
            dataset: its source; decides on the watermark strip.
            patch: px of `pixels`.
        """
        strip = WATERMARK_STRIPS.get(dataset, 0.0)
        pixels = pixels[: pixels.shape[0] - int(pixels.shape[0] * strip)]
        if patch is not None:
            pixels = pixels[patch.top : patch.top + patch.side, patch.left : patch.left + patch.side]
        return self.compressed(prepare(pixels, self.rule))

    def compressed(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The image after one JPEG compression (4:2:0, as cameras and web sites do)."""
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=self.jpeg_quality, subsampling=2)
        return np.asarray(Image.open(buffer).convert("RGB"))
