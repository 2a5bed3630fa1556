from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from poxlens.recipes.novelty.disturb import augmented, noisy
from poxlens.recipes.novelty.images import alike
from poxlens.recipes.novelty.pictures import KINDS, SIDE, drawn, sample_photos


def test_each_kind_and_the_same_pixels_each_time():
    first, second = drawn(2, seed=4), drawn(2, seed=4)
    assert [picture.kind for picture in first] == [kind for kind in KINDS for _ in range(2)]
    for one, other in zip(first, second, strict=True):
        assert one.pixels.shape == (SIDE, SIDE, 3)
        np.testing.assert_array_equal(one.pixels, other.pixels)
    assert len({picture.pixels.tobytes() for picture in [*first, *drawn(2, seed=5)]}) == 20


def test_photos_of_things_and_what_is_not_installed():
    pictures, missing = sample_photos()
    assert len(pictures) >= 80
    assert all(picture.pixels.ndim == 3 and picture.pixels.dtype == np.uint8 for picture in pictures)
    groups = {picture.group for picture in pictures}
    assert len(pictures) == 4 * len(groups)
    assert all("SciPy" in one or "scikit" in one for one in missing)


def test_made_alike_images_have_one_sharpness():
    random = np.random.default_rng(0)
    sharp = random.integers(0, 256, (224, 224, 3)).astype(np.uint8)
    soft = np.asarray(Image.fromarray(sharp).filter(ImageFilter.GaussianBlur(1)))
    sides = [np.abs(np.diff(image.astype(float), axis=0)).mean() for image in (sharp, soft)]
    made = [np.abs(np.diff(image.astype(float), axis=0)).mean() for image in alike(np.stack([sharp, soft]))]
    assert sides[0] / sides[1] > 5
    assert made[0] / made[1] < 0.4 * sides[0] / sides[1]


def test_augmented_and_noisy_photos():
    images = np.random.default_rng(1).integers(60, 200, (3, 24, 24, 3)).astype(np.uint8)
    made, origin = augmented(images, 7, seed=2)
    assert made.shape == (7, 24, 24, 3)
    assert origin.tolist() == [0, 1, 2, 0, 1, 2, 0]
    np.testing.assert_allclose(made.mean((1, 2, 3)), images[origin].mean((1, 2, 3)), atol=4)
    grainy, origin = noisy(images, 5, seed=2, deviation=0.05)
    noise = grainy.astype(float) - images[origin]
    assert abs(noise.std() - 12.75) < 0.6
    assert abs(noise.mean()) < 0.6
