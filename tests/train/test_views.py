import numpy as np
import pytest
from PIL import Image

from poxlens.train.views import DUPLICATE_VIEWS, MIRROR_VIEWS, View, cut


def test_the_whole_and_its_mirror_image_are_exact(images):
    whole, mirrored = cut(images[0], MIRROR_VIEWS)
    assert np.array_equal(whole, images[0])
    assert np.array_equal(mirrored, images[0][:, ::-1])


def test_a_zoom_is_the_crop_enlarged():
    """A crop on whole pixels equals cropping first wherever the filter stays inside it."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (found,) = cut(image, (View(0.25, 0.0, 0.75),))
    crop = Image.fromarray(image[0:48, 16:64])
    expected = np.asarray(crop.resize((64, 64), Image.Resampling.BILINEAR))
    assert np.abs(found.astype(int) - expected)[4:-4, 4:-4].max() <= 1


@pytest.mark.parametrize("view", DUPLICATE_VIEWS, ids=lambda view: view.key)
def test_every_view_shows_the_part_that_it_names(view):
    """On an image whose colours are its coordinates."""
    ramp = np.linspace(0, 255, 101).round().astype(np.uint8)
    image = np.stack([np.tile(ramp, (101, 1)), np.tile(ramp[:, None], (1, 101)), np.zeros((101, 101))], 2)
    (found,) = cut(image.astype(np.uint8), (view,))
    assert found.shape == (101, 101, 3)
    x, y = view.left + view.side / 2, view.top + view.side / 2
    assert found[50, 50, :2] == pytest.approx((255 * x, 255 * y), abs=3)
    columns = found[50, :, 0].astype(int)
    assert (columns[0] > columns[-1]) == view.mirrored
    assert np.ptp(columns) == pytest.approx(255 * view.side, abs=6)


def test_keys_are_unique_and_inside_the_image():
    assert len({view.key for view in DUPLICATE_VIEWS}) == len(DUPLICATE_VIEWS) == 14
    assert {view.key for view in MIRROR_VIEWS} <= {view.key for view in DUPLICATE_VIEWS}
    for view in DUPLICATE_VIEWS:
        assert min(view.left, view.top) >= 0
        assert max(view.left, view.top) + view.side <= 1
