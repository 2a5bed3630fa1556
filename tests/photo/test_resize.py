"""The input rule against a reference written from docs/resize.md, bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poxlens.photo.resize import InputRule, crop_box, prepare

BITS = 22


def _coefficients(length: int, size: int) -> list[tuple[int, list[int]]]:
    """For each output pixel the first input pixel and the whole-number weights, as in docs/resize.md."""
    scale = length / size
    support = max(scale, 1.0)
    result = []
    for index in range(size):
        centre = (index + 0.5) * scale
        first = max(int(centre - support + 0.5), 0)
        last = min(int(centre + support + 0.5), length)
        weights = [max(0.0, 1.0 - abs((x - centre + 0.5) * (1.0 / support))) for x in range(first, last)]
        total = 0.0
        for weight in weights:
            total += weight
        result.append((first, [math.floor(0.5 + weight / total * (1 << BITS)) for weight in weights]))
    return result


def _pass(pixels: np.ndarray, size: int) -> np.ndarray:
    """One pass along axis 1: [rows, length, 3] to [rows, size, 3]."""
    if pixels.shape[1] == size:
        return pixels
    out = np.empty((pixels.shape[0], size, 3), np.uint8)
    for index, (first, weights) in enumerate(_coefficients(pixels.shape[1], size)):
        part = pixels[:, first : first + len(weights)].astype(np.int64)
        total = (1 << (BITS - 1)) + (part * np.array(weights)[None, :, None]).sum(1)
        out[:, index] = np.clip(total >> BITS, 0, 255)
    return out


def reference(pixels: np.ndarray, rule: InputRule) -> np.ndarray:
    left, top, right, bottom = crop_box(pixels.shape[1], pixels.shape[0], rule)
    wide = _pass(pixels[top:bottom, left:right], rule.size)
    return _pass(wide.transpose(1, 0, 2), rule.size).transpose(1, 0, 2)


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    size=st.sampled_from([1, 7, 32, 96, 224]),
    aspect=st.sampled_from([1.0, 1.2, 1.5, 4 / 3, 3.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_prepare_equals_the_reference_bit_for_bit(
    width: int, height: int, size: int, aspect: float, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    rule = InputRule(size=size, max_aspect=aspect)
    assert np.array_equal(prepare(pixels, rule), reference(pixels, rule))


@pytest.mark.parametrize(
    ("width", "height"), [(1000, 750), (640, 640), (224, 224), (1023, 682), (1, 3000), (3000, 1)]
)
def test_prepare_at_the_sizes_of_photos(width: int, height: int) -> None:
    pixels = np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert np.array_equal(prepare(pixels, InputRule()), reference(pixels, InputRule()))


def test_black_and_white_stay_black_and_white() -> None:
    for value in (0, 255):
        assert (prepare(np.full((517, 613, 3), value, np.uint8), InputRule()) == value).all()


@given(width=st.integers(1, 100_000), height=st.integers(1, 100_000), aspect=st.floats(1.0, 10.0))
def test_crop_is_centred_and_as_long_as_allowed(width: int, height: int, aspect: float) -> None:
    rule = InputRule(max_aspect=aspect)
    left, top, right, bottom = crop_box(width, height, rule)
    kept_width, kept_height = right - left, bottom - top
    assert min(kept_width, kept_height) == min(width, height)
    assert max(kept_width, kept_height) == min(max(width, height), math.floor(min(width, height) * aspect))
    assert 0 <= (width - right) - left <= 1
    assert 0 <= (height - bottom) - top <= 1


def test_known_crops() -> None:
    assert crop_box(400, 300, InputRule()) == (0, 0, 400, 300)
    assert crop_box(1000, 300, InputRule()) == (275, 0, 725, 300)
    assert crop_box(300, 1001, InputRule()) == (0, 275, 300, 725)
    assert crop_box(1, 30_000, InputRule()) == (0, 14_999, 1, 15_000)


def test_what_lies_outside_the_crop_is_not_seen() -> None:
    pixels = np.full((100, 400, 3), 90, np.uint8)
    pixels[:, :125] = 255
    pixels[:, 275:] = 255
    assert (prepare(pixels, InputRule()) == 90).all()


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="pixels"):
        prepare(np.zeros((4, 4), np.uint8), InputRule())
    with pytest.raises(ValueError, match="pixels"):
        prepare(np.zeros((4, 4, 3), np.float32), InputRule())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="positive"):
        prepare(np.zeros((0, 4, 3), np.uint8), InputRule())
    with pytest.raises(ValueError, match="size"):
        InputRule(size=0)
    with pytest.raises(ValueError, match="max_aspect"):
        InputRule(max_aspect=0.5)
