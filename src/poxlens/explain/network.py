"""A network with a head as one function that gradients can be taken of, and the layer its maps are read at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from poxlens.errors import PoxlensError
from poxlens.train.backbones import Backbone
from poxlens.train.networks.spec import grid

Reshape = Callable[[torch.Tensor], torch.Tensor]


class ExplanationError(PoxlensError):
    """A network, layer or photo that cannot be explained in the way asked for; names it."""


class Explainable(nn.Module):
    """Planes [N, 3, S, S] float32, RGB 0-255 -> logits [N, C]. Subclasses set both attributes.

    Attributes:
        layer: the submodule at whose output Grad-CAM and its kin read activations and gradients.
        reshape: its output as [N, D, h, w]; None where it already is.
    """

    layer: nn.Module
    reshape: Reshape | None = None


class Classifier(Explainable):
    """A backbone of the registry with any head on its embedding.

    Maps are read where all places still count: after the last map of networks that pool by the mean (several side by
    side as one joined map, Swin's tokens as a grid), and before the last attention of transformers that read a class
    token, as behind it no other token reaches the logits (Chefer et al. 2021 and the grad-cam library do the same).

    Args:
        backbone: one or several networks; several only where each pools by the mean.
        head: embedding [N, E] -> logits [N, C]; None where the backbone gives the logits itself.

    Raises:
        ExplanationError: the networks have no layer that serves.
    """

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        last = torch.from_numpy(backbone.last_channels)
        self._last = None if last.all() else last
        self.joined = nn.Identity()
        self.layer, self.reshape = self._read_at()
        self.eval().requires_grad_(False)

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """Logits [N, C] of [N, 3, S, S]."""
        images = planes.permute(0, 2, 3, 1)
        if self.backbone.own_pooling:
            embedding = self.backbone.both(images)[1]
        else:
            maps = read_at(self.joined, self.backbone(images).permute(0, 3, 1, 2), self._last)
            embedding = maps.mean((2, 3))
        logits: torch.Tensor = self.head(embedding)
        return logits

    def _read_at(self) -> tuple[nn.Module, Reshape | None]:
        if not self.backbone.own_pooling:
            return self.joined, None
        names = ", ".join(network.name for network in self.backbone.networks)
        if len(self.backbone.parts) > 1:
            raise ExplanationError(
                f"{names}: networks side by side can be explained only if all pool by the mean"
            )
        inner: Any = getattr(self.backbone.parts[0], "network", None)
        if self.backbone.networks[0].pooling == "token":
            if hasattr(inner, "encoder"):
                return inner.encoder.layers[-1].ln_1, _tokens(1)
            if hasattr(inner, "blocks"):
                return inner.blocks[-1].norm1, _tokens(int(inner.num_prefix_tokens))
        elif hasattr(self.backbone.parts[0], "last"):
            part: Any = self.backbone.parts[0]
            return part.last, part.as_maps
        raise ExplanationError(f"{names}: no layer is known at which its maps could be read")


def read_at(layer: nn.Module, maps: torch.Tensor, last: torch.Tensor | None) -> torch.Tensor:
    """The maps, those of them that explanations are read at having gone through `layer`.

    Args:
        layer: gives what it is given.
        maps: [N, D, h, w], the last maps with those of earlier levels between them.
        last: [D], true for the last maps; None: all are.
    """
    if last is None:
        read: torch.Tensor = layer(maps)
        return read
    joined = maps.clone()
    joined[:, last] = layer(maps[:, last])
    return joined


def _tokens(prefix: int) -> Reshape:
    """Tokens [N, prefix + h * w, D] of a square image as [N, D, h, w]."""

    def reshape(tokens: torch.Tensor) -> torch.Tensor:
        places = tokens[:, prefix:]
        side = round(places.shape[1] ** 0.5)
        return grid(places, side, side)

    return reshape
