"""Darkness from the edge is a gap; darkness inside is a lesion."""

from __future__ import annotations

import numpy as np
import pytest

from poxlens.data.curate.gaps import gaps


@pytest.fixture
def skin():
    return np.full((160, 160, 3), (180, 130, 110), np.uint8)


def test_a_dark_wedge_from_the_edge_is_found_and_nothing_else(skin):
    skin[100:, 60:76] = 15
    found = gaps(skin, (40, 40))
    expected = np.zeros((40, 40), bool)
    expected[25:, 15:19] = True
    assert np.array_equal(found, expected)


def test_a_black_crust_inside_is_left_alone(skin):
    skin[60:100, 60:100] = 15
    assert not gaps(skin, (40, 40)).any()


def test_a_few_places_are_no_gap(skin):
    skin[:4, 20:28] = 15
    assert not gaps(skin, (40, 40)).any()


@pytest.mark.parametrize("tone", [(240, 220, 210), (120, 80, 60), (45, 30, 24)])
def test_it_goes_by_the_skins_own_lightness(tone):
    skin = np.full((160, 160, 3), tone, np.uint8)
    skin[:, :40] = (skin[:, :40] * 0.6).astype(np.uint8)  # its own shadow
    assert not gaps(skin, (40, 40)).any()
    skin[:, :40] = (skin[:, :40] * 0.3).astype(np.uint8)
    assert gaps(skin, (40, 40))[:, :10].all()
