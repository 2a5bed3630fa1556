"""The perceptual hash, against the ImageHash library."""

import imagehash
import numpy as np
import pytest
from PIL import Image

from poxlens.data.phantom import draw, random_spec
from poxlens.data.phash import VIEWS, distance, phashes

FLIP = Image.Transpose
SAME_VIEWS = {
    "as it is": None,
    "mirrored": FLIP.FLIP_LEFT_RIGHT,
    "upside down": FLIP.FLIP_TOP_BOTTOM,
    "turned 180": FLIP.ROTATE_180,
    "transposed": FLIP.TRANSPOSE,
    "turned 90": FLIP.ROTATE_90,
    "turned 270": FLIP.ROTATE_270,
    "transversed": FLIP.TRANSVERSE,
}


def greys():
    rng = np.random.default_rng(3)
    phantoms = [Image.fromarray(draw(random_spec(seed, size=96)).image) for seed in range(12)]
    noise = [Image.fromarray(rng.integers(0, 256, (40, 56, 3), dtype=np.uint8)) for _ in range(12)]
    return [one.convert("L").resize((32, 32), Image.Resampling.LANCZOS) for one in phantoms + noise]


def number(value):
    return int("".join("1" if bit else "0" for bit in value.hash.ravel()), 2)


@pytest.mark.parametrize("view", VIEWS)
def test_equal_to_imagehash_bit_for_bit_in_every_position(view):
    pictures = greys()
    ours = phashes(np.stack([np.asarray(one) for one in pictures]))[:, VIEWS.index(view)]
    turn = SAME_VIEWS[view]
    # ImageHash resizes to 32 x 32 itself, which leaves a picture of that size as it is.
    theirs = [number(imagehash.phash(one if turn is None else one.transpose(turn))) for one in pictures]
    assert ours.tolist() == theirs


def test_many_at_once_are_the_same_as_one_by_one():
    pictures = np.stack([np.asarray(one) for one in greys()])
    one_by_one = np.concatenate([phashes(one[None]) for one in pictures])
    np.testing.assert_array_equal(phashes(pictures), one_by_one)


def test_distance_counts_bits():
    one = np.array([0, 2**64 - 1, 0b1011], np.uint64)
    assert distance(one, np.zeros(3, np.uint64)).tolist() == [0, 64, 3]
