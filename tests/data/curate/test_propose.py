"""One image: where the box lies, and the reason where there is none."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from poxlens.data.curate.propose import CAREFUL, Rule, propose
from poxlens.data.curate.reasons import (
    BACKGROUND,
    CROP_SKIN,
    ENLARGED,
    FRAME_AVOIDED,
    LETTERS_AVOIDED,
    NO_SKIN,
    TOO_SMALL,
)

RULE = Rule(margin=0.5)


def proposed(data, finder, least=200):
    return propose(data, "x.png", "mpox", least_side=least, rule=RULE, finder=finder)


def test_the_box_is_the_largest_square_of_skin_less_the_margin(encode, blue_picture, colour_finder):
    found = proposed(encode(blue_picture(skin=(0, 0, 300, 384))), colour_finder)
    left, top, side = found.box
    assert found.reason == CROP_SKIN
    assert left + side <= 300
    assert side >= 300 - 36
    assert (left, found.width, found.height) == (0, 512, 384)
    assert 0 <= top <= 384 - side
    assert f"{side} px" in found.sentence
    assert found.skin_share > 0.99


def test_an_image_of_skin_alone_is_taken_whole(encode, blue_picture, colour_finder):
    found = proposed(encode(blue_picture()), colour_finder)
    assert found.box[1:] == (0, 384)
    assert found.notes == ()


def test_the_careful_rule_keeps_farther_from_background(encode, blue_picture, colour_finder):
    data = encode(blue_picture(skin=(0, 0, 300, 384)))
    plain = propose(data, "x.png", "mpox", least_side=64, finder=colour_finder).box
    careful = propose(data, "x.png", "mpox", least_side=64, rule=CAREFUL, finder=colour_finder).box
    # One cell more between the square and the background: 8 px in 256, 12 px in 384, on a grid of half a cell.
    assert 6 <= plain[2] - careful[2] <= 18
    assert careful[0] == plain[0] == 0


def test_letters_are_kept_out_and_noted(encode, blue_picture, colour_finder):
    found = proposed(encode(blue_picture(letters=(0, 0, 512, 96))), colour_finder)
    assert found.box[1] >= 96
    assert LETTERS_AVOIDED in found.notes


def test_a_frame_is_kept_out_and_noted(encode, blue_picture, colour_finder):
    pixels = blue_picture()
    pixels[:40] = 255
    pixels[:, :30] = 255
    found = proposed(encode(pixels), colour_finder)
    assert found.box[0] >= 30
    assert found.box[1] >= 40
    assert FRAME_AVOIDED in found.notes


def test_a_strip_too_narrow_says_how_wide_its_square_is(encode, blue_picture, colour_finder):
    found = proposed(encode(blue_picture(skin=(0, 0, 100, 384))), colour_finder)
    assert (found.verdict, found.reason, found.box) == ("none", BACKGROUND, None)
    assert "under the limit of 200 px" in found.sentence


def test_no_skin(encode, blue_picture, colour_finder):
    found = proposed(encode(blue_picture(skin=(0, 0, 0, 0))), colour_finder)
    assert (found.reason, found.skin_share) == (NO_SKIN, 0.0)


def test_an_image_smaller_than_the_crop_is_not_looked_at(encode, blue_picture, colour_finder):
    found = proposed(encode(blue_picture(199, 400)), colour_finder)
    assert found.reason == TOO_SMALL
    assert colour_finder.calls == 0


@pytest.mark.parametrize("data", [b"", b"no image", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_file_that_is_no_image_is_told(data, colour_finder):
    found = proposed(data, colour_finder)
    assert (found.verdict, found.reason, found.width) == ("none", "none.unreadable", 0)
    assert found.sentence


def test_the_box_is_in_px_of_the_upright_full_size(blue_picture, colour_finder):
    stored = Image.fromarray(blue_picture(2048, 1536, skin=(0, 0, 2048, 900)))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned right by 90 degrees to be upright: the skin is then at the right
    stream = io.BytesIO()
    stored.save(stream, "JPEG", quality=95, exif=exif)
    found = proposed(stream.getvalue(), colour_finder, least=500)
    left, _, side = found.box
    assert (found.width, found.height) == (1536, 2048)
    assert left >= 1536 - 900
    assert 900 - 130 <= side <= 900


@pytest.mark.parametrize("size", [(224, 224), (640, 480), (481, 1999), (3000, 230)])
def test_a_box_is_always_inside(size, encode, blue_picture, colour_finder):
    width, height = size
    found = proposed(encode(blue_picture(width, height, skin=(0, 0, width, height))), colour_finder)
    left, top, side = found.box
    assert min(left, top) >= 0
    assert left + side <= width
    assert top + side <= height
    assert side >= 0.97 * min(size)


def test_a_closer_look_shrinks_the_box(encode, blue_picture):
    class Short:
        """Sees the blue corner only when shown a part of the photo."""

        sha256 = ""

        def __init__(self):
            self.shapes = []

        def maps(self, pixels):
            self.shapes.append(pixels.shape[:2])
            grid = np.zeros((32, 32), np.float32)
            if len(self.shapes) > 1:
                grid[:8] = 1.0
            return grid, np.zeros_like(grid)

    found = propose(
        encode(blue_picture(512, 512, (0, 0, 512, 512))),
        "x",
        "y",
        least_side=100,
        finder=Short(),
        rule=Rule(looks=1),
    )
    assert found.box[2] <= 384
    assert found.box[1] >= 128


def test_an_enlarged_picture_gives_no_crop(encode, blue_picture, colour_finder):
    # Coarse patches of two tones of skin: all of the contrast is in detail of 64 px.
    tones = np.random.default_rng(0).integers(0, 2, (6, 8, 1)).astype(np.uint8) * (60, 50, 40) + (
        140,
        100,
        80,
    )
    large = Image.fromarray(tones.astype(np.uint8)).resize((512, 384), Image.Resampling.BICUBIC)
    found = proposed(encode(np.asarray(large)), colour_finder)
    assert (found.verdict, found.reason) == ("none", ENLARGED)
    assert "384 px" in found.sentence


def test_the_shipped_network_takes_skin_with_lesions_whole(phantom, encode):
    found = propose(encode(phantom), "x", "y")
    assert found.reason == CROP_SKIN
    assert found.box[2] >= 480


def test_the_shipped_network_finds_no_skin_in_a_grey_wall(encode):
    wall = np.random.default_rng(1).normal(128, 12, (480, 640, 3)).clip(0, 255).astype(np.uint8)
    assert propose(encode(wall), "x", "y").verdict == "none"
