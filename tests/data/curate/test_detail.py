"""Fine detail: all of noise, none of an enlarged picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from poxlens.data.curate.detail import fine_detail


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (120, 120)).astype(np.uint8)[..., None].repeat(3, 2)


def test_halving_takes_nearly_all_of_white_noise(noise):
    # Averaging 2 x 2 keeps half of the contrast of white noise; the interpolation keeps a little less.
    assert fine_detail(noise) == pytest.approx(np.sqrt(1 - 0.25), abs=0.08)


@pytest.mark.parametrize(("factor", "most"), [(4, 0.15), (8, 0.03)])
def test_an_enlarged_picture_has_next_to_none(noise, factor, most):
    side = 120 // factor
    small = Image.fromarray(noise[:side, :side])
    assert fine_detail(np.asarray(small.resize((120, 120), Image.Resampling.BICUBIC))) < most


def test_one_colour_has_none():
    assert fine_detail(np.full((50, 60, 3), 90, np.uint8)) == 0.0
