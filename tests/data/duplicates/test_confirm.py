"""What keypoints and pixels together say of two pictures."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from poxlens.data.duplicates.agreement import agreement, chain, invert
from poxlens.data.duplicates.confirm import HOLDING, LIMIT, NOTHING, confirm, plausible
from poxlens.data.keypoints import describe, match
from poxlens.data.phantom import draw, random_spec


def phantom(seed, size=224, **spec):
    return draw(random_spec(seed, size=size, lesion="papule", **spec)).image


def jpeg(pixels, quality):
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))


def captioned(pixels, text="a caption"):
    image = Image.fromarray(pixels)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 195, 224, 224), fill="black")
    pen.text((4, 200), text, fill="white")
    return np.asarray(image)


def watermarked(pixels):
    """The same detailed mark in the same corner of any picture."""
    marked = pixels.copy()
    mark = np.random.default_rng(0).integers(0, 256, (12, 16, 1), dtype=np.uint8).repeat(3, 2)
    marked[160:208, 12:76] = cv2.resize(mark, (64, 48), interpolation=cv2.INTER_NEAREST)
    return marked


@pytest.fixture(scope="module")
def photo():
    return phantom(1)


CHANGES = {
    "copy": (lambda p: jpeg(p, 40), "copy"),
    "crop": (lambda p: p[20:177, 50:207], "crop"),
    "mirrored crop": (lambda p: p[20:177, 50:207][:, ::-1], "crop, mirrored"),
    "quarter": (lambda p: np.rot90(p), "rotated 270"),
    "darker": (lambda p: (p * 0.75).astype(np.uint8), "re-toned"),
    "redder": (lambda p: np.clip(p * (1.2, 1.0, 0.85), 0, 255).astype(np.uint8), "re-toned"),
    "captioned": (captioned, "captioned"),
    "stretched": (lambda p: cv2.resize(p, (224, 160)), "stretched"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_copy_is_confirmed_and_its_change_told(photo, name):
    change, told = CHANGES[name]
    found = confirm(describe(photo), describe(change(photo)))
    assert found.kind == "confirmed"
    assert found.relation == told
    assert found.correlation > 0.95
    assert found.mirrored == ("mirrored" in told)


def test_two_parts_of_one_photo_that_overlap_by_half(photo):
    left, right = photo[:, :150], photo[:, 75:]
    found = confirm(describe(left), describe(right))
    assert (found.kind, found.relation) == ("confirmed", "part")
    assert found.overlap == pytest.approx(0.5, abs=0.02)


def test_the_overlap_and_the_map_are_in_shares_of_the_sides(photo):
    found = confirm(describe(photo), describe(photo[56:168, 112:224]))
    assert found.overlap > 0.97
    assert found.matrix == pytest.approx((2, 0, -1, 0, 2, -0.5), abs=0.03)


def test_different_phantoms_are_never_confirmed():
    keys = [describe(phantom(seed)) for seed in range(20, 34)]
    kinds = [confirm(a, b).kind for i, a in enumerate(keys) for b in keys[:i]]
    assert len(kinds) == 91
    assert set(kinds) == {""}


def test_a_shared_watermark_is_not_a_shared_photo():
    """Its keypoints fit perfectly; the pixels around it do not."""
    one, other = describe(watermarked(phantom(40))), describe(watermarked(phantom(41)))
    fit = match(one, other)
    assert fit.inliers >= 8
    assert fit.matrix == pytest.approx(np.eye(2, 3), abs=0.5)
    assert agreement(one, other, fit.matrix).correlation < LIMIT - 0.3
    assert confirm(one, other).kind == ""


@pytest.mark.parametrize("seeds", [(50, 51), (52, 53), (54, 55)])
def test_a_shared_caption_over_smooth_pictures_is_not_a_shared_photo(seeds):
    """All structure is in the caption, so its strip must not decide alone."""

    def smooth(seed):
        bare = draw(random_spec(seed, size=224, lesion="none")).clean.astype(np.float32)
        return captioned(
            cv2.GaussianBlur(bare, (0, 0), 6).astype(np.uint8), "Figure 7: one caption, two photos"
        )

    one, other = describe(smooth(seeds[0])), describe(smooth(seeds[1]))
    laid = agreement(one, other, np.eye(2, 3), refine=False)  # as the caption's keypoints ask for
    assert laid.correlation > LIMIT
    assert laid.holding < HOLDING
    assert confirm(one, other).kind == ""


def test_a_small_lesion_in_smooth_skin_is_confirmed():
    """Its structure fills few blocks; without its strip the shading still agrees."""
    y, x = np.mgrid[0:224, 0:224]
    light = 150 + 0.25 * x + 0.1 * y
    spots = np.random.default_rng(5).normal(0, 60, (12, 12))
    light[95:131, 95:131] += cv2.resize(spots, (36, 36), interpolation=cv2.INTER_CUBIC)
    pixels = np.clip(np.repeat(light[..., None], 3, 2) * (1, 0.8, 0.7), 0, 255).astype(np.uint8)
    found = confirm(describe(pixels), describe(jpeg(pixels[30:200, 40:210], 80)))
    assert (found.kind, found.relation) == ("confirmed", "crop")


def test_a_second_shot_of_a_scene_is_told_from_a_copy(photo):
    """A bent surface: keypoints still fit one map roughly, pixels do not lie on each other."""
    y, x = np.mgrid[0:224, 0:224].astype(np.float32)
    bent = cv2.remap(
        photo,
        x + 3.5 * np.sin(y / 17),
        y + 3.5 * np.cos(x / 21),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    found = confirm(describe(photo), describe(bent))
    assert found.kind == "scene"
    assert found.inliers >= 25
    assert 0.5 <= found.correlation < LIMIT


def test_a_flat_picture_is_like_none(photo):
    flat = describe(np.full((100, 100, 3), 90, np.uint8))
    assert confirm(flat, describe(photo)) == NOTHING
    assert confirm(flat, flat) == NOTHING


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ([[1, 0, 0], [0, 1, 0]], True),
        ([[-1, 0, 9], [0, 1, 0]], True),
        ([[2, 0, 0], [0, 1, 0]], True),  # a panorama in a square
        ([[3, 0, 0], [0, 1, 0]], False),
        ([[9, 0, 0], [0, 9, 0]], False),
        ([[0.1, 0, 0], [0, 0.1, 0]], False),
        ([[1, 1, 0], [1, 1, 0]], False),  # folded to a line
    ],
)
def test_maps_that_no_copy_is_made_by(matrix, expected):
    assert plausible(np.array(matrix, float)) == expected


def test_maps_are_turned_and_chained():
    first = np.array([[2.0, 0.5, 3.0], [-0.3, 1.5, 4.0]])
    then = np.array([[0.2, 1.0, -3.0], [1.3, -0.5, 1.0]])
    point = np.array([5.0, 7.0])

    def move(matrix, place):
        return matrix[:, :2] @ place + matrix[:, 2]

    assert move(chain(first, then), point) == pytest.approx(move(then, move(first, point)))
    assert move(invert(first), move(first, point)) == pytest.approx(point)


def test_a_rough_map_is_mended_by_the_pixels(photo):
    keys = describe(photo)
    rough = np.array([[1.01, 0.0, 1.5], [0.0, 0.99, -1.5]])
    before = agreement(keys, keys, rough, refine=False)
    after = agreement(keys, keys, rough)
    assert after.correlation > max(0.97, before.correlation + 0.05)
    assert after.matrix == pytest.approx(np.eye(2, 3), abs=0.4)


def test_an_overlap_of_nothing_has_no_agreement(photo):
    keys = describe(photo)
    assert agreement(keys, keys, np.array([[1.0, 0, 400], [0, 1, 0]])) is None
    assert agreement(keys, keys, np.array([[0.0, 0, 0], [0, 0, 0]])) is None
    assert agreement(keys, keys, np.full((2, 3), np.nan)) is None


def test_the_shares_of_an_overlap(photo):
    keys = describe(photo)
    side = keys.grey.shape[0]
    laid = agreement(keys, keys, np.array([[1.0, 0, -side / 2], [0, 1, 0]]), refine=False)
    assert laid.shares == pytest.approx((0.5, 0.5), abs=0.02)
