from __future__ import annotations

import numpy as np
import pytest

from poxlens.train.augmentation import FLIPS, KINDS, Draw, Strengths, augment, draw

NOTHING = (0.0,) * 6


@pytest.fixture
def image():
    random = np.random.default_rng(0)
    return random.integers(40, 200, (8, 8, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)


def one(mirrored=False, upended=False, **amounts):
    return Draw(tuple(amounts.get(kind, 0.0) for kind in KINDS), mirrored, upended)


def test_nothing_changes_nothing(image):
    assert np.array_equal(augment(image, Draw(NOTHING, False, False)), image)


@pytest.mark.parametrize(
    ("mirrored", "upended", "step"), [(True, False, (1, -1)), (False, True, (-1, 1)), (True, True, (-1, -1))]
)
def test_flips(image, mirrored, upended, step):
    assert np.array_equal(augment(image, one(mirrored, upended)), image[:: step[0], :: step[1]])


@pytest.mark.parametrize(("rotation", "turns"), [(0.25, 1), (0.5, 2), (-0.25, 3)])
def test_rotation_is_in_turns(image, rotation, turns):
    found = augment(image, one(rotation=rotation)).astype(int)
    assert np.abs(found - np.rot90(image, turns).astype(int)).mean() < 1


def test_translation_is_in_sides_and_mirrors_what_comes_in(image):
    found = augment(image, one(width=0.25))
    assert np.array_equal(found[:, 16:], image[:, :-16])
    assert np.array_equal(found[:, :16], image[:, :16][:, ::-1])
    assert np.array_equal(augment(image, one(height=-0.5))[:32], image[32:])


def test_zoom_in_and_out():
    image = np.zeros((64, 64, 3), np.uint8)
    image[24:40, 24:40] = 200  # 16 px
    wide = (augment(image, one(zoom=0.5))[32, :, 0] > 100).sum()
    small = (augment(image, one(zoom=-0.5))[32, :, 0] > 100).sum()
    assert abs(wide - 16 / 1.5) <= 1.5
    assert abs(small - 32) <= 1.5


def test_contrast_keeps_the_mean_and_scales_what_is_around_it(image):
    found = augment(image, one(contrast=-0.5)).astype(float)
    assert found.mean() == pytest.approx(image.mean(), abs=0.5)
    assert found[..., 0].std() == pytest.approx(image[..., 0].std() / 2, rel=0.02)


def test_brightness_is_of_the_range_and_ends_at_its_ends(image):
    assert np.array_equal(
        augment(image, one(brightness=0.1)), np.minimum(np.rint(image + 25.5), 255).astype(np.uint8)
    )
    assert augment(image, one(brightness=0.5)).max() == 255
    assert augment(image, one(brightness=-0.5)).min() == 0


@pytest.mark.parametrize("flip", list(FLIPS))
def test_draws_stay_within_their_strengths(flip):
    strengths = Strengths(0.5, 0.1, 0.2, 0.0, 0.3, 0.4, flip)
    random = np.random.default_rng(0)
    draws = [draw(strengths, random) for _ in range(400)]
    amounts = np.array([each.amounts for each in draws])
    limits = strengths.limits()
    assert np.all(np.abs(amounts) <= limits)
    assert np.all(np.abs(amounts).max(0) >= 0.97 * limits)
    assert {(each.mirrored, each.upended) for each in draws} == set(FLIPS[flip])
