"""Thumbnails laid over each other: parts, mirrored or re-toned, agree; other pictures do not."""

import cv2
import numpy as np
import pytest

from poxlens.data.overlap import coarse_structures, overlaps, structure
from poxlens.data.phantom import draw, random_spec

SIDE = 48


def thumb(grey):
    return cv2.resize(np.ascontiguousarray(grey), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def compare(one, other):
    """Agreement after the fit, whether mirrored, whether too plain to tell."""
    thumbs = np.stack([thumb(one), thumb(other)])
    found = overlaps(thumbs, coarse_structures(thumbs), np.array([[0, 1]]))
    return found.fine[0], bool(found.mirrored[0]), bool(found.plain[0])


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
    assert np.median([fine for fine, _, _ in found]) >= least
    assert all(flipped == mirrored for fine, flipped, _ in found if fine >= least)
    back = [compare(change(grey), grey) for grey in greys]
    assert np.median([fine for fine, _, _ in back]) >= least


def test_other_pictures_do_not(greys):
    found = [compare(greys[i], greys[j])[0] for i in range(8) for j in range(i)]
    assert max(found) < 0.9


def test_pictures_without_structure_say_so():
    rng = np.random.default_rng(0)
    flat = [
        np.full((96, 96), level, np.uint8) + rng.integers(0, 2, (96, 96), dtype=np.uint8)
        for level in (90, 91)
    ]
    assert compare(*flat)[2]


def test_shading_is_taken_away():
    ramp = np.tile(np.linspace(40, 200, SIDE), (SIDE, 1)).astype(np.uint8)
    inner = structure(ramp, SIDE)[:, 14:-14]
    assert np.abs(inner).max() < 1.5


def test_all_at_once_gives_the_structures_of_one_by_one(greys):
    thumbs = np.stack([thumb(grey) for grey in greys])
    one_by_one = np.stack([structure(each, 16) for each in thumbs])
    np.testing.assert_allclose(coarse_structures(thumbs), one_by_one, atol=1e-4)
    odd = thumbs[:, :40, :40]  # 16 px are no whole part of 40
    np.testing.assert_array_equal(
        coarse_structures(odd), np.stack([structure(np.ascontiguousarray(each), 16) for each in odd])
    )


def test_many_pairs_are_judged_as_one(greys):
    thumbs = np.stack([thumb(grey) for grey in greys] + [thumb(greys[0][:, ::-1])])
    small = coarse_structures(thumbs)
    pairs = np.array([(i, j) for i in range(9) for j in range(i)])
    found = overlaps(thumbs, small, pairs)
    for number, pair in enumerate(pairs):
        alone = overlaps(thumbs, small, pair[None])
        assert alone.fine[0] == pytest.approx(found.fine[number], abs=1e-5)
    assert found.mirrored[(pairs == (8, 0)).all(1)] == [True]
    nothing = overlaps(thumbs, small, np.empty((0, 2), np.int64))
    assert len(nothing.fine) == len(nothing.plain) == 0
