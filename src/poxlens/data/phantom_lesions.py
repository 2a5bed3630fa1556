"""Lesions for the phantoms, drawn on a Surface: relief, colour and gloss of each kind.

The look follows the textbook description of each primary lesion; on dark skin erythema shows as violet-brown
and the rim is hyper-pigmented. As in `phantom_skin`, only exactly rounded arithmetic touches a pixel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from poxlens.data.phantom_skin import Field, Surface, cells, darkness, noise, ramp


@dataclass
class Patch:
    """The window of a surface around one lesion; the arrays are views, so writing to them draws.

    Attributes:
        colour: reflectance [h, w, 3].
        height: relief in pixels [h, w].
        gloss: specular strength [h, w].
        d: distance from the lesion's centre in radii [h, w], made irregular; 1 is the lesion's edge.
        radius: in pixels.
        dark: 0 on light skin .. 1 on dark skin.
        rng: of this lesion.
        aim: unit vector (x, y) towards the light in the picture's plane.
    """

    colour: Field
    height: Field
    gloss: Field
    d: Field
    radius: float
    dark: float
    rng: np.random.Generator
    aim: tuple[float, float]

    def noise(self, cell: float) -> Field:
        """Smooth noise over the patch with features of `cell` radii."""
        return noise(self.rng, self.d.shape[0], self.d.shape[1], max(cell * self.radius, 1.0))

    def tint(self, amount: Field, on_light: tuple[float, ...], on_dark: tuple[float, ...]) -> None:
        """Multiply the colour, so that the skin's texture shows through."""
        for k in range(3):
            factor = on_light[k] + (on_dark[k] - on_light[k]) * self.dark
            self.colour[..., k] *= 1.0 + amount * (factor - 1.0)

    def paint(self, amount: Field, on_light: tuple[float, ...], on_dark: tuple[float, ...]) -> None:
        """Cover the colour with an sRGB colour (0..1 each)."""
        for k in range(3):
            coded = on_light[k] + (on_dark[k] - on_light[k]) * self.dark
            self.colour[..., k] += amount * (coded * coded - self.colour[..., k])


_RED = (0.98, 0.42, 0.46), (0.60, 0.40, 0.47)  # erythema: red on light skin, violaceous on dark skin
_FLUSH = (1.0, 0.66, 0.68), (0.74, 0.62, 0.66)
_BROWN = (0.66, 0.42, 0.32), (0.52, 0.36, 0.30)
_PUS = (0.91, 0.81, 0.64), (0.70, 0.58, 0.44)


def _pustule(p: Patch) -> None:
    """Mpox's well-circumscribed, firm, deep-seated, umbilicated pustule."""
    swirl = p.noise(0.35)
    steep = np.clip(1.0 - p.d * p.d * p.d * p.d, 0.0, 1.0)
    wide = 0.22 + 0.14 * float(p.rng.random())
    dimple = ramp(p.d + 0.05 * swirl, wide + 0.06, 0.06)
    p.height *= 1.0 - 0.75 * ramp(p.d, 1.0, 0.75)  # a tense dome smooths the lines of the skin away
    p.height += p.radius * (0.36 * steep * (1.0 + 0.03 * swirl) + 0.05 * ramp(p.d, 1.5, 0.9) - 0.14 * dimple)
    p.tint(ramp(p.d + 0.12 * swirl, 1.75, 0.95), *_FLUSH)
    rim = ramp(p.d, 1.3, 1.02) * ramp(p.d, 0.62, 0.9)
    p.tint(rim * np.clip(0.9 + 0.12 * swirl, 0.5, 1.0), *_RED)
    p.tint(rim * p.dark * 0.6, (0.6, 0.5, 0.5), (0.6, 0.5, 0.5))
    cloud = np.clip(
        0.78 + 0.07 * swirl + 0.05 * p.noise(0.15), 0.4, 0.95
    )  # pus shines through a roof of skin
    p.paint(ramp(p.d + 0.04 * swirl, 0.98, 0.5) * cloud, *_PUS)
    p.tint(ramp(p.d + 0.05 * swirl, wide + 0.2, 0.1) * 0.55, (0.86, 0.62, 0.52), (0.8, 0.62, 0.55))
    p.paint(ramp(p.d + 0.07 * swirl, wide, 0.04) * 0.72, (0.40, 0.22, 0.17), (0.20, 0.12, 0.10))
    p.gloss += ramp(p.d, 0.98, 0.7) * 0.5


def _vesicle(p: Patch) -> None:
    """Chickenpox's drop on a rose petal: clear fluid under a thin roof on a red base."""
    swirl = p.noise(0.4)
    roof = np.sqrt(np.clip(1.0 - p.d * p.d, 0.0, 1.0)) * ramp(p.d, 1.0, 0.82)
    p.height *= 1.0 - 0.9 * ramp(p.d, 1.0, 0.8)
    p.height += p.radius * (0.5 * roof + 0.06 * ramp(p.d, 1.6, 0.8))
    p.tint(ramp(p.d + 0.22 * swirl, 2.1, 1.0) * 0.85, *_FLUSH)
    p.tint(ramp(p.d + 0.1 * swirl, 1.55, 0.95) * 0.8, (1.0, 0.56, 0.58), (0.68, 0.5, 0.55))
    inside = ramp(p.d, 1.0, 0.86)
    p.paint(inside * 0.26, (0.90, 0.74, 0.66), (0.55, 0.42, 0.36))
    edge = ramp(p.d, 0.72, 0.95) * ramp(p.d, 1.08, 0.97)
    p.tint(edge * 0.6, (0.82, 0.5, 0.5), (0.6, 0.5, 0.5))
    ys, xs = np.mgrid[0 : p.d.shape[0], 0 : p.d.shape[1]].astype(np.float64)
    ys, xs = (ys - p.d.shape[0] / 2) / p.radius, (xs - p.d.shape[1] / 2) / p.radius
    beyond = -(xs * p.aim[0] + ys * p.aim[1])  # fluid gathers the light on the side away from the lamp
    p.paint(
        inside * ramp(beyond, 0.1, 0.85) * ramp(p.d, 0.98, 0.6) * 0.38, (1.0, 0.87, 0.78), (0.68, 0.53, 0.44)
    )
    p.gloss += ramp(p.d, 0.99, 0.85) * 1.2


def _papule(p: Patch) -> None:
    """A solid raised spot, red, or brown on dark skin."""
    swirl = p.noise(0.5)
    dome = np.clip(1.0 - p.d * p.d, 0.0, 1.0)
    p.height *= 1.0 - 0.35 * ramp(p.d, 1.0, 0.6)
    p.height += p.radius * (0.42 * dome * np.sqrt(dome) + 0.06 * ramp(p.d, 1.5, 0.7))
    p.tint(ramp(p.d + 0.2 * swirl, 1.7, 0.7) * 0.8, *_FLUSH)
    p.tint(ramp(p.d + 0.1 * swirl, 1.1, 0.5) * 0.72, *_RED)
    p.tint(ramp(p.d + 0.15 * swirl, 0.75, 0.1) * 0.25, (0.85, 0.7, 0.7), (0.8, 0.75, 0.75))
    p.gloss += ramp(p.d, 0.9, 0.3) * 0.18


def _comedone(p: Patch) -> None:
    """A blocked pore: open (black plug in a small bump) or closed (whitish bead)."""
    swirl = p.noise(0.5)
    dome = np.clip(1.0 - p.d * p.d, 0.0, 1.0)
    p.height *= 1.0 - 0.5 * ramp(p.d, 1.0, 0.5)
    p.height += p.radius * 0.42 * dome * dome
    p.tint(ramp(p.d + 0.15 * swirl, 1.5, 0.7) * 0.35, *_FLUSH)
    if p.rng.random() < 0.65:
        p.height -= p.radius * 0.3 * ramp(p.d, 0.55, 0.3)
        p.tint(ramp(p.d + 0.08 * swirl, 0.75, 0.4) * 0.5, *_BROWN)
        p.paint(ramp(p.d + 0.1 * swirl, 0.52, 0.3) * 0.92, (0.22, 0.16, 0.13), (0.07, 0.05, 0.05))
    else:
        p.paint(ramp(p.d + 0.05 * swirl, 0.85, 0.2) * 0.6, (0.93, 0.84, 0.74), (0.60, 0.49, 0.40))
        p.gloss += ramp(p.d, 0.8, 0.3) * 0.35


def _macule(p: Patch) -> None:
    """A flat spot of another colour: inflamed or pigmented, with a ragged edge."""
    ragged = p.d + 0.16 * p.noise(0.5) + 0.07 * p.noise(0.16)
    body = ramp(ragged, 1.05, 0.62) * np.clip(0.78 + 0.16 * p.noise(0.4) + 0.06 * p.noise(0.1), 0.2, 1.0)
    if p.rng.random() < 0.6:
        p.tint(ramp(ragged, 1.5, 0.7) * 0.35, *_FLUSH)
        p.tint(body * 0.8, *_RED)
    else:
        p.tint(body * 0.85, *_BROWN)


def _crust(p: Patch) -> None:
    """A dried lesion: dark, rough, cracked, lifted at its edge, on inflamed skin."""
    ragged = p.d + 0.13 * p.noise(0.4) + 0.06 * p.noise(0.14)
    body = ramp(ragged, 0.98, 0.84)
    ys, xs = np.mgrid[0 : p.d.shape[0], 0 : p.d.shape[1]].astype(np.float64)
    warp = 0.25 * p.noise(0.3)
    crack, plate = cells(p.rng, xs / (0.42 * p.radius) + warp, ys / (0.42 * p.radius) - warp)
    rough, grit = p.noise(0.2), p.noise(0.07)
    p.height *= 1.0 - body
    p.height += (
        p.radius * body * (0.2 + 0.045 * rough + 0.03 * grit - 0.06 * plate - 0.09 * ramp(crack, 0.14, 0.0))
    )
    p.tint(ramp(p.d + 0.15 * rough, 1.6, 0.9) * 0.9, *_FLUSH)
    p.tint(ramp(ragged, 1.25, 0.95) * 0.7, *_RED)
    p.paint(body * 0.93, (0.47, 0.28, 0.19), (0.22, 0.145, 0.12))
    p.paint(body * ramp(rough, 0.5, 1.9) * 0.45, (0.66, 0.46, 0.30), (0.40, 0.29, 0.20))
    p.tint(body * ramp(rough + 0.5 * grit, -0.2, -1.9) * 0.7, (0.35, 0.3, 0.3), (0.4, 0.4, 0.4))
    p.tint(body * ramp(crack, 0.12, 0.0) * 0.6, (0.45, 0.28, 0.25), (0.4, 0.35, 0.35))
    p.gloss -= body * 0.12
    np.clip(p.gloss, 0.02, None, out=p.gloss)


@dataclass(frozen=True)
class _Kind:
    draw: Callable[[Patch], None]
    reach: float  # in radii: beyond it nothing is changed (noise on the outline included)
    radius: tuple[float, float]  # share of the picture's side
    wobble: float  # irregularity of the outline


_KINDS = {
    "umbilicated-pustule": _Kind(_pustule, 2.2, (0.05, 0.115), 0.05),
    "vesicle": _Kind(_vesicle, 2.7, (0.03, 0.075), 0.07),
    "papule": _Kind(_papule, 2.3, (0.028, 0.07), 0.09),
    "comedone": _Kind(_comedone, 2.0, (0.016, 0.034), 0.07),
    "macule": _Kind(_macule, 2.2, (0.04, 0.12), 0.22),
    "crust": _Kind(_crust, 2.2, (0.045, 0.11), 0.16),
}
LESIONS = tuple(_KINDS)


def add_lesions(
    surface: Surface, rng: np.random.Generator, lesion: str, count: int, ita: float, aim: tuple[float, float]
) -> tuple[Surface, int]:
    """Draw up to `count` lesions of one kind where there is room.

    Args:
        surface: the healthy skin; it is left as it is.
        rng: where every random number comes from.
        lesion: one of LESIONS.
        count: how many; fewer are drawn when no more fit without overlap.
        ita: of the skin in degrees.
        aim: unit vector (x, y) towards the light in the picture's plane.

    Returns:
        The new surface, and how many lesions there are.
    """
    kind = _KINDS[lesion]
    drawn = surface.copy()
    size = surface.height.shape[0]
    placed: list[tuple[float, float, float]] = []
    for _ in range(count * 40):
        if len(placed) == count:
            break
        x, y, share = (float(v) for v in rng.random(3))
        # Small ones are more frequent than large ones; a rash that is crowded has smaller lesions.
        crowd = 1.0 / (1.0 + 0.03 * max(count - 6, 0))
        radius = size * crowd * (kind.radius[0] + (kind.radius[1] - kind.radius[0]) * share * share)
        x, y = size * (0.08 + 0.84 * x), size * (0.08 + 0.84 * y)
        if any(math.sqrt((x - a) ** 2 + (y - b) ** 2) < 1.3 * (radius + r) for a, b, r in placed):
            continue
        placed.append((x, y, radius))
    # Each has random numbers of its own, so that the same lesions are drawn at every size of the picture.
    for place, seed in zip(placed, rng.integers(2**62, size=len(placed)), strict=True):
        own = np.random.Generator(np.random.PCG64(int(seed)))
        _add_one(drawn, kind, place, darkness(ita), own, aim)
    return drawn, len(placed)


def _add_one(
    surface: Surface,
    kind: _Kind,
    place: tuple[float, float, float],
    dark: float,
    rng: np.random.Generator,
    aim: tuple[float, float],
) -> None:
    x, y, radius = place
    half = int(kind.reach * radius) + 2
    left, top = int(x) - half, int(y) - half
    size = surface.height.shape[0]
    rows = slice(max(top, 0), min(top + 2 * half, size))
    columns = slice(max(left, 0), min(left + 2 * half, size))
    # The lesion is drawn on its whole square and then cut, so that one at the border looks like any other.
    inner = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    ys, xs = np.mgrid[0 : 2 * half, 0 : 2 * half].astype(np.float64)
    dx, dy = (xs - half - (x - int(x))) / radius, (ys - half - (y - int(y))) / radius
    turn = rng.random(2) * 2.0 - 1.0
    length = math.sqrt(float(turn[0] * turn[0] + turn[1] * turn[1])) + 1e-9
    cos, sin = float(turn[0]) / length, float(turn[1]) / length
    stretch = 1.0 + 0.18 * float(rng.random())
    along, across = (cos * dx + sin * dy) / stretch, (cos * dy - sin * dx) * stretch
    bare = np.sqrt(along * along + across * across)
    wobble = noise(rng, 2 * half, 2 * half, 0.8 * radius)
    d = np.maximum(bare * (1.0 + kind.wobble * wobble * ramp(bare, 0.1, 0.8)), 0.0)
    beyond = np.clip(bare / kind.reach - 0.55, 0.0, None)
    d += 14.0 * kind.reach * beyond * beyond  # so that nothing reaches the patch's edge

    window = (rows, columns)
    pads = [(inner[k].start, 2 * half - inner[k].stop) for k in (0, 1)]
    patch = Patch(
        colour=np.pad(surface.colour[window], [*pads, (0, 0)], mode="edge"),
        height=np.pad(surface.height[window], pads, mode="edge"),
        gloss=np.pad(surface.gloss[window], pads, mode="edge"),
        d=d,
        radius=radius,
        dark=dark,
        rng=rng,
        aim=aim,
    )
    kind.draw(patch)
    surface.colour[window] = patch.colour[inner]
    surface.height[window] = patch.height[inner]
    surface.gloss[window] = patch.gloss[inner]
