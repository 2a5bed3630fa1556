"""Test photos as Yue 2024 changes them: mirrored, upended and re-coloured (3.1), or with Gaussian noise (3.4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

Pixels = NDArray[np.uint8]
Ints = NDArray[np.int64]

SATURATION = (0.6, 1.4)  # the paper names no amounts
NOISE = 0.05  # standard deviation, of values 0-1


def augmented(images: Pixels, count: int, seed: int = 0) -> tuple[Pixels, Ints]:
    """`count` images, each of the next original: mirrored or not, upended or not, with another saturation.

    Args:
        images: [N, S, S, 3].
        count: how many to make.
        seed: of the draws.

    Returns:
        The images, and the number of each one's original.
    """
    random = np.random.default_rng([seed, 1])
    origin = np.arange(count) % len(images)
    made = []
    for place in origin:
        image = images[place]
        image = image[:, ::-1] if random.random() < 0.5 else image
        image = image[::-1] if random.random() < 0.5 else image
        amount = float(random.uniform(*SATURATION))
        made.append(
            np.asarray(ImageEnhance.Color(Image.fromarray(np.ascontiguousarray(image))).enhance(amount))
        )
    return np.stack(made), origin


def noisy(images: Pixels, count: int, seed: int = 0, *, deviation: float = NOISE) -> tuple[Pixels, Ints]:
    """`count` images, each the next original with Gaussian noise; as `augmented`."""
    random = np.random.default_rng([seed, 2])
    origin = np.arange(count) % len(images)
    noise = random.normal(0, 255 * deviation, (count, *images.shape[1:]))
    return np.clip(np.rint(images[origin] + noise), 0, 255).astype(np.uint8), origin
