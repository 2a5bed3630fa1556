"""Generator and discriminator of MIM.

The paper's tables S1 and S2 are not public. What it does say is kept: a vanilla autoencoder with a pointwise
convolution in its middle (figure 4) sees the masked image and gives the masked region; a vanilla convolutional network
judges regions, its output being a matrix (eq. 5). Widths are chosen so that 300 epochs of a fold of 176 images fit 45
minutes on two cores; DCGAN's habits otherwise (Radford 2016: strided convolutions, batch norm, leaky ReLU before the
bottleneck and ReLU after it), with a nearest-neighbour step and a convolution instead of transposed ones, which leave a
chessboard (Odena 2016).
"""

from __future__ import annotations

import torch
from torch import nn

WIDTHS = (24, 48, 96, 128)  # channels at 112, 56, 28 and 14 px


class Generator(nn.Module):
    """Masked image [N, 3, 224, 224], 0-1 -> the region under the mask [N, 3, 112, 112], 0-1.

    Args:
        widths: channels after each halving; as many halvings, and one enlargement less.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width in widths:
            layers += [
                nn.Conv2d(before, width, 4, 2, 1, bias=False),
                nn.BatchNorm2d(width),
                nn.LeakyReLU(0.2),
            ]
            before = width
        layers += [nn.Conv2d(before, 2 * before, 1, bias=False), nn.BatchNorm2d(2 * before), nn.ReLU()]
        before *= 2
        for width in reversed(widths[:-1]):
            layers += [
                nn.Conv2d(before, width, 3, 1, 1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
                nn.Upsample(scale_factor=2, mode="nearest"),
            ]
            before = width
        layers += [nn.Conv2d(before, 3, 3, 1, 1), nn.Sigmoid()]
        self.layers = nn.Sequential(*layers)

    def forward(self, masked: torch.Tensor) -> torch.Tensor:
        """The region."""
        found: torch.Tensor = self.layers(masked)
        return found


class Discriminator(nn.Module):
    """Regions [N, 3, 112, 112] -> judgements [N, 1, 14, 14], 1 where real, each of one part of the region.

    Without an activation at the end, as its loss is a squared error (Mao 2017). Images of other sides give other
    numbers of judgements.

    Args:
        widths: channels after each halving.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS[:3]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for place, width in enumerate(widths):
            layers.append(nn.Conv2d(before, width, 4, 2, 1, bias=place == 0))
            layers += [nn.BatchNorm2d(width)] * (place > 0)
            layers.append(nn.LeakyReLU(0.2))
            before = width
        layers.append(nn.Conv2d(before, 1, 3, 1, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, regions: torch.Tensor) -> torch.Tensor:
        """The judgements."""
        found: torch.Tensor = self.layers(regions)
        return found
