"""Where skin is in a photo, and how light it is: both estimates from colour alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MIN_RED = 20  # below it colour is noise
_MIN_PIXELS = 200  # of skin, for a tone; 1 % of a 128 x 128 px photo
_SAMPLE = 4_096  # pixels the tone is computed on; more do not change it by 0.1 degree
_RED = 2.0  # robust standard deviations of redness above the median: more is inflamed, which lowers ITA

ITA_CLASSES = ((55.0, "very light"), (41.0, "light"), (28.0, "intermediate"), (10.0, "tan"), (-30.0, "brown"))
"""Lower limits, degrees, exclusive (Chardon 1991; Del Bino 2006); below the last is "dark"."""

_LIGHT_GROUP = 10.0  # degrees; Campana 2024, section 3.3

# sRGB to CIE XYZ, D65, 2 degree observer (IEC 61966-2-1), each row divided by its white.
_XYZ_OVER_WHITE = np.array(
    [
        [0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883],
    ],
    np.float32,
)
_CODE = np.arange(256) / 255.0
_LINEAR = np.where(_CODE <= 0.04045, _CODE / 12.92, ((_CODE + 0.055) / 1.055) ** 2.4).astype(np.float32)


@dataclass(frozen=True)
class SkinTone:
    """An estimate of skin tone. Light, white balance and camera move it by many degrees: never a fact."""

    ita: float | None  # Individual Typology Angle, degrees; None when there is too little skin
    ita_class: str | None  # "very light", "light", "intermediate", "tan", "brown", "dark"
    group: str | None  # "light" (ITA > 10) or "dark", as in Campana 2024
    n_pixels: int  # skin pixels in the mask


def skin_mask(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which pixels have the colour of skin, from very light to very dark, inflamed or bleeding.

    Skin of every tone is coloured by the same two pigments, so its hue lies between red and orange and only
    its lightness and saturation vary. With I = R + G + B, a pixel is skin when R >= 20, R - G >= I/83 and
    R - B >= I/50 (warmer than grey), 28 (G - B) <= I + 37 (R - G) (less yellow than leaves) and
    5 (R - G) <= 3 I (less red than paint). Limits: benchmarks/quality_limits.py. Wood, fur and food of this
    colour pass too: novelty is there for them.

    Args:
        pixels: [H, W, 3], uint8, sRGB; meant for 128-256 px (0.1 ms), works at any size.

    Returns:
        [H, W], bool.
    """
    # 16 bits hold every product below: at most 28 x 255 + 765 + 37 x 255 < 32,768.
    red, green, blue = (pixels[..., channel].astype(np.int16) for channel in range(3))
    total = red + green + blue
    redness = red - green
    mask: NDArray[np.bool_] = (redness * 83 >= total) & (red >= _MIN_RED)
    mask &= (red - blue) * 50 >= total
    mask &= (green - blue) * 28 <= total + redness * 37
    mask &= redness * 5 <= total * 3
    return mask


def skin_tone(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> SkinTone:
    """Individual Typology Angle of the skin: atan2(L* - 50, b*) in degrees, of the median L* and b*.

    ITA is Chardon 1991's; L*a*b* is CIE 1976 for D65 and the 2 degree observer. Pixels much redder
    than the rest are left out, as lesions would make skin look darker than it is; redness is log(R / G) of the
    light (an erythema index), which a shadow does not change.

    Args:
        pixels: [H, W, 3], uint8, sRGB.
        mask: [H, W], bool, of `skin_mask`.

    Raises:
        ValueError: when the shapes do not fit.
    """
    if mask.shape != pixels.shape[:2]:
        raise ValueError(f"mask {mask.shape} does not fit pixels {pixels.shape}")
    n_pixels = int(np.count_nonzero(mask))
    if n_pixels < _MIN_PIXELS:
        return SkinTone(None, None, None, n_pixels)
    step = max(1, math.isqrt(n_pixels // _SAMPLE))
    sample = mask[::step, ::step]
    if np.count_nonzero(sample) < _MIN_PIXELS:
        step, sample = 1, mask
    rgb = pixels[::step, ::step].reshape(-1, 3).take(np.flatnonzero(sample), axis=0)
    light = _LINEAR.take(rgb)
    redness = np.log(light[:, 0] / np.maximum(light[:, 1], np.float32(1e-4)))
    middle = _median(redness)
    spread = 1.4826 * _median(np.abs(redness - middle))
    _, y, z = _curves(light[redness <= middle + _RED * spread]).T
    lightness, yellowness = 116 * _median(y) - 16, _median(200 * (y - z))
    ita = float(np.degrees(np.arctan2(lightness - 50.0, yellowness)))
    group = "light" if ita > _LIGHT_GROUP else "dark"
    return SkinTone(ita, ita_class(ita), group, n_pixels)


def ita_class(ita: float) -> str:
    """The class of an ITA in degrees: "very light", "light", "intermediate", "tan", "brown" or "dark"."""
    return next((name for limit, name in ITA_CLASSES if ita > limit), "dark")


def to_lab(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIE L*a*b* (D65, 2 degrees) of [N, 3] uint8 sRGB, as [N, 3] float32."""
    x, y, z = _curves(_LINEAR.take(rgb)).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def _curves(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIE's f(X/Xn), f(Y/Yn) and f(Z/Zn) of [N, 3] linear RGB, [N, 3]."""
    ratio = light @ _XYZ_OVER_WHITE.T
    curve: NDArray[np.float32] = np.cbrt(ratio)
    low = ratio <= 216 / 24389
    curve[low] = ratio[low] * np.float32(841 / 108) + np.float32(4 / 29)
    return curve


def _median(values: NDArray[np.float32]) -> np.float32:
    """The lower one of two in the middle. By hand: np.median imports numpy.ma, 7 ms of a single screening."""
    middle = (len(values) - 1) // 2
    return np.float32(np.partition(values, middle)[middle])
