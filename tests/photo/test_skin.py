"""Skin: L*a*b* against scikit-image, ITA on known tones, the mask on skin of all tones and not skin."""

from __future__ import annotations

import time

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from poxlens.photo.skin import ita_class, skin_mask, skin_tone, to_lab

# L*, a*, b* of skin by spectrophotometer, from very light to dark (Del Bino 2013, Xiao 2017: typical values).
TONES = {
    "very light": (72.0, 8.0, 12.5),
    "light": (68.0, 9.0, 17.0),
    "intermediate": (63.0, 11.0, 18.5),
    "tan": (57.0, 12.0, 20.0),
    "brown": (46.0, 12.0, 18.0),
    "dark": (32.0, 9.0, 9.0),
}


def _patch(lab: tuple[float, float, float], size: int = 128, noise: float = 3.0, seed: int = 0) -> np.ndarray:
    rgb = lab2rgb(np.full((size, size, 3), lab, float)) * 255
    rng = np.random.default_rng(seed)
    return np.clip(np.rint(rgb + rng.normal(0, noise, (size, size, 1))), 0, 255).astype(np.uint8)


def test_lab_equals_scikit_image() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (20_000, 3), dtype=np.uint8)
    assert np.abs(to_lab(rgb) - rgb2lab(rgb[None])[0]).max() < 0.05


@pytest.mark.parametrize("name", list(TONES))
def test_ita_of_known_tones(name: str) -> None:
    lightness, _, yellowness = TONES[name]
    expected = np.degrees(np.arctan2(lightness - 50, yellowness))
    pixels = _patch(TONES[name], noise=0)
    exact = rgb2lab(pixels)[0, 0]  # of the colour after rounding to 8 bits
    tone = skin_tone(pixels, np.ones(pixels.shape[:2], bool))
    assert tone.ita == pytest.approx(np.degrees(np.arctan2(exact[0] - 50, exact[2])), abs=0.05)
    assert tone.ita == pytest.approx(expected, abs=1.5)  # rounding to 8 bits moves b* by up to 0.5
    assert tone.ita_class == name
    assert tone.group == ("light" if tone.ita > 10 else "dark")
    assert tone.n_pixels == 128 * 128


def test_red_lesions_move_the_estimate_little() -> None:
    pixels = _patch(TONES["light"])
    rng = np.random.default_rng(1)
    lesion = rng.random((128, 128)) < 0.25
    red = _patch((48.0, 32.0, 20.0), seed=2)
    pixels[lesion] = red[lesion]
    everywhere = np.ones((128, 128), bool)
    clean = skin_tone(_patch(TONES["light"]), everywhere).ita
    assert clean is not None
    assert skin_tone(pixels, everywhere).ita == pytest.approx(clean, abs=1.5)


def test_class_limits_are_exclusive() -> None:
    limits = [(55.01, "very light"), (55.0, "light"), (41.0, "intermediate"), (28.0, "tan"), (10.0, "brown")]
    assert [ita_class(ita) for ita, _ in limits] == [name for _, name in limits]
    assert ita_class(-30.0) == "dark"
    assert ita_class(-29.99) == "brown"


def test_too_little_skin_has_no_tone() -> None:
    pixels = _patch(TONES["tan"])
    mask = np.zeros((128, 128), bool)
    mask[:14, :14] = True
    tone = skin_tone(pixels, mask)
    assert (tone.ita, tone.ita_class, tone.group, tone.n_pixels) == (None, None, None, 196)
    with pytest.raises(ValueError, match="mask"):
        skin_tone(pixels, mask[:5])


@pytest.mark.parametrize("name", list(TONES))
@pytest.mark.parametrize("warmth", [0.93, 1.0, 1.07])
def test_skin_of_every_tone_is_found_under_cool_and_warm_light(name: str, warmth: float) -> None:
    pixels = _patch(TONES[name]) * np.array([warmth, 1.0, 1 / warmth])
    found = skin_mask(np.clip(pixels, 0, 255).astype(np.uint8)).mean()
    assert found > 0.9


@pytest.mark.parametrize(
    "lab", [(48, 32, 20), (40, 45, 28), (30, 28, 14), (24, 14, 8), (62, 28, 12), (38, 20, 3)]
)
def test_lesions_are_skin(lab: tuple[float, float, float]) -> None:
    assert skin_mask(_patch(lab)).mean() > 0.9  # inflamed, bleeding, crusted, hyperpigmented, pink, livid


@pytest.mark.parametrize(
    "rgb",
    [
        (90, 140, 60),
        (60, 110, 190),
        (128, 128, 128),
        (255, 255, 255),
        (0, 0, 0),
        (12, 5, 3),
        (200, 200, 40),
        (90, 60, 140),
    ],
)
def test_leaves_sky_paper_and_shadow_are_not_skin(rgb: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(0)
    pixels = np.clip(np.array(rgb) + rng.normal(0, 3, (64, 64, 1)), 0, 255).astype(np.uint8)
    assert skin_mask(pixels).mean() < 0.02


def test_mask_equals_the_documented_rule() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    red, green, blue = (pixels[..., i].astype(np.int64) for i in range(3))
    total = red + green + blue
    expected = (
        (red >= 20)
        & (83 * (red - green) >= total)
        & (50 * (red - blue) >= total)
        & (28 * (green - blue) <= total + 37 * (red - green))
        & (5 * (red - green) <= 3 * total)
    )
    assert np.array_equal(skin_mask(pixels), expected)
    corners = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)], np.uint8)[None]
    assert skin_mask(corners).sum() == 0  # no overflow makes skin of pure colours


def test_mask_is_fast() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (256, 341, 3), dtype=np.uint8)
    best = 1.0
    for _ in range(20):
        started = time.perf_counter()
        skin_mask(pixels)
        best = min(best, time.perf_counter() - started)
    assert best < 0.002
