"""Healthy skin for the phantoms: colour from the ITA, micro-relief, pores, mottling, faint vessels.

Only +, -, *, / and the square root touch a pixel, all of them exactly rounded by IEEE 754, and sums run in a
fixed order: the same seed gives the same bits whatever the SIMD width of the machine. That is why there is no
exp, sin, pow, matrix product or normal deviate here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]  # [H, W], or [H, W, 3] where said

# ITA in degrees -> CIELAB a*, b* of such skin: yellow and red peak on brown and tan skin. L* follows from the
# definition, ITA = arctan((L* - 50) / b*). In the span of skin colorimetry (Chardon 1991, Del Bino 2013).
_ITA = (-60.0, -30.0, 0.0, 28.0, 41.0, 55.0, 75.0)
_A = (10.0, 13.0, 15.0, 13.5, 11.5, 9.5, 8.0)
_B = (13.0, 17.5, 20.5, 19.5, 17.0, 13.5, 8.0)


@dataclass(frozen=True)
class Surface:
    """What the light falls on.

    Attributes:
        colour: reflectance [S, S, 3], the square of the sRGB value in 0..1 (the root is exactly rounded).
        height: relief [S, S] in pixels, towards the viewer.
        gloss: strength of the specular reflection [S, S], 0..1.
    """

    colour: Field
    height: Field
    gloss: Field

    def copy(self) -> Surface:
        """The same surface on arrays of its own."""
        return replace(self, colour=self.colour.copy(), height=self.height.copy(), gloss=self.gloss.copy())


def ramp(x: Field, low: float, high: float) -> Field:
    """Smooth step: 0 where x <= low, 1 where x >= high (or the other way round when low > high)."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def noise(rng: np.random.Generator, height: int, width: int, cell: float) -> Field:
    """Smooth noise [H, W], mean 0, deviation about 1, features of about `cell` pixels (cubic B-spline)."""
    cell = max(cell, 1.0)
    rows, columns = int(height / cell) + 5, int(width / cell) + 5
    grid = rng.random((rows, columns)) * 2.0 - 1.0
    offset = rng.random(2)

    def along(length: int, start: float) -> tuple[NDArray[np.intp], list[Field]]:
        at = np.arange(length) / cell + start
        index = at.astype(np.intp)
        t = at - index
        t2, t3, s = t * t, t * t * t, 1.0 - t
        return index, [
            s * s * s / 6.0,
            (3.0 * t3 - 6.0 * t2 + 4.0) / 6.0,
            (-3.0 * t3 + 3.0 * t2 + 3.0 * t + 1.0) / 6.0,
            t3 / 6.0,
        ]

    index, weights = along(height, float(offset[0]))
    tall = sum((weights[k][:, None] * grid[index + k] for k in range(4)), np.zeros((height, columns)))
    index, weights = along(width, float(offset[1]))
    field = sum((weights[k][None, :] * tall[:, index + k] for k in range(4)), np.zeros((height, width)))
    return field * 3.6


def blur(field: Field, radius: float) -> Field:
    """Blur [H, W] or [H, W, 3] with two boxes of `radius` pixels (a fraction weighs the outermost taps)."""
    if radius <= 0:
        return field
    for axis in (0, 1, 0, 1):
        field = _box(field, radius, axis)
    return field


def _box(field: Field, radius: float, axis: int) -> Field:
    whole = int(radius)
    part = radius - whole
    pad = [(0, 0)] * field.ndim
    pad[axis] = (whole + 1, whole + 1)
    padded = np.moveaxis(np.pad(field, pad, mode="reflect"), axis, 0)
    length = field.shape[axis]
    total = padded[1 : 1 + length].copy()
    for k in range(1, 2 * whole + 1):
        total += padded[1 + k : 1 + k + length]
    total += part * (padded[:length] + padded[2 * whole + 2 : 2 * whole + 2 + length])
    return np.moveaxis(total / (2 * whole + 1 + 2 * part), 0, axis)


def cells(rng: np.random.Generator, x: Field, y: Field) -> tuple[Field, Field]:
    """Distance to the nearest border and centre of the cells of a jittered grid 1 wide (Worley 1996).

    Args:
        rng: where the jitter comes from.
        x: abscissa of each pixel in cells [H, W].
        y: ordinate of each pixel in cells [H, W].
    """
    x, y = x - x.min() + 1.0, y - y.min() + 1.0
    jitter = rng.random((int(y.max()) + 3, int(x.max()) + 3, 2))
    column, row = x.astype(np.intp), y.astype(np.intp)
    near = np.full(x.shape, 9.0)
    second = np.full(x.shape, 9.0)
    for di in (-1, 0, 1):
        for dj in (-1, 0, 1):
            point = jitter[row + di, column + dj]
            dx, dy = column + dj + point[..., 0] - x, row + di + point[..., 1] - y
            distance = dx * dx + dy * dy
            second = np.minimum(second, np.maximum(near, distance))
            near = np.minimum(near, distance)
    near = np.sqrt(near)
    return np.sqrt(second) - near, near


def skin_colour(ita: float) -> tuple[float, float, float]:
    """The sRGB colour (0..1 each) of skin with this Individual Typology Angle in degrees.

    Rounded to 1/4096, so that the last bit of the platform's tan and pow does not reach the picture.
    """
    b = float(np.interp(ita, _ITA, _B))
    a = float(np.interp(ita, _ITA, _A))
    lightness = 50.0 + b * math.tan(math.radians(ita))
    fy = (lightness + 16.0) / 116.0
    xyz = [
        white * (f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29))
        for f, white in ((fy + a / 500.0, 0.95047), (fy, 1.0), (fy - b / 200.0, 1.08883))
    ]
    linear = (
        3.2404542 * xyz[0] - 1.5371385 * xyz[1] - 0.4985314 * xyz[2],
        -0.9692660 * xyz[0] + 1.8760108 * xyz[1] + 0.0415560 * xyz[2],
        0.0556434 * xyz[0] - 0.2040259 * xyz[1] + 1.0572252 * xyz[2],
    )
    coded = [12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055 for v in linear]
    r, g, blue = (round(min(max(v, 0.0), 1.0) * 4096) / 4096 for v in coded)
    return r, g, blue


def darkness(ita: float) -> float:
    """How dark the skin is for the look of a lesion: 0 from ITA 35 up, 1 from ITA -25 down."""
    t = min(max((35.0 - ita) / 60.0, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def skin(rng: np.random.Generator, size: int, ita: float) -> Surface:
    """Healthy skin seen from close by.

    Args:
        rng: where every random number comes from.
        size: side of the square in pixels.
        ita: Individual Typology Angle in degrees, which the mean colour has in even light.
    """
    unit = size / 512.0  # the picture shows the same few centimetres at every size
    dark = darkness(ita)
    ys, xs = np.mgrid[0:size, 0:size].astype(np.float64)

    # Lines of the skin: two nets of furrows, the wide one stretched along the local tension line.
    bend = 0.35 * noise(rng, size, size, 70 * unit), 0.35 * noise(rng, size, size, 70 * unit)
    turn = rng.random(2) * 2.0 - 1.0
    along = turn / math.sqrt(float(turn[0] * turn[0] + turn[1] * turn[1]) + 1e-9)
    u, v = along[0] * xs + along[1] * ys, along[0] * ys - along[1] * xs
    pitch = (11.0 + 7.0 * float(rng.random())) * unit
    border, _ = cells(rng, u / (1.7 * pitch) + bend[0], v / pitch + bend[1])
    fine, centre = cells(rng, u / (0.62 * pitch) + bend[1], v / (0.5 * pitch) + bend[0])
    strength = 0.75 + 0.25 * noise(rng, size, size, 90 * unit)
    furrow = np.clip(strength, 0.15, 1.5) * (ramp(border, 0.2, 0.0) + 0.4 * ramp(fine, 0.28, 0.0))
    grain = noise(rng, size, size, 2.2 * unit)
    pores = ramp(centre, 0.16, 0.04) * ramp(noise(rng, size, size, 9 * unit), 0.5, 1.6)
    swell = noise(rng, size, size, 34 * unit)
    height = unit * (-0.42 * furrow - 0.5 * pores + 0.05 * grain + 0.35 * swell)

    # Colour: blood and melanin vary on their own, at several scales; vessels show on light skin only.
    blood = 0.024 * noise(rng, size, size, 120 * unit) + 0.024 * noise(rng, size, size, 26 * unit)
    blood += 0.018 * noise(rng, size, size, 7 * unit)
    melanin = 0.04 * noise(rng, size, size, 150 * unit) + (0.02 + 0.03 * dark) * noise(
        rng, size, size, 18 * unit
    )
    melanin += 0.012 * grain + 0.05 * furrow + 0.22 * pores
    wander = noise(rng, size, size, 80 * unit) + 0.25 * noise(rng, size, size, 24 * unit)
    vessel = ramp(np.abs(wander), 0.11, 0.0) * ramp(noise(rng, size, size, 130 * unit), 0.3, 1.4)
    vessel = blur(vessel, 2.5 * unit) * 0.16 * (1.0 - dark)
    freckle = ramp(noise(rng, size, size, 12 * unit), 2.2, 3.0) * ramp(
        noise(rng, size, size, 90 * unit), 0.4, 1.5
    )
    melanin += 0.22 * freckle
    melanin -= _mean(melanin)
    blood -= _mean(blood)
    colour = np.empty((size, size, 3))
    for channel, (base, of_blood, of_melanin, of_vessel) in enumerate(
        zip(skin_colour(ita), (-0.25, 1.2, 0.8), (0.7, 1.0, 1.25), (1.0, 0.55, 0.1), strict=True)
    ):
        tint = 1.0 - of_blood * blood - of_melanin * melanin - of_vessel * vessel
        colour[..., channel] = base * base * np.clip(tint, 0.25, 1.8)
    gloss = np.clip(0.22 + 0.1 * noise(rng, size, size, 60 * unit) + 0.08 * dark, 0.04, 0.6)
    return Surface(colour, height, gloss)


def _mean(field: Field) -> float:
    """Mean with a fixed order of addition: ndarray.mean adds in an order that depends on the SIMD width."""
    return float(np.cumsum(np.cumsum(field, axis=0)[-1])[-1] / field.size)
