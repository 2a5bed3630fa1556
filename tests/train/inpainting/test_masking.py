from __future__ import annotations

import numpy as np
import torch

from poxlens.train.inpainting.masking import MASK, SIDE, anywhere, centre, fill, hide


def test_eq_1_and_2():
    images = torch.rand(2, 3, 20, 20)
    masked, hidden = hide(images, np.array([[3, 5], [12, 0]]), 8)
    mask = torch.zeros(2, 1, 20, 20)
    mask[0, :, 3:11, 5:13] = 1
    mask[1, :, 12:20, 0:8] = 1
    torch.testing.assert_close(masked, images * (1 - mask) + mask)
    torch.testing.assert_close(hidden[1], images[1, :, 12:20, 0:8])


def test_the_images_themselves_stay():
    images = torch.rand(1, 3, 20, 20)
    before = images.clone()
    hide(images, np.array([[0, 0]]), 8)
    torch.testing.assert_close(images, before)


def test_a_quarter_of_the_image_in_the_middle():
    assert centre() == (56, 56)
    assert (MASK / SIDE) ** 2 == 0.25


def test_anywhere_is_everywhere():
    places = anywhere(np.random.default_rng(0), 4000, 20, 8)
    assert places.min() == 0
    assert places.max() == 12
    assert np.abs(places.mean(0) - 6).max() < 0.3


def test_what_was_hidden_filled_in_gives_the_image():
    images = torch.rand(3, 3, 20, 20)
    _, hidden = hide(images, np.full((3, 2), 6), 8)
    torch.testing.assert_close(fill(images, hidden, 6, 6), images)
    white = fill(images, torch.ones_like(hidden), 6, 6)
    assert (white[:, :, 6:14, 6:14] == 1).all()
    torch.testing.assert_close(white[:, :, :6], images[:, :, :6])
