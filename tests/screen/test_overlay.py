from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from poxlens.screen.decision import Decision, Outcome
from poxlens.screen.overlay import draw, layer, layer_png, overlay
from poxlens.screen.reasons import reason

LIGHT, DARK, LESION = (235, 200, 180), (70, 45, 35), (170, 50, 45)


def photo(colour):
    return np.full((56, 56, 3), colour, np.uint8)


def spot():
    """A map with one strong cell in the upper left."""
    heat = np.zeros((7, 7), np.float32)
    heat[1, 1] = 4.0
    return heat


def pixels(png):
    image = Image.open(BytesIO(png))
    assert (image.format, image.mode, image.info) == ("PNG", "RGB", {})
    return np.asarray(image, np.float64)


def luminance(colour):
    linear = (np.asarray(colour) / 255.0) ** 2.2
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("skin", [LIGHT, DARK, LESION])
def test_the_contour_shows_on_any_skin(skin):
    """One of its two lines has a contrast of at least 3 : 1 (WCAG 1.4.11) with the skin."""
    drawn = pixels(draw(photo(skin), spot(), side=448)).reshape(-1, 3)
    for line in ((255, 255, 255), (10, 14, 50)):
        assert (drawn == line).all(axis=1).sum() > 80
    contrasts = [
        (max(a, b) + 0.05) / (min(a, b) + 0.05)
        for a, b in ((luminance(skin), luminance(line)) for line in ((255, 255, 255), (10, 14, 50)))
    ]
    assert max(contrasts) >= 3.0


def test_the_spot_is_where_the_map_says():
    drawn = pixels(draw(photo(LESION), spot(), side=448))
    changed = np.abs(drawn - LESION).max(axis=2) > 8
    rows, columns = np.nonzero(changed)
    assert rows.mean() == pytest.approx(1.5 / 7 * 448, abs=6)
    assert columns.mean() == pytest.approx(1.5 / 7 * 448, abs=6)
    assert not changed[224:].any()


def test_a_map_without_evidence_leaves_the_photo_bare():
    for heat in (np.zeros((7, 7), np.float32), np.full((7, 7), 1e-9, np.float32)):
        drawn = pixels(draw(photo(LIGHT), heat, scale=1.0, side=56))
        assert np.abs(drawn - LIGHT).max() <= 1


def test_the_scale_is_that_of_the_strongest_class():
    heatmaps = np.stack([spot(), 10 * spot()])
    decision = Decision(
        Outcome.uncertain,
        (reason("uncertain.between"),),
        heatmap=heatmaps[0],
        heatmaps=heatmaps,
        prepared=photo(LIGHT),
    )
    weak, full = pixels(overlay(decision)), pixels(draw(photo(LIGHT), spot()))
    assert np.abs(weak - LIGHT).max() < 0.5 * np.abs(full - LIGHT).max()
    assert overlay(Decision(Outcome.cannot_assess, (reason("novel.unknown"),))) is None


@pytest.mark.parametrize("side", [224, 448])
def test_an_unstable_map_has_a_warning_below_the_photo(side):
    common = {"heatmap": spot(), "prepared": photo(LIGHT)}
    why = (reason("uncertain.between"),)
    steady = pixels(overlay(Decision(Outcome.uncertain, why, heatmap_stability=0.99, **common), side=side))
    warned = pixels(overlay(Decision(Outcome.uncertain, why, heatmap_stability=-0.2, **common), side=side))
    assert steady.shape == (side, side, 3)
    assert (warned[:side] == steady).all()
    strip = warned[side:]
    dark = strip.sum(axis=2) < 400
    assert strip.shape[0] >= side / 20
    assert (strip[0] == (255, 214, 92)).all()
    columns = np.flatnonzero(dark.any(axis=0))
    assert 0.02 < dark.mean() < 0.4  # letters
    assert 0 < columns[0] < side / 4  # the text fits
    assert side * 3 / 4 < columns[-1] < side - 1


def test_the_layer_is_clear_without_evidence_and_opaque_where_it_is_strong():
    clear = layer(np.zeros((7, 7), np.float32), scale=1.0, side=70)
    assert (clear.shape, clear.dtype, clear[..., 3].max()) == ((70, 70, 4), np.uint8, 0)
    strong = layer(spot(), side=77)  # an odd number of px a cell: one is in its middle
    assert strong[16, 16].tolist() == [255, 250, 170, 255]
    assert strong[40:, 40:, 3].max() == 0
    faint = layer(spot(), side=77, opacity=0.5)
    assert faint[16, 16, 3] == 128
    assert (faint[..., :3] == strong[..., :3]).all()
    image = Image.open(BytesIO(layer_png(spot(), side=77)))
    assert (image.format, image.mode, image.info) == ("PNG", "RGBA", {})
    assert (np.asarray(image) == strong).all()
