"""Agreement of maps on cases that are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from poxlens.screen.stability import agreement, mirrored, stability

MAPS = arrays(np.float32, (5, 5), elements=st.floats(0, 100, width=32))


@given(MAPS, MAPS)
def test_agreement_is_symmetric_and_bounded(one, other):
    found = agreement(one, other)
    assert -1.0 <= found <= 1.0
    assert found == pytest.approx(agreement(other, one), abs=1e-9)


def test_agreement_is_pearsons_correlation():
    rng = np.random.default_rng(0)
    one, other = rng.random((2, 7, 7))
    assert agreement(one, other) == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1], abs=1e-12)
    assert agreement(one, 3 * one + 2) == pytest.approx(1.0)
    assert agreement(one, -one) == pytest.approx(-1.0)


def test_empty_maps_agree_with_each_other_only():
    empty, spot = np.zeros((7, 7)), np.eye(7)
    assert agreement(empty, empty) == 1.0
    assert agreement(empty, spot) == 0.0
    assert agreement(spot, np.full((7, 7), 3.0)) == 0.0


def test_a_map_that_turns_with_the_photo_is_stable():
    rng = np.random.default_rng(1)
    heat = rng.random((7, 7))
    assert stability(heat, heat[:, ::-1]) == pytest.approx(1.0)
    assert stability(heat, heat) < 0.9
    photos = rng.integers(0, 255, (2, 8, 8, 3), np.uint8)
    assert (mirrored(photos)[1, 3, 0] == photos[1, 3, 7]).all()
    assert (mirrored(mirrored(photos)) == photos).all()
