"""Two random views of each image, made for a whole batch at once: on a processor a sixth of a training step.

A crop is one bilinear sampling. Brightness, contrast, saturation, hue and greying are each a matrix on the three
colours and an offset, so all of them together, in random order, are one product; values are cut to 0-255 once, at the
end. Everything random is drawn on the processor from a seed, so views are the same on every device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from poxlens.train.contrastive.settings import ViewSettings

_GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601
# RGB -> YIQ, in which a change of hue is a rotation of the last two.
_YIQ = torch.tensor([_GREY, (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135)])
_RATIOS = (3 / 4, 4 / 3)  # of a crop's sides


@dataclass(frozen=True, eq=False)
class Draws:
    """What is random in N views."""

    crop: torch.Tensor  # [N, 4]: width and height as shares of the side, centre across and down in -1..1
    mirrored: torch.Tensor  # [N] bool
    factors: torch.Tensor  # [N, 3]: brightness, contrast, saturation
    hue: torch.Tensor  # [N], radians
    order: torch.Tensor  # [N, 4], a permutation of brightness, contrast, saturation, hue
    grey: torch.Tensor  # [N] bool

    def part(self, rows: slice) -> Draws:
        """Those of some views."""
        return Draws(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def draw(count: int, settings: ViewSettings, seed: int) -> Draws:
    """What is random in `count` views; the same for the same seed.

    Args:
        count: N.
        settings: how far it may go.
        seed: 0 to 2^63 - 1.
    """
    source = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.rand(count, *shape, generator=source) * (high - low) + low

    area = uniform(settings.smallest, 1.0)
    ratio = uniform(math.log(_RATIOS[0]), math.log(_RATIOS[1])).exp().sqrt()
    size = torch.stack([area.sqrt() * ratio, area.sqrt() / ratio], 1).clamp(max=1.0)
    centre = uniform(-1.0, 1.0, 2) * (1 - size)
    jittered = torch.rand(count, generator=source) < settings.jitter
    reach = torch.tensor([settings.brightness, settings.contrast, settings.saturation])
    factors = 1 + uniform(-1.0, 1.0, 3) * reach
    hue = uniform(-1.0, 1.0) * settings.hue * 2 * math.pi
    return Draws(
        crop=torch.cat([size, centre], 1),
        mirrored=torch.rand(count, generator=source) < settings.flip,
        factors=torch.where(jittered[:, None], factors, torch.ones(())),
        hue=torch.where(jittered, hue, torch.zeros(())),
        order=torch.rand(count, 4, generator=source).argsort(1),
        grey=torch.rand(count, generator=source) < settings.grey,
    )


def views(images: torch.Tensor, draws: Draws, side: int) -> torch.Tensor:
    """One view of each image, [N, side, side, 3] uint8.

    Args:
        images: [N, S, S, 3] uint8, on any device.
        draws: of N views, on the processor.
        side: px.
    """
    found = recoloured(cropped(images, draws, side), draws)
    out = torch.empty(found.shape[0], side, side, 3, dtype=torch.uint8, device=images.device)
    return out.copy_(found.round_().permute(0, 2, 3, 1))


def cropped(images: torch.Tensor, draws: Draws, side: int) -> torch.Tensor:
    """The crops at a common size, [N, 3, side, side] float, 0-255."""
    planes = images.permute(0, 3, 1, 2).to(torch.float32).contiguous()
    crop = draws.crop.to(images.device)
    centres = (torch.arange(side, device=images.device) * 2 + 1) / side - 1
    turn = torch.where(draws.mirrored, -1.0, 1.0).to(images.device)
    across = centres * (crop[:, 0] * turn)[:, None] + crop[:, 2, None]
    down = centres * crop[:, 1, None] + crop[:, 3, None]
    count = len(crop)
    places = torch.stack(
        [across[:, None, :].expand(count, side, side), down[:, :, None].expand(count, side, side)], 3
    )
    return functional.grid_sample(planes, places, padding_mode="border", align_corners=False)


def recoloured(planes: torch.Tensor, draws: Draws) -> torch.Tensor:
    """The views with their colours changed.

    Args:
        planes: [N, 3, S, S] float, 0-255.
        draws: of N views.
    """
    mean = planes.mean((2, 3)).to("cpu", torch.float32)
    matrix, offset = _colours(draws, mean)
    flat = planes.flatten(2)
    changed = torch.baddbmm(offset.to(planes.device)[:, :, None], matrix.to(planes.device), flat)
    return changed.clamp_(0, 255).reshape(planes.shape)


def _colours(draws: Draws, mean: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """[N, 3, 3] and [N, 3] of all changes one after the other; contrast turns about the mean grey there and then."""
    count = len(mean)
    eye, grey = torch.eye(3).expand(count, 3, 3), torch.tensor(_GREY).expand(3, 3)
    bright, contrast, full = (draws.factors[:, place, None, None] for place in range(3))
    cos, sin = draws.hue.cos(), draws.hue.sin()
    zero, one = torch.zeros(count), torch.ones(count)
    turn = torch.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], 1).reshape(count, 3, 3)
    single = torch.stack(
        [eye * bright, eye * contrast, eye * full + grey * (1 - full), torch.linalg.inv(_YIQ) @ turn @ _YIQ],
        1,
    )
    matrix, offset = eye, torch.zeros(count, 3)
    rows = torch.arange(count)
    for place in range(4):
        which = draws.order[:, place]
        now = (matrix @ mean[:, :, None])[:, :, 0] + offset
        shift = (now @ torch.tensor(_GREY))[:, None] * (1 - draws.factors[:, 1, None])
        chosen = single[rows, which]
        matrix = chosen @ matrix
        offset = (chosen @ offset[:, :, None])[:, :, 0]
        offset = offset + torch.where((which == 1)[:, None], shift, torch.zeros(()))
    flattened = torch.where(draws.grey[:, None, None], grey, eye)
    return flattened @ matrix, (flattened @ offset[:, :, None])[:, :, 0]
