"""Augmented copies: the same bytes each time, no black corners, and each change does what its name says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from poxlens.data.phantom import draw, random_spec
from poxlens.train.copies import Ranges, augmented

STILL = Ranges(
    rotation=0, translation=0, shear=0, scale=0, mirrored=0, hue=0, saturation=0, contrast=0, brightness=0, noise=0
)  # fmt: skip


@pytest.fixture(scope="module")
def image():
    return draw(random_spec(3, size=96, ita=30)).image


def test_number_0_is_the_image_itself(image):
    assert augmented(image, 0) is image


def test_a_copy_depends_on_image_number_and_seed_alone(image):
    first = augmented(image, 1)
    assert np.array_equal(first, augmented(image.copy(), 1))
    assert not np.array_equal(first, augmented(image, 2))
    assert not np.array_equal(first, augmented(image, 1, seed=1))
    other = image.copy()
    other[0, 0] ^= 1  # another image draws other changes, not only another pixel
    assert np.abs(first.astype(int) - augmented(other, 1)).mean() > 2


def test_without_ranges_nothing_changes(image):
    # The way over HSV rounds: three values at most.
    assert np.abs(augmented(image, 1, ranges=STILL).astype(int) - image).max() <= 3


def test_mirrored_both_ways_is_half_a_turn(image):
    copy = augmented(image, 1, ranges=replace(STILL, mirrored=1.0))
    assert np.abs(copy.astype(int) - image[::-1, ::-1]).max() <= 3


def test_brightness_multiplies(image):
    ranges = replace(STILL, brightness=0.5)
    means = [augmented(image, number, ranges=ranges).mean() / image.mean() for number in range(1, 30)]
    assert 0.49 <= min(means) < 0.7
    assert 1.2 < max(means) <= 1.51


def test_noise_is_at_most_what_is_allowed(image):
    ranges = replace(STILL, noise=8.0)
    spread = [(augmented(image, k, ranges=ranges).astype(float) - image).std() for k in range(1, 20)]
    assert max(spread) < 8.5
    assert max(spread) > 5


def test_no_corner_is_black():
    white = np.full((64, 64, 3), 255, np.uint8)
    ranges = replace(STILL, rotation=30, translation=0.1, shear=10, scale=0.2, mirrored=0.5)
    for number in range(1, 20):
        assert augmented(white, number, ranges=ranges).min() == 255


def test_translation_moves_a_dot_by_its_share(image):
    dot = np.zeros((100, 100, 3), np.uint8)
    dot[48:52, 48:52] = 255
    ranges = replace(STILL, translation=0.1)
    places = []
    for number in range(1, 40):
        rows, columns = np.nonzero(augmented(dot, number, ranges=ranges)[..., 0] > 127)
        places.append((rows.mean() - 49.5, columns.mean() - 49.5))
    assert np.abs(places).max() <= 10.5
    assert np.abs(places).max() > 7


@pytest.mark.parametrize("shape", [(8, 9, 3), (8, 8), (8, 8, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="must be"):
        augmented(np.zeros(shape, np.uint8), 1)
