"""Photos to measure with: phantoms, enlarged, with sensor noise, as JPEG."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from poxlens.data.phantom import draw, random_spec


def jpeg(
    path: Path, *, seed: int, size: tuple[int, int], quality: int = 90, progressive: bool = False
) -> Path:
    """Write one photo and return its path.

    Args:
        path: to write to.
        seed: of the phantom.
        size: width and height in px.
        quality: of the JPEG.
        progressive: whether its rows come in several passes.
    """
    side = max(size)
    image = Image.fromarray(_phantom(seed)).resize((side, side), Image.Resampling.BICUBIC)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    pixels = np.asarray(image.crop((left, top, left + size[0], top + size[1])))
    # An enlarged phantom is smoother than any photo: without noise its JPEG would decode too quickly.
    noise = np.random.default_rng(seed).integers(-6, 7, pixels.shape, dtype=np.int16)
    noisy = np.clip(pixels.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(path, quality=quality, progressive=progressive)
    return path


@lru_cache(maxsize=4)
def _phantom(seed: int) -> np.ndarray:
    return draw(random_spec(seed)).image
