"""Keypoints carry a picture onto its crops, mirror images and turns, and different pictures onto nothing."""

import cv2
import numpy as np
import pytest

from poxlens.data.keypoints import FEWEST, MOST, describe, match
from poxlens.data.phantom import draw, random_spec


def phantom(seed, size=224):
    return draw(random_spec(seed, size=size, lesion="papule")).image


@pytest.fixture(scope="module")
def photo():
    return phantom(1)


@pytest.fixture(scope="module")
def described(photo):
    return describe(photo)


def to_working(pixels):
    """Scale from the file's px to those of the working picture, x and y."""
    height, width = pixels.shape[:2]
    working = describe(pixels).grey.shape
    return np.array([working[1] / width, working[0] / height])


def test_the_working_picture_keeps_its_shape_and_area():
    tall = describe(np.random.default_rng(0).integers(0, 256, (300, 150, 3), dtype=np.uint8))
    assert tall.grey.shape == (407, 204)
    assert tall.colour.shape == (102, 51, 3)
    assert len(tall.place) == MOST
    assert np.linalg.norm(tall.descriptor, axis=1) == pytest.approx(1, abs=1e-3)


def test_a_flat_picture_has_no_keypoints_and_matches_nothing(described):
    flat = describe(np.full((64, 64, 3), 120, np.uint8))
    assert flat.place.shape == (0, 2)
    assert flat.descriptor.shape == (0, 128)
    assert match(flat, described) is None
    assert match(described, flat) is None
    assert match(flat, flat) is None


@pytest.mark.parametrize(("left", "top", "side"), [(10, 20, 157), (100, 0, 120), (50, 50, 112)])
def test_a_crop_is_placed_to_a_pixel(photo, described, left, top, side):
    crop = photo[top : top + side, left : left + side]
    found = match(described, describe(crop))
    assert found.inliers >= 20
    assert not found.mirrored
    one, other = to_working(photo), to_working(crop)
    # a corner of the crop in the photo lies at the corner of the crop
    for corner in ((0, 0), (side, 0), (0, side)):
        start = (np.array([left, top]) + corner) * one
        assert found.matrix[:, :2] @ start + found.matrix[:, 2] == pytest.approx(corner * other, abs=2.0)


def test_a_mirror_image_is_known_as_one(photo, described):
    found = match(described, describe(np.ascontiguousarray(photo[:, ::-1])))
    assert found.mirrored
    assert found.inliers >= 60
    side = described.grey.shape[1]
    assert found.matrix == pytest.approx(np.array([[-1, 0, side - 1], [0, 1, 0]]), abs=1.0)


def test_mirrored_keypoints_are_those_of_the_mirror_image(photo, described):
    """Against describing the mirror image anew: the same places, and descriptors close to it."""
    anew = describe(np.ascontiguousarray(photo[:, ::-1]))
    told = described.mirrored()
    apart = np.linalg.norm(told.place[:, None] - anew.place, axis=2)
    nearest = apart.argmin(1)
    close = apart[np.arange(len(apart)), nearest] < 1.0
    assert close.mean() > 0.6
    cosine = (told.descriptor[:, None] * anew.descriptor[nearest][:, None]).sum(2).ravel()[close]
    assert np.median(cosine) > 0.95


@pytest.mark.parametrize("angle", [7, 45, 90, 180])
def test_a_turn_is_measured(photo, described, angle):
    size = photo.shape[0]
    move = cv2.getRotationMatrix2D((size / 2, size / 2), angle, 1.0)
    found = match(described, describe(cv2.warpAffine(photo, move, (size, size))))
    assert found.inliers >= 20
    assert np.degrees(np.arctan2(-found.matrix[1, 0], found.matrix[0, 0])) % 360 == pytest.approx(
        angle, abs=1
    )


def test_a_stretched_copy_is_carried_by_an_affine_map(photo, described):
    found = match(described, describe(cv2.resize(photo, (224, 150))))
    assert found.inliers >= 30
    large, small = np.linalg.svd(found.matrix[:, :2], compute_uv=False)
    assert large / small == pytest.approx(224 / 150, abs=0.05)


def test_the_same_on_every_run(photo, described):
    again = describe(photo.copy())
    assert np.array_equal(again.place, described.place)
    crop = describe(photo[:160, 30:190])
    first, second = match(described, crop), match(again, crop)
    assert first.inliers == second.inliers
    assert np.array_equal(first.matrix, second.matrix)


def test_different_pictures_share_few_keypoints(described):
    """Twelve others of the same kind: a chance fit stays far under any crop's."""
    counts = [
        0 if (fit := match(described, describe(phantom(seed)))) is None else fit.inliers
        for seed in range(2, 14)
    ]
    assert max(counts) < 15
    assert all(count == 0 or count >= FEWEST for count in counts)


def test_keypoints_are_taken_from_all_parts():
    """A textured half does not take them all."""
    rng = np.random.default_rng(3)
    picture = np.repeat(cv2.GaussianBlur(phantom(5).astype(np.float32), (0, 0), 1.0)[..., :1], 3, 2)
    picture[:, :112] = rng.integers(0, 256, (224, 112, 1))
    found = describe(picture.astype(np.uint8))
    right = (found.place[:, 0] > found.grey.shape[1] / 2).mean()
    assert right > 0.15
