"""Thumbnails laid over each other: parts, mirrored or re-toned, agree; other pictures do not."""

import cv2
import numpy as np
import pytest

from poxlens.data.overlap import coarse_structures, overlap, structure
from poxlens.data.phantom import draw, random_spec

SIDE = 48


def thumb(grey):
    return cv2.resize(np.ascontiguousarray(grey), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def compare(one, other):
    first, second = thumb(one), thumb(other)
    small = coarse_structures(np.stack([first, second]))
    return overlap(first, second, small[0], small[1])


@pytest.fixture(scope="module")
def greys():
    specs = [random_spec(seed, size=192, lesion="umbilicated-pustule") for seed in range(8)]
    return [cv2.cvtColor(draw(spec).image, cv2.COLOR_RGB2GRAY) for spec in specs]


@pytest.mark.parametrize(
    ("change", "mirrored", "least"),
    [
        (lambda grey: grey, False, 0.999),
        (lambda grey: grey[:, ::-1], True, 0.999),
        (lambda grey: (grey * 0.8).astype(np.uint8), False, 0.98),
        (lambda grey: grey[20:155, 30:165], False, 0.94),
        (lambda grey: grey[20:155, 30:165][:, ::-1], True, 0.94),
    ],
)
def test_a_copy_agrees(greys, change, mirrored, least):
    found = [compare(grey, change(grey)) for grey in greys]
    assert np.median([one.fine for one in found]) >= least
    sure = [one for one in found if one.fine >= least]
    assert all(one.mirrored == mirrored for one in sure)
    back = [compare(change(grey), grey) for grey in greys]
    assert np.median([one.fine for one in back]) >= least


def test_other_pictures_do_not(greys):
    found = [compare(greys[i], greys[j]).fine for i in range(8) for j in range(i)]
    assert max(found) < 0.9


def test_pictures_without_structure_say_so():
    rng = np.random.default_rng(0)
    flat = [
        np.full((96, 96), level, np.uint8) + rng.integers(0, 2, (96, 96), dtype=np.uint8)
        for level in (90, 91)
    ]
    assert compare(*flat).plain


def test_shading_is_taken_away():
    ramp = np.tile(np.linspace(40, 200, SIDE), (SIDE, 1)).astype(np.uint8)
    inner = structure(ramp, SIDE)[:, 14:-14]
    assert np.abs(inner).max() < 1.5
