"""Light, lens and sensor for the phantoms: from a Surface to 8-bit pixels.

As in `phantom_skin`, only exactly rounded arithmetic touches a pixel, but for JPEG, which is Pillow's.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from poxlens.data.phantom_skin import Field, Surface, blur


@dataclass(frozen=True)
class Lamp:
    """A soft light.

    Attributes:
        aim: unit vector (x, y) towards it in the picture's plane; y points down.
        drop: how much darker the far side is, share.
        bulge: how much the skin curves away at the sides, share.
    """

    aim: tuple[float, float]
    drop: float
    bulge: float

    @classmethod
    def place(cls, rng: np.random.Generator, unevenness: float) -> Lamp:
        """A lamp from somewhere above; `unevenness` is 0 (flat light) .. 1 (from one side)."""
        draws = rng.random(3)
        x, y = (
            float(draws[0]) * 1.6 - 0.8,
            -0.35 - 0.65 * float(draws[1]),
        )  # from above, as lamps and the sky are
        length = math.sqrt(x * x + y * y)
        return cls((x / length, y / length), 0.55 * unevenness, 0.5 * unevenness * float(draws[2]))

    def shine(self, surface: Surface) -> Field:
        """Reflected light [S, S, 3] (diffuse and specular), 1 = white in full light."""
        size = surface.height.shape[0]
        unit = size / 512.0
        lit = np.empty_like(surface.colour)
        # Light scatters under the skin, red the farthest: relief looks softer in red than in blue.
        for channel, spread in enumerate((2.2, 1.1, 0.7)):
            lit[..., channel] = surface.colour[..., channel] * self._diffuse(
                blur(surface.height, spread * unit)
            )
        normal_x, normal_y, normal_z = _normals(blur(surface.height, 0.8 * unit))
        # Half vector between the lamp and the viewer straight above.
        mirror = np.clip(
            0.36 * (normal_x * self.aim[0] + normal_y * self.aim[1]) + 0.933 * normal_z, 0.0, 1.0
        )
        broad = _power(mirror, 4)
        sharp = _power(mirror, 7)
        shine = surface.gloss * (0.05 * broad + 0.42 * sharp * np.clip(surface.gloss - 0.25, 0.0, None))
        lit += shine[..., None]
        along = np.arange(size) / (size - 1) * 2.0 - 1.0
        towards = 0.7 * (along[None, :] * self.aim[0] + along[:, None] * self.aim[1])
        across = along[None, :] * self.aim[1] - along[:, None] * self.aim[0]
        level = 1.0 + self.drop * towards - self.bulge * 0.6 * across * across
        result: Field = lit * np.clip(level, 0.12, None)[..., None]
        return result

    def _diffuse(self, height: Field) -> Field:
        x, y, z = _normals(height)
        lambert = np.clip(0.62 * (x * self.aim[0] + y * self.aim[1]) + 0.784 * z, 0.0, None) / 0.784
        return 0.35 + 0.65 * lambert  # the share that comes from everywhere has no direction


def _normals(height: Field) -> tuple[Field, Field, Field]:
    padded = np.pad(height, 1, mode="edge")
    x = (padded[1:-1, :-2] - padded[1:-1, 2:]) * 0.5
    y = (padded[:-2, 1:-1] - padded[2:, 1:-1]) * 0.5
    z = 1.0 / np.sqrt(1.0 + x * x + y * y)
    return x * z, y * z, z


def _power(field: Field, doublings: int) -> Field:
    for _ in range(doublings):
        field = field * field
    return field


def seen(light: Field, radius: float, vignette: float) -> Field:
    """Through the lens and the tone curve.

    Args:
        light: reflected light [S, S, 3].
        radius: of the blur in pixels.
        vignette: darkening of the corners, 0..1.

    Returns:
        sRGB values [S, S, 3] in 0..1.
    """
    size = light.shape[0]
    light = blur(light, radius)
    along = np.arange(size) / (size - 1) * 2.0 - 1.0
    far = along[None, :] * along[None, :] + along[:, None] * along[:, None]
    light = light * (1.0 - vignette * np.clip(far - 0.25, 0.0, None) / 1.75)[..., None]
    coded = np.sqrt(np.clip(light, 0.0, None))
    # Highlights roll off above 0.85 as in a camera, instead of clipping to a flat white.
    over = np.clip(coded - 0.85, 0.0, None)
    result: Field = np.minimum(coded, 0.85) + over / (1.0 + over / 0.15)
    return result


def exposed(
    values: Field, rng: np.random.Generator, deviation: float, jpeg_quality: int | None
) -> NDArray[np.uint8]:
    """On the sensor: noise, 8 bits and, where asked for, JPEG. uint8 [S, S, 3].

    Args:
        values: sRGB values [S, S, 3] in 0..1.
        rng: of the noise.
        deviation: standard deviation of the noise in 8-bit levels.
        jpeg_quality: 1..95, or None for no JPEG.
    """
    size = values.shape[0]
    # Four uniform numbers add up to nearly a normal deviate; sensors have a grey and a coloured part.
    grey = rng.random((4, size, size)).sum(axis=0) - 2.0
    tinted = rng.random((4, size, size, 3)).sum(axis=0) - 2.0
    level = deviation * math.sqrt(3.0) / 255.0
    noisy = values + level * (0.8 * grey[..., None] + 0.6 * tinted)
    pixels: NDArray[np.uint8] = np.clip(np.floor(noisy * 255.0 + 0.5), 0.0, 255.0).astype(np.uint8)
    if jpeg_quality is None:
        return pixels
    with io.BytesIO() as stream:
        Image.fromarray(pixels).save(stream, format="JPEG", quality=jpeg_quality)
        with Image.open(stream) as coded:
            return np.array(coded.convert("RGB"), dtype=np.uint8)


def closed(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Morphological closing with a square: fills specks and cracks of up to twice `radius` pixels."""
    size = mask.shape[0]
    wide = np.pad(mask, radius)
    wide = _any(wide, radius)
    wide = ~_any(~np.pad(wide, radius, mode="edge"), radius)[radius:-radius, radius:-radius]
    return wide[radius : radius + size, radius : radius + size] | mask


def _any(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    for axis in (0, 1):
        grown = mask.copy()
        for step in range(1, radius + 1):
            for target, source in (
                (slice(step, None), slice(None, -step)),
                (slice(None, -step), slice(step, None)),
            ):
                if axis == 0:
                    grown[target] |= mask[source]
                else:
                    grown[:, target] |= mask[:, source]
        mask = grown
    return mask
