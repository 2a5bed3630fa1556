"""Is this a usable close-up of skin? Six checks, each with a number, its limit, a reason code and advice.

Light and sharpness are measured on a grey copy whose short side is at most 256 px, skin on a coloured one of
at most 255 px, so that the numbers do not depend on the camera's resolution. The limits are loose on purpose:
refusing a rash photo costs more than assessing a poor one, and novelty comes next.
Calibration: benchmarks/quality_limits.py, docs/photo.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.photo.decode import Photo
from poxlens.photo.rules import QualityLimits as QualityLimits

GREY_SIDE = 256  # px, the short side that light and sharpness are measured at
COLOUR_SIDE = 128  # px, the shortest side that skin is looked for at
_CLIPPED = 250  # grey level from which a pixel is called blown out


@dataclass(frozen=True)
class QualityCheck:
    """One check of one photo."""

    name: str  # "short_side", "aspect", "blur", "dark", "bright", "skin"
    value: float  # what was measured
    limit: float  # what it was compared with
    passed: bool
    reason: str  # reason code "quality.<name>", meant for a check that failed
    advice: str  # a sentence a person can act on


ADVICE: dict[str, str] = {
    "quality.short_side": "The image is too small. Send the original photo, not a preview or a thumbnail.",
    "quality.aspect": "The image is too long and narrow. Take one plain photo of the rash.",
    "quality.blur": "The photo is not sharp. Hold still, tap on the rash to focus, and take it again.",
    "quality.dark": "The photo is too dark. Go to a window or into the shade outdoors and take it again.",
    "quality.bright": "The photo is too bright. Turn off the flash or leave direct sun and take it again.",
    "quality.skin": "Too little skin is in the photo. Go closer, so that the rash and skin fill it.",
}
"""Every reason code `quality.*` with its advice."""


def canonical(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy to look for skin in: short side in [128, 256) px, never enlarged, [h, w, 3] uint8.

    Reduced by a whole number, which costs a sixth of a resize to one exact size: colour needs no more.
    """
    factor = min(pixels.shape[:2]) // COLOUR_SIDE
    return np.asarray(Image.fromarray(pixels).reduce(factor)) if factor > 1 else pixels


def grey_copy(pixels: NDArray[np.uint8]) -> Image.Image:
    """The grey photo (ITU-R 601 luma, 0-255) with a short side of at most 256 px, never enlarged.

    Sharpness changes with scale, so this size is exact. Grey first: one channel is resized instead of three.
    """
    height, width = pixels.shape[:2]
    grey = Image.fromarray(pixels).convert("L")
    short = min(height, width)
    if short <= GREY_SIDE:
        return grey
    size = (round(width * GREY_SIDE / short), round(height * GREY_SIDE / short))
    # reducing_gap: a box filter by a whole number first, which halves the time.
    return grey.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)


def check_quality(photo: Photo, limits: QualityLimits, mask: NDArray[np.bool_]) -> tuple[QualityCheck, ...]:
    """All checks of a photo, those that passed too, in the order in which they are told to a person.

    Args:
        photo: the decoded photo.
        limits: what to compare with.
        mask: [h, w], bool, the skin mask of the photo at any size, best of its `canonical` copy.
    """
    grey = grey_copy(photo.pixels)
    counts = np.asarray(grey.histogram())
    short, long = min(photo.width, photo.height), max(photo.width, photo.height)
    return (
        _at_least("short_side", float(short), limits.min_short_side),
        _at_most("aspect", long / short, limits.max_aspect),
        _at_least("dark", _percentile(counts, 0.95), limits.min_brightness),
        _at_most("bright", float(counts[_CLIPPED:].sum() / counts.sum()), limits.max_clipped),
        _at_least("blur", sharpness(np.asarray(grey)), limits.min_sharpness),
        _at_least("skin", float(mask.mean()), limits.min_skin_fraction),
    )


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of [h, w] uint8 grey (Pech-Pacheco 2000), grey levels squared; 0 below 3 x 3.

    At this size rounding alone gives 1.7, a photo out of focus 2-3, a sharp one 20 and more.
    """
    if min(grey.shape) < 3:
        return 0.0
    level = grey.astype(np.int16)
    laplacian = 4 * level[1:-1, 1:-1]
    for part in (level[:-2, 1:-1], level[2:, 1:-1], level[1:-1, :-2], level[1:-1, 2:]):
        laplacian -= part
    return float(laplacian.astype(np.float32).var())


def _percentile(counts: NDArray[np.int_], share: float) -> float:
    """The lowest grey level that at least `share` of the pixels do not exceed."""
    return float(np.searchsorted(np.cumsum(counts), share * counts.sum()))


def _at_least(name: str, value: float, limit: float) -> QualityCheck:
    return _check(name, value, limit, value >= limit)


def _at_most(name: str, value: float, limit: float) -> QualityCheck:
    return _check(name, value, limit, value <= limit)


def _check(name: str, value: float, limit: float, passed: bool) -> QualityCheck:
    reason = f"quality.{name}"
    return QualityCheck(name, value, float(limit), passed, reason, ADVICE[reason])
