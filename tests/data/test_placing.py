"""Small pictures are placed in each other as OpenCV's template matching does it."""

import cv2
import numpy as np
import pytest

from poxlens.data.placing import SIDE, SIZES, place


def by_opencv(first, second):
    """The best score of all sizes, places, directions and mirrors, one call after the other."""
    best = -2.0
    for whole, part in ((first, second), (second, first)):
        for size in SIZES:
            side = round(SIDE * size)
            mark = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
            field = cv2.copyMakeBorder(whole, 2, 2, 2, 2, cv2.BORDER_REFLECT) if side == SIDE else whole
            for each in (mark, cv2.flip(mark, 1)):
                if not (whole is second and side == SIDE):
                    best = max(best, float(cv2.matchTemplate(field, each, cv2.TM_CCOEFF_NORMED).max()))
    return best


def smooth(rng, count):
    noise = rng.normal(0, 20, (count, SIDE, SIDE)).astype(np.float32)
    return np.stack([cv2.GaussianBlur(each, (0, 0), 1.2) for each in noise])


def test_scores_are_those_of_template_matching():
    pictures = smooth(np.random.default_rng(0), 30)
    pairs = np.array([(i, j) for i in range(30) for j in range(i)])  # 435: more than are worked on at once
    found = place(pictures, pairs)
    expected = [by_opencv(pictures[one], pictures[other]) for one, other in pairs]
    np.testing.assert_allclose(found.score, expected, atol=2e-5)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_part_is_found_where_it_was_cut_out(mirrored, swapped):
    large = smooth(np.random.default_rng(1), 1)[0]
    left, top, side = 3, 1, 12
    part = cv2.resize(
        large[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR
    )
    pictures = np.stack([large, part[:, ::-1] if mirrored else part])
    found = place(pictures, np.array([[1, 0] if swapped else [0, 1]]))
    assert found.score[0] > 0.95
    assert (found.swapped[0], found.mirrored[0]) == (swapped, mirrored)
    assert found.size[0] == pytest.approx(0.75)
    assert (found.left[0], found.top[0]) == (left / SIDE, top / SIDE)


def test_a_picture_moved_a_little_is_found_at_its_place():
    noise = np.random.default_rng(2).normal(0, 20, (20, 20)).astype(np.float32)
    large = cv2.GaussianBlur(noise, (0, 0), 1.2)
    pictures = np.stack([large[2:18, 2:18], large[1:17, 4:20]])
    found = place(pictures, np.array([[0, 1], [0, 0]]))
    assert (found.left[0] * SIDE, found.top[0] * SIDE) == (2, -1)
    assert found.score[1] == pytest.approx(1, abs=1e-5)
    assert (found.left[1], found.top[1], found.size[1]) == (0, 0, 1)


def test_nothing_to_correlate_scores_nothing():
    pictures = np.zeros((2, SIDE, SIDE), np.float32)
    pictures[1] = smooth(np.random.default_rng(3), 1)[0]
    assert place(pictures, np.array([[0, 1]])).score[0] == 0
    assert len(place(pictures, np.empty((0, 2), np.int64)).score) == 0
