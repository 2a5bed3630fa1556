import numpy as np
import pytest

from poxlens.data.phantom import PhantomSpec, draw
from poxlens.recipes.shortcuts import SPOILT, border_only, thin_border, traits


@pytest.fixture(scope="module")
def image():
    return draw(PhantomSpec(5, size=160, lesion="papule", count=12)).image


@pytest.mark.parametrize(("spoil", "left"), [(border_only, 0.51), (thin_border, 0.36)])
def test_borders_hide_the_middle_and_keep_the_rest(image, spoil, left):
    found = spoil(image)
    kept = (found == image).all(2)
    assert kept.mean() == pytest.approx(left, abs=0.02)
    hidden = found[50:110, 50:110].reshape(-1, 3)
    assert (hidden == image.mean((0, 1)).astype(np.uint8)).all()
    assert kept[:10].all()
    assert kept[:, -10:].all()


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_images_keep_shape_and_leave_the_original(image, name):
    before = image.copy()
    found = SPOILT[name](image)
    assert found.shape == image.shape
    assert found.dtype == np.uint8
    assert np.array_equal(image, before)
    assert not np.array_equal(found, image)


@pytest.mark.parametrize("name", ["16 x 16 thumbnail", "blurred at 12 px"])
def test_no_lesion_is_left(image, name):
    """What is finer than a sixteenth of the image is gone; its colours are not."""
    found = SPOILT[name](image).astype(float)

    def fine(pixels):
        return np.abs(np.diff(pixels.astype(float), axis=0)).mean()

    assert fine(found) < 0.35 * fine(image)
    assert found.mean((0, 1)) == pytest.approx(image.mean((0, 1)), abs=3)


def test_traits_by_hand():
    flat = np.full((32, 32, 3), (10, 20, 60), np.uint8)
    found = traits(flat)
    assert found.shape == (12,)
    assert found[:10] == pytest.approx([10, 20, 60, 0, 0, 0, 30, 30, 0, 0], abs=1e-4)
    stripes = flat.copy()
    stripes[:, 8:16] = (40, 50, 90)  # one edge on a border of JPEG's blocks at 8, one at 16
    found = traits(stripes)
    assert found[9] == pytest.approx(30 * 2 / 3)  # of three borders two have an edge of 30
    assert found[8] == pytest.approx(30 * 2 / 31)
    assert traits(stripes)[11] > traits(flat)[11]  # compresses worse


def test_traits_do_not_see_where_a_lesion_is(image):
    assert traits(image[:, ::-1])[:9] == pytest.approx(traits(image)[:9], rel=1e-4)
