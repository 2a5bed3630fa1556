"""Each check on photos made to fail it alone, and on the same photo at many resolutions."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter
from skimage.filters import laplace

from poxlens.photo.decode import Photo
from poxlens.photo.quality import (
    ADVICE,
    QualityCheck,
    QualityLimits,
    canonical,
    check_quality,
    grey_copy,
    sharpness,
)
from poxlens.photo.skin import skin_mask

LIMITS = QualityLimits()


def _skin(width: int = 512, height: int = 512, seed: int = 0) -> np.ndarray:
    """Skin with spots of some 8 px and fine texture."""
    rng = np.random.default_rng(seed)
    base = np.array([196, 140, 112], float)
    y, x = np.mgrid[0:height, 0:width] / min(width, height)
    pixels = base + rng.normal(0, 5, (height, width, 1))
    for _ in range(60):
        cx, cy = rng.uniform(0, width / min(width, height)), rng.uniform(0, height / min(width, height))
        spot = ((x - cx) ** 2 + (y - cy) ** 2 < 0.012**2)[..., None]
        pixels = np.where(spot, np.array([150, 70, 66]), pixels)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _check(
    pixels: np.ndarray, *, width: int | None = None, height: int | None = None
) -> dict[str, QualityCheck]:
    photo = Photo(pixels, width or pixels.shape[1], height or pixels.shape[0], "jpeg")
    checks = check_quality(photo, LIMITS, skin_mask(canonical(pixels)))
    return {check.name: check for check in checks}


def _failed(pixels: np.ndarray, **size: int) -> list[str]:
    return [name for name, check in _check(pixels, **size).items() if not check.passed]


def test_a_good_photo_passes_all() -> None:
    checks = _check(_skin())
    assert list(checks) == ["short_side", "aspect", "dark", "bright", "blur", "skin"]
    assert all(check.passed for check in checks.values())
    assert checks["short_side"].value == 512
    assert checks["skin"].value > 0.95
    for name, check in checks.items():
        assert check.reason == f"quality.{name}"
        assert check.advice == ADVICE[check.reason]


def test_each_fault_fails_its_own_check() -> None:
    good = _skin()
    blurred = np.asarray(Image.fromarray(good).filter(ImageFilter.GaussianBlur(8)))
    dark = (good * 0.15).astype(np.uint8)
    bright = good.copy()
    bright[:, :300] = 255
    green = np.clip(good[..., [1, 0, 2]] - np.array([0, 0, 40]), 0, 255).astype(np.uint8)
    assert _failed(blurred) == ["blur"]
    assert "dark" in _failed(dark)
    assert _failed(bright) == ["bright"]
    assert _failed(green) == ["skin"]
    assert _failed(good, width=127, height=127) == ["short_side"]
    assert _failed(good, width=128, height=128) == []
    assert _failed(good, width=3001, height=1000) == ["aspect"]
    assert _failed(good, width=1000, height=3000) == []


def test_dark_skin_is_not_called_a_dark_photo() -> None:
    rng = np.random.default_rng(0)
    darkest = np.clip(np.array([84, 58, 46]) + rng.normal(0, 5, (300, 300, 1)), 0, 255).astype(np.uint8)
    check = _check(darkest)
    assert check["dark"].passed
    assert check["skin"].value > 0.9


def test_numbers_do_not_depend_on_the_resolution() -> None:
    large = Image.fromarray(_skin(2048, 2048))
    values = []
    for side in (512, 1024, 2048):
        checks = _check(np.asarray(large.resize((side, side), Image.Resampling.LANCZOS)))
        values.append([checks[name].value for name in ("dark", "bright", "blur", "skin")])
    spread = np.ptp(values, axis=0)
    assert spread[0] <= 3
    assert spread[1] <= 0.01
    assert max(v[2] for v in values) / min(v[2] for v in values) < 1.6
    assert spread[3] <= 0.01


def test_sharpness_equals_scikit_image() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (90, 120), dtype=np.uint8)
    expected = laplace(grey.astype(float))[1:-1, 1:-1].var()
    assert sharpness(grey) == pytest.approx(expected, rel=1e-4)
    assert sharpness(grey[:2]) == 0.0


def test_canonical_size() -> None:
    assert canonical(np.zeros((600, 900, 3), np.uint8)).shape == (150, 225, 3)
    assert canonical(np.zeros((511, 256, 3), np.uint8)).shape == (256, 128, 3)
    assert canonical(np.zeros((255, 3000, 3), np.uint8)).shape == (255, 3000, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (384, 512, 3), dtype=np.uint8)
    expected = pixels[:384, :510].reshape(128, 3, 170, 3, 3).mean((1, 3))
    assert np.abs(canonical(pixels)[:, :170] - expected).max() <= 0.56


def test_grey_copy() -> None:
    assert grey_copy(np.zeros((600, 900, 3), np.uint8)).size == (384, 256)
    assert grey_copy(np.zeros((900, 600, 3), np.uint8)).size == (256, 384)
    assert grey_copy(np.zeros((200, 3000, 3), np.uint8)).size == (3000, 200)
    colour = np.full((300, 300, 3), (200, 100, 50), np.uint8)
    assert np.asarray(grey_copy(colour)).max() == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)


def test_brightness_is_the_95th_percentile_of_grey() -> None:
    pixels = np.zeros((100, 100, 3), np.uint8)
    pixels[:6] = 180  # 6 % of the pixels
    assert _check(pixels)["dark"].value == 180
    pixels[4:6] = 0
    assert _check(pixels)["dark"].value == 0
    pixels[:10] = 250
    assert _check(pixels)["bright"].value == pytest.approx(0.1)
