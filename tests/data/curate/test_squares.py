"""The largest clear square, against a search of every square."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poxlens.data.curate.squares import largest_square


def brute(blocked):
    height, width = blocked.shape
    return max(
        (
            side
            for side in range(1, min(height, width) + 1)
            for top in range(height - side + 1)
            for left in range(width - side + 1)
            if not blocked[top : top + side, left : left + side].any()
        ),
        default=0,
    )


@given(st.integers(1, 9), st.integers(1, 9), st.floats(0, 0.6), st.integers(0, 10_000))
def test_no_square_is_larger_and_this_one_is_clear(height, width, share, seed):
    blocked = np.random.default_rng(seed).random((height, width)) < share
    left, top, side = largest_square(blocked)
    assert side == brute(blocked)
    assert not blocked[top : top + side, left : left + side].any()
    assert left >= 0
    assert top >= 0


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (1, 7), (6, 6)])
def test_an_empty_field_gives_the_middle_square(shape):
    left, top, side = largest_square(np.zeros(shape, bool))
    assert side == min(shape)
    assert abs(left - (shape[1] - side) / 2) <= 0.5
    assert abs(top - (shape[0] - side) / 2) <= 0.5


def test_all_blocked_gives_none():
    assert largest_square(np.ones((4, 4), bool)) == (0, 0, 0)


def test_of_two_equal_squares_the_one_in_the_larger_clear_area_is_taken():
    blocked = np.ones((10, 30), bool)
    blocked[2:6, 1:5] = False  # alone
    blocked[2:6, 20:24] = False  # with a strip of clear cells around
    blocked[6:8, 20:24] = True
    blocked[3:5, 24:30] = False
    assert largest_square(blocked) == (20, 2, 4)
