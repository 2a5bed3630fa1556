"""The paper's augmentations on batches."""

from __future__ import annotations

import pytest
import torch

from poxlens.train.supervised import augmenting
from poxlens.train.supervised.augmenting import KINDS, augment


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def photos():
    """[12, 3, 32, 32] uint8, smooth enough for a blur to keep its mean."""
    line = torch.arange(32)
    base = (line[:, None] * 3 + line[None] * 4)[None, None] % 256
    return (
        (base + torch.arange(12)[:, None, None, None] * 2).expand(12, 3, 32, 32).clamp(0, 255).to(torch.uint8)
    )


def test_the_list_is_the_paper_s():
    assert KINDS == ("noise", "crop", "affine", "cutout", "mirror", "upend", "gamma", "blur")
    assert set(augmenting._MATRICES) | set(augmenting._CHANGES) == set(KINDS)


def test_a_seed_decides_everything(photos):
    one, other = augment(photos, 0.5, seeded(1)), augment(photos, 0.5, seeded(1))
    assert torch.equal(one, other)
    assert not torch.equal(one, augment(photos, 0.5, seeded(2)))
    assert one.dtype == torch.float32
    assert one.shape == photos.shape
    assert 0 <= float(one.min()) <= float(one.max()) <= 255


def test_without_probability_nothing_changes(photos):
    assert torch.equal(augment(photos, 0.0, seeded()), photos.float())


def test_about_the_asked_share_is_left_alone(photos):
    """Eight kinds at 0.1 each leave 0.9 ** 8 = 0.43 of the images as they are."""
    many = photos[:1].expand(400, 3, 32, 32)
    changed = (augment(many, 0.1, seeded()) - many.float()).abs().amax((1, 2, 3)) > 0
    assert 0.50 <= float(changed.float().mean()) <= 0.64


@pytest.mark.parametrize(("name", "axis"), [("mirror", 3), ("upend", 2)])
def test_flips_are_exact(photos, name, axis):
    chosen = torch.tensor([True, False] * 6)
    moved = augmenting._moved(photos.float(), [(name, chosen)], seeded())
    assert torch.allclose(moved[::2], photos[::2].float().flip(axis), atol=1e-2)
    assert torch.allclose(moved[1::2], photos[1::2].float(), atol=1e-2)


def test_two_flips_are_a_half_turn(photos):
    every = torch.ones(12, dtype=torch.bool)
    moved = augmenting._moved(photos.float(), [("mirror", every), ("upend", every)], seeded())
    assert torch.allclose(moved, photos.float().flip((2, 3)), atol=1e-2)


def test_a_crop_stays_inside_the_picture(photos):
    """A crop of a picture with one bright frame pixel never shows what lies outside: its range is the picture's."""
    ramp = torch.arange(32.0).expand(50, 3, 32, 32)
    moved = augmenting._moved(ramp, [("crop", torch.ones(50, dtype=torch.bool))], seeded())
    spread = moved.amax((1, 2, 3)) - moved.amin((1, 2, 3))
    assert float(spread.min()) >= 0.55 * 31
    assert float(spread.max()) <= 31
    assert float(spread.min()) < 0.75 * 31


def test_gamma_keeps_black_and_white_and_blur_keeps_the_mean(photos):
    ends = torch.tensor([0.0, 255.0])[:, None, None, None].expand(2, 3, 8, 8)
    assert torch.allclose(augmenting._gamma(ends, seeded()), ends)
    flat = torch.full((4, 3, 32, 32), 90.0)
    assert torch.allclose(augmenting._blur(flat, seeded()), flat, atol=1e-3)
    edge = torch.zeros(1, 3, 32, 32)
    edge[..., 16:] = 200
    blurred = augmenting._blur(edge, seeded())
    assert 0 < float(blurred[0, 0, 16, 15]) < 100 < float(blurred[0, 0, 16, 16]) < 200


def test_cutout_hides_one_grey_square():
    white = torch.full((30, 3, 32, 32), 255.0)
    hidden = augmenting._cutout(white, seeded()) == 127.5
    share = hidden[:, 0].float().mean((1, 2))
    assert float(share.max()) <= 0.36**2
    assert float(share.max()) > 0.05
    rows = hidden[0, 0].any(1)
    assert bool((hidden[0, 0] == (rows[:, None] & hidden[0, 0].any(0)[None])).all())


def test_noise_has_the_asked_strength():
    grey = torch.full((200, 3, 16, 16), 127.0)
    strength = (augmenting._noise(grey, seeded()) - grey).std((1, 2, 3))
    assert float(strength.max()) <= 1.1 * 255 * 0.05
    assert float(strength.mean()) == pytest.approx(255 * 0.025, rel=0.1)
