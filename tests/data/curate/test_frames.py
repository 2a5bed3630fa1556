"""Strips of one colour along the edge."""

from __future__ import annotations

import numpy as np
import pytest

from poxlens.data.curate.frames import frame


@pytest.fixture
def noisy():
    return np.random.default_rng(3).integers(60, 200, (200, 300, 3)).astype(np.uint8)


def test_a_photo_has_no_frame(noisy):
    assert frame(noisy) == (0, 0, 0, 0)


@pytest.mark.parametrize("colour", [0, 255, 97])
def test_each_side_is_measured_with_the_line_that_mixes(noisy, colour):
    noisy[:, :10] = colour
    noisy[:20, 10:] = colour  # reaches the right edge: only the part of one colour all along counts
    noisy[-30:] = colour
    assert frame(noisy)[0] == 11
    assert frame(noisy)[3] == 31


def test_one_or_two_lines_are_no_frame(noisy):
    noisy[:2] = 0
    assert frame(noisy) == (0, 0, 0, 0)


def test_a_smooth_wall_that_darkens_by_and_by_is_no_frame():
    wall = np.repeat(np.linspace(60, 180, 300)[None, :, None], 200, axis=0).repeat(3, axis=2).astype(np.uint8)
    assert frame(wall) == (0, 0, 0, 0)


def test_an_image_of_one_colour_is_not_all_frame():
    left, top, right, bottom = frame(np.full((200, 300, 3), 50, np.uint8))
    assert left + right < 300
    assert top + bottom < 200
