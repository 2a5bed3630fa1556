"""Patches lie in the skin of a drawn person-like photo, apart, and are not found where there is none."""

import numpy as np
import pytest

from poxlens.data.patches import Patch, skin_patches
from poxlens.data.phantom import draw, random_spec

BLUE = (40, 80, 190)


def scene(left, top, side, ita=30, shape=(320, 480)):
    """Healthy phantom skin on a blue wall."""
    pixels = np.empty((*shape, 3), np.uint8)
    pixels[:] = BLUE
    pixels[top : top + side, left : left + side] = draw(
        random_spec(3, size=side, lesion="none", ita=ita)
    ).image
    return pixels


@pytest.mark.parametrize("ita", [60, 30, -30])
@pytest.mark.parametrize(("left", "top", "side"), [(150, 60, 200), (0, 120, 200), (270, 0, 210)])
def test_patches_lie_in_the_skin(left, top, side, ita):
    found = skin_patches(scene(left, top, side, ita))
    assert 1 <= len(found) <= 2
    for patch in found:
        assert patch.side >= 0.29 * 320 - 1
        inside_x = min(patch.left + patch.side, left + side) - max(patch.left, left)
        inside_y = min(patch.top + patch.side, top + side) - max(patch.top, top)
        assert inside_x * inside_y >= 0.96 * patch.side**2  # 97 % skin is asked for, and the mask is smoothed


def test_no_patch_where_there_is_no_skin():
    blue = np.empty((300, 300, 3), np.uint8)
    blue[:] = BLUE
    assert skin_patches(blue) == []
    grey = np.random.default_rng(0).integers(0, 256, (300, 300, 1), dtype=np.uint8).repeat(3, 2)
    assert skin_patches(grey) == []


def test_skin_smaller_than_the_least_side_gives_none():
    assert skin_patches(scene(100, 100, 60)) == []


def test_the_largest_side_that_fits_comes_first():
    pixels = draw(random_spec(4, size=256, lesion="none", ita=35)).image
    first = skin_patches(pixels, most=1)
    assert [patch.side for patch in first] == [int(256 * 0.57)]
    assert [patch.side for patch in skin_patches(scene(100, 40, 150), most=1)] == [int(320 * 0.43)]


@pytest.mark.parametrize("most", [1, 2, 5, 9])
def test_at_most_and_apart(most):
    pixels = draw(random_spec(5, size=300, lesion="none", ita=35)).image
    found = skin_patches(pixels, most=most)
    assert 1 <= len(found) <= most
    for number, one in enumerate(found):
        assert 0 <= one.left <= 300 - one.side
        assert 0 <= one.top <= 300 - one.side
        for other in found[:number]:
            assert max(abs(one.left - other.left), abs(one.top - other.top)) > one.side // 2
    assert [one.side for one in found] == sorted((one.side for one in found), reverse=True)


def test_the_smoother_skin_is_taken():
    """Two pieces of skin of one size, the left one with the edges of eyes and hair."""
    pixels = np.empty((200, 400, 3), np.uint8)
    pixels[:] = BLUE
    skin = draw(random_spec(6, size=120, lesion="none", ita=35)).image
    pixels[40:160, 40:160] = skin
    pixels[40:160, 240:360] = skin
    rough = pixels[40:160:6, 40:160].astype(float) * 0.8
    pixels[40:160:6, 40:160] = rough.astype(np.uint8)
    (found,) = skin_patches(pixels, most=1)
    assert isinstance(found, Patch)
    assert found.left >= 230
