from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from poxlens.train.contrastive.augmenting import Draws, cropped, draw, recoloured, views
from poxlens.train.contrastive.settings import ViewSettings

GREY = torch.tensor((0.299, 0.587, 0.114))


def still(count):
    """What changes nothing."""
    return Draws(
        crop=torch.tensor([[1.0, 1.0, 0.0, 0.0]]).repeat(count, 1),
        mirrored=torch.zeros(count, dtype=torch.bool),
        factors=torch.ones(count, 3),
        hue=torch.zeros(count),
        order=torch.arange(4).repeat(count, 1),
        grey=torch.zeros(count, dtype=torch.bool),
    )


@pytest.fixture(scope="module")
def images(pictures):
    return torch.from_numpy(pictures)


def test_the_whole_image_unchanged_is_itself(images):
    found = views(images, still(20), 40)
    assert found.dtype == torch.uint8
    assert torch.equal(found, images)


def test_a_crop_is_that_part_of_the_image(images):
    # The left upper quarter at its own size: pixels fall on pixels.
    corner = replace(still(20), crop=torch.tensor([[0.5, 0.5, -0.5, -0.5]]).repeat(20, 1))
    planes = cropped(images, corner, 20)
    expected = images[:, :20, :20].permute(0, 3, 1, 2).float()
    torch.testing.assert_close(planes, expected, atol=2e-3, rtol=0)
    # The right half across, all of it down, mirrored.
    half = replace(
        still(20),
        crop=torch.tensor([[0.5, 1.0, 0.5, 0.0]]).repeat(20, 1),
        mirrored=torch.ones(20, dtype=torch.bool),
    )
    found = cropped(images, half, 20)
    right = images[:, :, 20:].permute(0, 3, 1, 2).float().flip(3)
    down = (right[:, :, 0::2] + right[:, :, 1::2]) / 2  # two rows to one
    torch.testing.assert_close(found, down, atol=2e-3, rtol=0)


def test_colours_change_as_the_four_changes_one_after_the_other(images):
    """Against each change by itself, on values that stay within 0-255."""
    planes = 90 + images.permute(0, 3, 1, 2).float() / 6
    source = torch.Generator().manual_seed(3)
    draws = replace(
        still(20),
        factors=0.9 + 0.2 * torch.rand(20, 3, generator=source),
        hue=0.4 * torch.rand(20, generator=source) - 0.2,
        order=torch.rand(20, 4, generator=source).argsort(1),
    )
    found = recoloured(planes, draws)
    for place in range(20):
        image = planes[place]
        bright, contrast, full = draws.factors[place].tolist()
        for change in draws.order[place].tolist():
            luma = (image * GREY[:, None, None]).sum(0)
            if change == 0:
                image = image * bright
            elif change == 1:
                image = image * contrast + luma.mean() * (1 - contrast)
            elif change == 2:
                image = image * full + luma * (1 - full)
            else:
                image = turned(image, float(draws.hue[place]))
        torch.testing.assert_close(found[place], image, atol=2e-2, rtol=0)


def turned(image, angle):
    """Hue turned in YIQ, whose axes are written out here a second time."""
    red, green, blue = image
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    i = 0.595716 * red - 0.274453 * green - 0.321263 * blue
    q = 0.211456 * red - 0.522591 * green + 0.311135 * blue
    i, q = i * math.cos(angle) - q * math.sin(angle), i * math.sin(angle) + q * math.cos(angle)
    return torch.stack([
        y + 0.9563 * i + 0.6210 * q, y - 0.2721 * i - 0.6474 * q, y - 1.1070 * i + 1.7046 * q,
    ])  # fmt: skip


def test_grey_has_no_colour_and_the_same_lightness(images):
    planes = images.permute(0, 3, 1, 2).float()
    found = recoloured(planes, replace(still(20), grey=torch.ones(20, dtype=torch.bool)))
    torch.testing.assert_close(found[:, 0], (planes * GREY[:, None, None]).sum(1), atol=1e-2, rtol=0)
    assert (found.max(1).values - found.min(1).values).max() < 1e-3


def test_draws_stay_within_their_limits_and_follow_the_seed():
    settings = ViewSettings(smallest=0.3, jitter=0.75, grey=0.2)
    draws = draw(8000, settings, 5)
    size, centre = draws.crop[:, :2], draws.crop[:, 2:]
    area = size[:, 0] * size[:, 1]
    whole = (size < 1).all(1)  # those cut at the border are smaller
    assert area[whole].min() >= 0.3 * 0.999
    assert area.max() <= 1
    ratio = size[whole, 0] / size[whole, 1]
    assert ratio.min() >= 0.7499
    assert ratio.max() <= 1.3334
    assert (centre.abs() <= 1 - size + 1e-6).all()  # inside the image
    assert draws.factors.min() >= 0.6
    assert draws.factors.max() <= 1.4
    assert draws.hue.abs().max() <= 0.1 * 2 * math.pi
    # Binomial with n = 8000: four standard deviations are at most 0.0224.
    for share, expected in ((draws.mirrored, 0.5), (draws.grey, 0.2), (draws.hue != 0, 0.75)):
        assert float(share.float().mean()) == pytest.approx(expected, abs=0.0224)
    again, other = draw(8000, settings, 5), draw(8000, settings, 6)
    assert torch.equal(again.crop, draws.crop)
    assert not torch.equal(other.crop, draws.crop)
    assert np.array_equal(np.sort(draws.order.numpy(), 1), np.tile(np.arange(4), (8000, 1)))
    assert torch.equal(draws.part(slice(3, 7)).factors, draws.factors[3:7])
