"""torchvision's transformers: their tokens as a map."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from poxlens.train.networks.convolutional import hub, torchvision
from poxlens.train.networks.spec import IMAGENET, Network, OwnPooling, State, grid, load


class VisionTransformer(OwnPooling):
    """torchvision's ViT (Dosovitskiy et al. 2021) at any side that its patches divide.

    The map holds the patches' tokens after the last norm; the embedding is the class token, which the classifier
    reads. Position embeddings of another grid than the trained one are interpolated, as the paper does (section 3.2).
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.network.heads = nn.Identity()

    def both(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps [N, D, h, w] and class token [N, D]."""
        patches = self.network.conv_proj(planes)
        high, wide = (int(side) for side in patches.shape[-2:])
        token = self.network.class_token.expand(planes.shape[0], -1, -1)
        tokens = torch.cat((token, patches.flatten(2).transpose(1, 2)), 1) + self._positions(high, wide)
        encoder = self.network.encoder
        tokens = encoder.ln(encoder.layers(encoder.dropout(tokens)))
        return grid(tokens[:, 1:], high, wide), tokens[:, 0]

    def settle(self, side: int) -> None:
        """Fix the position embeddings for one side, so that a graph holds them as they are."""
        patch = self.network.patch_size
        with torch.no_grad():
            fixed = self._positions(side // patch, side // patch).clone()
        self.network.encoder.pos_embedding = nn.Parameter(fixed, requires_grad=False)

    def _positions(self, high: int, wide: int) -> torch.Tensor:
        positions: torch.Tensor = self.network.encoder.pos_embedding
        trained = round((int(positions.shape[1]) - 1) ** 0.5)
        if (high, wide) == (trained, trained):
            return positions
        planes = grid(positions[:, 1:], trained, trained)
        scaled = functional.interpolate(planes, (high, wide), mode="bicubic", align_corners=True)
        return torch.cat((positions[:, :1], scaled.flatten(2).transpose(1, 2)), 1)


def _vit(state: State | None) -> nn.Module:
    network = torchvision.models.vit_b_16()
    load(network, state, unused=("heads.",))
    return VisionTransformer(network)


def _swin(state: State | None) -> nn.Module:
    network = torchvision.models.swin_b()
    load(network, state, unused=("head.",))
    return swin_maps(network)


def swin_maps(network: Any) -> nn.Module:
    """The Swin Transformer of torchvision (Liu et al. 2021) up to its pooling, which is the mean over places."""
    return nn.Sequential(OrderedDict(features=network.features, norm=network.norm, permute=network.permute))


TRANSFORMERS = (
    Network(
        "vit-b-16",
        768,
        *IMAGENET,
        hub("vit_b_16-c867db91.pth", "c867db91d3e12c6cbadabb610d73c24a546bf82d8c03a9fea34f43a712ddb0e9"),
        _vit,
        "ViT-B/16",
        85_798_656,
        multiple=16,
        layer="network.encoder.ln",
        pooling="token",
    ),
    Network(
        "swin-b",
        1024,
        *IMAGENET,
        hub("swin_b-68c6b09e.pth"),
        _swin,
        "Swin-B",
        86_743_224,
        interpolation="bicubic",
        layer="permute",
    ),
)
