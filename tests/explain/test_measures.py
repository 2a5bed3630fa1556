"""Figures of single maps on cases that are known by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from poxlens.explain.measures import (
    SHARES,
    SQUARES,
    area_under,
    best_possible,
    curve,
    energy_inside,
    enlarged,
    order_of,
    points_inside,
    rank_agreement,
    stages,
)

SIDE = 56


def mask_of(rows, columns):
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[rows, columns] = 1
    return mask


LEFT = mask_of(slice(None), slice(0, 28))


def test_an_even_map_has_the_lesions_share_of_the_area():
    assert energy_inside(np.ones((7, 7)), mask_of(slice(0, 14), slice(0, 28))) == pytest.approx(
        1 / 8, abs=1e-6
    )


def test_energy_lies_where_the_map_is_strong():
    heat = np.zeros((8, 8), np.float32)
    heat[2:6, 1] = 5.0
    assert energy_inside(heat, LEFT) == pytest.approx(1.0, abs=1e-6)
    assert energy_inside(heat[:, ::-1], LEFT) == pytest.approx(0.0, abs=1e-6)
    assert energy_inside(3 * heat + 3 * heat[:, ::-1], LEFT) == pytest.approx(0.5, abs=1e-6)
    assert np.isnan(energy_inside(np.zeros((7, 7)), LEFT))


def test_a_pixel_that_is_half_lesion_counts_half():
    assert energy_inside(np.ones((7, 7)), np.full((SIDE, SIDE), 0.5)) == pytest.approx(0.5)


def test_the_strongest_point_is_on_the_lesion_or_not():
    heat = np.zeros((7, 7), np.float32)
    heat[3, 1] = 2.0
    heat[3, 5] = 1.9
    assert points_inside(heat, LEFT)
    assert not points_inside(heat[:, ::-1], LEFT)


def test_enlarging_keeps_the_values():
    heat = np.random.default_rng(0).random((7, 7)).astype(np.float32)
    drawn = enlarged(heat, 7 * 15)  # an odd number of px a cell: one is in its middle
    assert np.abs(drawn[7::15, 7::15] - heat).max() < 1e-6
    assert drawn.max() <= heat.max() + 1e-6


def test_no_map_of_that_size_is_closer_than_the_best_possible():
    mask = mask_of(slice(10, 18), slice(30, 40))
    best = best_possible(mask, (7, 7))
    assert best.shape == (7, 7)
    assert best.mean() == pytest.approx(mask.mean(), abs=1e-6)
    reached = energy_inside(best, mask)
    assert mask.mean() * 5 < reached < 1
    assert energy_inside(np.ones((7, 7)), mask) < reached


def test_rank_agreement_is_spearmans():
    rng = np.random.default_rng(0)
    one, other = np.maximum(rng.normal(size=(2, 7, 7)), 0)  # with ties
    assert rank_agreement(one, other) == pytest.approx(spearmanr(one.ravel(), other.ravel())[0], abs=1e-12)
    assert rank_agreement(one, one**3) == pytest.approx(1.0)


def test_squares_are_hidden_in_the_maps_order():
    photo = np.full((SIDE, SIDE, 3), 200, np.uint8)
    without = np.full((SIDE, SIDE, 3), 10, np.uint8)
    heat = np.zeros((14, 14), np.float32)
    heat[5, 9] = 3.0
    order = order_of(heat)
    assert sorted(order) == list(range(SQUARES * SQUARES))
    assert order[0] == 5 * 14 + 9
    hidden = stages(photo, without, order, insert=False)
    shown = stages(photo, without, order, insert=True)
    assert hidden.shape == (len(SHARES), SIDE, SIDE, 3)
    assert (hidden[0] == 200).all()
    assert (hidden[-1] == 10).all()
    assert (hidden[1, 20:24, 36:40] == 10).all()  # the strongest square goes first
    for at, share in enumerate(SHARES):
        count = round(share * 196)
        assert (hidden[at] == 10).all(2).sum() == count * 16
    assert (hidden.astype(int) + shown == 210).all()


def test_curves_of_a_model_that_sees_one_square():
    photo = np.full((SIDE, SIDE, 3), 200, np.uint8)
    without = np.zeros((SIDE, SIDE, 3), np.uint8)
    heat = np.zeros((14, 14), np.float32)
    heat[3, 3] = 1.0

    def sees(images):
        return (images[:, 12:16, 12:16].mean((1, 2, 3)) > 100).astype(float)

    fallen = curve(photo, without, order_of(heat), sees, insert=False)
    risen = curve(photo, without, order_of(heat), sees, insert=True)
    assert fallen.tolist() == [1.0] + [0.0] * 11
    assert risen.tolist() == [0.0] + [1.0] * 11
    assert area_under(fallen) == pytest.approx(0.025)
    assert area_under(risen) == pytest.approx(0.975)
    last = curve(photo, without, order_of(-heat), sees, insert=False)
    assert area_under(last) == pytest.approx(0.95)
