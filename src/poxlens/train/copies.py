"""Augmented copies of an image, of the kinds that augmented image sets ship.

The augmented folder of MSLD (Ali et al. 2022, arXiv:2207.03342) holds fourteen images for each photo, made by
rotation, translation, reflection, shear, jitter of hue, saturation, contrast and brightness, noise and scaling. Its
authors name the kinds and not their ranges; those of `Ranges` are moderate ones of our own.

Not the six augmentations of `poxlens.train.augmentation`: those are Campana's, drawn from tuned strengths while a
network learns. These have other kinds in another order, and depend on the image's own bytes alone, as files do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.files import sha256_bytes

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Ranges:
    """How far a copy may be from its image; each copy draws every change anew, evenly within its range."""

    rotation: float = 30.0  # degrees, either way
    translation: float = 0.1  # share of the side, either way and direction
    shear: float = 10.0  # degrees, either way
    scale: float = 0.2  # 1 +- this
    mirrored: float = 0.5  # chance, of each direction
    hue: float = 0.03  # of a turn, either way
    saturation: float = 0.3  # 1 +- this
    contrast: float = 0.3  # 1 +- this, about the mean
    brightness: float = 0.2  # 1 +- this
    noise: float = 8.0  # greatest standard deviation, of values 0-255


def augmented(image: Pixels, number: int, *, seed: int = 0, ranges: Ranges | None = None) -> Pixels:
    """One copy of an image; the same arguments give the same bytes.

    Args:
        image: [S, S, 3] uint8, RGB.
        number: which copy; 0 is the image itself.
        seed: of all copies of a run.
        ranges: how far a copy may be; the defaults when None.

    Returns:
        [S, S, 3] uint8. What lies outside the image is filled by reflection at its edge: black corners would be a
        mark of augmented images.

    Raises:
        ValueError: when the image is not [S, S, 3] uint8.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.shape[0] != image.shape[1]:
        raise ValueError(f"image must be [S, S, 3] uint8, not {image.shape} {image.dtype}")
    if number == 0:
        return image
    ranges = ranges or Ranges()
    # Drawn from the image's own bytes: a copy does not depend on which other images there are.
    rng = np.random.default_rng([seed, number, int(sha256_bytes(image.tobytes())[:15], 16)])
    return _noisy(_toned(_moved(image, ranges, rng), ranges, rng), ranges, rng)


def _moved(image: Pixels, ranges: Ranges, rng: np.random.Generator) -> Pixels:
    side = image.shape[0]
    angle = np.deg2rad(rng.uniform(-ranges.rotation, ranges.rotation))
    slant = np.tan(np.deg2rad(rng.uniform(-ranges.shear, ranges.shear)))
    scale = rng.uniform(1 - ranges.scale, 1 + ranges.scale)
    shift = rng.uniform(-ranges.translation, ranges.translation, 2) * side
    mirror = np.where(rng.random(2) < ranges.mirrored, -1.0, 1.0)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    # From a place in the copy to the place in the image that it shows, both from the middle.
    matrix = np.diag(mirror) @ turn @ np.array([[1.0, slant], [0.0, 1.0]]) / scale
    margin = side // 2
    padded = Image.fromarray(np.pad(image, ((margin, margin), (margin, margin), (0, 0)), "symmetric"))
    middle = np.full(2, side / 2)  # Pillow counts from the corner of a pixel
    offset = middle + margin - matrix @ (middle + shift)
    affine = (*matrix[0], offset[0], *matrix[1], offset[1])
    moved = padded.transform(
        (side, side), Image.Transform.AFFINE, tuple(map(float, affine)), Image.Resampling.BILINEAR
    )
    return np.asarray(moved)


def _toned(image: Pixels, ranges: Ranges, rng: np.random.Generator) -> Pixels:
    hsv = np.asarray(Image.fromarray(image).convert("HSV")).astype(np.float32)
    turned = (hsv[..., 0] + 256 * rng.uniform(-ranges.hue, ranges.hue)) % 256
    full = hsv[..., 1] * rng.uniform(1 - ranges.saturation, 1 + ranges.saturation)
    hsv[..., 0], hsv[..., 1] = np.floor(turned), np.clip(full, 0, 255)
    rgb = np.asarray(Image.fromarray(hsv.astype(np.uint8), "HSV").convert("RGB")).astype(np.float32)
    mean = rgb.mean()
    rgb = (rgb - mean) * rng.uniform(1 - ranges.contrast, 1 + ranges.contrast) + mean
    rgb *= rng.uniform(1 - ranges.brightness, 1 + ranges.brightness)
    return _rounded(rgb)


def _noisy(image: Pixels, ranges: Ranges, rng: np.random.Generator) -> Pixels:
    noise = rng.normal(0.0, rng.uniform(0.0, ranges.noise), image.shape)
    return _rounded(image + noise)


def _rounded(values: NDArray[np.floating]) -> Pixels:
    pixels: Pixels = np.clip(np.round(values), 0, 255).astype(np.uint8)
    return pixels
