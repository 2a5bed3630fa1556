"""ITA against an independent computation from the CIE's definition, on phantoms of known tone.

Nothing of poxlens.photo.skin is used for the second figure: sRGB is undone by IEC 61966-2-1 in float64, XYZ and
L*a*b* are CIE 1976 for D65, the angle is Chardon's. It takes the median over every pixel that the phantom knows to
be skin without lesion; the estimate has to find these by itself.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from poxlens.data.phantom import LESIONS, PhantomSpec, draw
from poxlens.photo.quality import canonical
from poxlens.photo.skin import skin_mask, skin_tone, to_lab

LIMIT = 3.0  # degrees
ANGLES = (-50.0, -35.0, -20.0, -5.0, 12.0, 25.0, 40.0, 55.0, 70.0)
# Chromaticities of sRGB's primaries and of D65 (IEC 61966-2-1): the matrix is derived, not copied.
PRIMARIES = np.array([[0.64, 0.33], [0.30, 0.60], [0.15, 0.06]])
WHITE = np.array([0.3127, 0.3290])


def xyz_of(chromaticity: np.ndarray) -> np.ndarray:
    x, y = chromaticity[..., 0], chromaticity[..., 1]
    return np.stack([x / y, np.ones_like(y), (1 - x - y) / y], axis=-1)


def lab_by_definition(rgb: np.ndarray) -> np.ndarray:
    """CIE 1976 L*a*b* of 8-bit sRGB, float64."""
    code = rgb.astype(np.float64) / 255
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    white = xyz_of(WHITE)
    primaries = xyz_of(PRIMARIES).T  # one column a primary
    matrix = primaries * np.linalg.solve(primaries, white)  # scaled so that R = G = B = 1 is white
    ratio = (linear @ matrix.T) / white
    delta = 6 / 29
    curve = np.where(ratio > delta**3, np.cbrt(ratio), ratio / (3 * delta**2) + 4 / 29)
    fx, fy, fz = np.moveaxis(curve, -1, 0)
    return np.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], axis=-1)


def ita_by_definition(pixels: np.ndarray) -> float:
    lightness, _, yellowness = np.median(lab_by_definition(pixels), axis=0)
    return math.degrees(math.atan2(lightness - 50, yellowness))


def estimate(pixels: np.ndarray) -> float:
    small = canonical(pixels)  # what the screener, the scan and the tables of tones measure on
    ita = skin_tone(small, skin_mask(small)).ita
    assert ita is not None
    return ita


def test_the_definition_has_the_known_colours_of_the_standard():
    colours = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255], [119, 119, 119]], np.uint8)
    expected = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [50.03, 0, 0]]
    assert lab_by_definition(colours) == pytest.approx(np.array(expected), abs=0.05)


def test_the_colour_conversion_is_the_definition_on_every_hue():
    rgb = np.random.default_rng(0).integers(0, 256, (50_000, 3), dtype=np.uint8)
    assert np.abs(to_lab(rgb) - lab_by_definition(rgb)).max() < 0.05


def phantoms(light: float, kinds: tuple[str | None, ...], seeds: range):
    for kind in kinds:
        for ita in ANGLES:
            for seed in seeds:
                count = 0 if kind is None else 2 + seed % 9
                yield (
                    ita,
                    draw(PhantomSpec(seed=seed, size=160, ita=ita, lesion=kind, count=count, light=light)),
                )


def errors(light: float, kinds: tuple[str | None, ...], seeds: range) -> tuple[np.ndarray, np.ndarray]:
    """Estimate minus known tone, and estimate minus the independent figure, in degrees, one a phantom."""
    known, independent = [], []
    for ita, phantom in phantoms(light, kinds, seeds):
        found = estimate(phantom.image)
        known.append(found - ita)
        independent.append(found - ita_by_definition(phantom.image[~phantom.mask]))
    return np.array(known), np.array(independent)


@pytest.mark.parametrize("kind", [None, *LESIONS])
def test_known_tone_in_soft_light(kind):
    known, independent = errors(0.1, (kind,), range(20, 23))
    assert len(known) == 27
    assert np.abs(known).max() <= LIMIT
    assert np.abs(independent).max() <= LIMIT


@pytest.mark.parametrize("light", [0.0, 0.2, 0.3])
def test_both_figures_in_other_light(light):
    known, independent = errors(light, (None, "umbilicated-pustule", "crust"), range(2))
    assert len(known) == 54
    assert np.abs(known).max() <= LIMIT
    assert np.abs(independent).max() <= LIMIT


def test_the_size_of_the_photo_does_not_matter():
    for ita in (-30.0, 20.0, 55.0):
        found = [
            estimate(draw(PhantomSpec(seed=3, size=size, ita=ita, light=0.1)).image)
            for size in (96, 256, 640)
        ]
        assert max(found) - min(found) <= 1.5
