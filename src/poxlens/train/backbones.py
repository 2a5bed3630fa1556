"""Frozen backbones: one or several pretrained networks side by side, read as one feature map.

Most networks divide their input by 32, so at 224 px each gives a 7 x 7 map; the maps are joined along
channels. Averaged over the 49 places it is the embedding; kept apart it carries the heat map. What the networks are
is in `poxlens.train.networks`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import WeightsError
from poxlens.files import sha256_file
from poxlens.train.networks.registry import NETWORKS, find_network
from poxlens.train.networks.spec import Network, OwnPooling
from poxlens.train.pins import pin
from poxlens.train.weights import locate_weights, read_tensors

__all__ = ["NETWORKS", "Backbone", "Network", "load_backbone", "with_constant_padding"]


class Backbone(nn.Module):
    """Several networks on the same image, normalisation inside.

    Input: image [N, S, S, 3], uint8 or float with values 0-255, RGB. Output: features [N, h, w, D] float32, the
    channels of each network in the order given.
    """

    def __init__(self, networks: Sequence[Network], modules: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = tuple(networks)
        self.parts = nn.ModuleList(modules)
        for index, network in enumerate(networks):
            for what, values in (("mean", network.mean), ("std", network.std)):
                scaled = torch.tensor(values, dtype=torch.float32).mul(255.0).reshape(1, 3, 1, 1)
                self.register_buffer(f"{what}{index}", scaled)
        self.eval().requires_grad_(False)

    @property
    def own_pooling(self) -> bool:
        """Whether the embedding is something else than the mean of the features over places."""
        return any(isinstance(part, OwnPooling) for part in self.parts)

    @property
    def last_channels(self) -> NDArray[np.bool_]:
        """[D] which channels are of a network's last map, and not of its earlier levels."""
        parts = ((network.channels - network.levels, network.levels) for network in self.networks)
        return np.concatenate([np.arange(last + levels) < last for last, levels in parts])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Features [N, h, w, D] of [N, S, S, 3].

        Raises:
            WeightsError: S does not suit a network, or the networks' maps differ in size.
        """
        planes = self._planes(image)
        maps = [part(self._scaled(planes, index)) for index, part in enumerate(self.parts)]
        return self._joined(maps).permute(0, 2, 3, 1)

    def both(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features [N, h, w, D] and embedding [N, E] of [N, S, S, 3], each network pooled as it is used to.

        Raises:
            WeightsError: S does not suit a network, or the networks' maps differ in size.
        """
        planes = self._planes(image)
        maps, embeddings = [], []
        for index, part in enumerate(self.parts):
            scaled = self._scaled(planes, index)
            if isinstance(part, OwnPooling):
                one, embedding = part.both(scaled)
            else:
                one = part(scaled)
                embedding = one.mean((2, 3))
            maps.append(one)
            embeddings.append(embedding)
        return self._joined(maps).permute(0, 2, 3, 1), torch.cat(embeddings, 1)

    def check_side(self, side: int) -> None:
        """Whether images of this side suit every network.

        Raises:
            WeightsError: one does not take it; says which, and the nearest side.
        """
        for network in self.networks:
            if side < network.least or side % network.multiple:
                steps = max(-(-network.least // network.multiple), round(side / network.multiple))
                best = steps * network.multiple
                raise WeightsError(
                    f"{network.name} takes no images of {side} px: the nearest side is {best} px"
                )

    def _planes(self, image: torch.Tensor) -> torch.Tensor:
        self.check_side(int(image.shape[1]))
        return image.permute(0, 3, 1, 2).to(torch.float32)

    def _scaled(self, planes: torch.Tensor, index: int) -> torch.Tensor:
        scaled: torch.Tensor = (planes - getattr(self, f"mean{index}")) / getattr(self, f"std{index}")
        return scaled

    def _joined(self, maps: list[torch.Tensor]) -> torch.Tensor:
        try:
            return torch.cat(maps, 1)
        except RuntimeError as fault:
            sizes = ", ".join(
                f"{network.name} {tuple(one.shape[2:])}"
                for network, one in zip(self.networks, maps, strict=True)
            )
            raise WeightsError(f"these networks' maps cannot stand side by side: {sizes}") from fault


def with_constant_padding(backbone: nn.Module, side: int) -> nn.Module:
    """What depends on the input's size, as the constant it is for one side: SAME padding, position embeddings.

    timm computes TensorFlow's SAME padding from each input, and transformers fit their positions to it. The graph
    then holds no arithmetic on shapes, and a runtime can merge padding and convolution.
    """
    from timm.layers import Conv2dSame

    sizes: dict[str, tuple[int, int]] = {}

    def remember(name: str) -> Callable[[nn.Module, Any], None]:
        def hook(module: nn.Module, inputs: Any) -> None:
            del module
            sizes[name] = tuple(inputs[0].shape[-2:])

        return hook

    fixed = copy.deepcopy(backbone)
    for module in fixed.modules():
        if isinstance(module, OwnPooling):
            module.settle(side)
    same = {name: module for name, module in fixed.named_modules() if isinstance(module, Conv2dSame)}
    hooks = [module.register_forward_pre_hook(remember(name)) for name, module in same.items()]
    with torch.no_grad():
        fixed(torch.zeros(1, side, side, 3))
    for hook in hooks:
        hook.remove()
    for name, module in same.items():
        parent, _, child = name.rpartition(".")
        setattr(fixed.get_submodule(parent), child, _padded(module, sizes[name]))
    return fixed


def _padded(convolution: Any, size: tuple[int, int]) -> nn.Module:
    pads = []
    for length, kernel, stride in zip(size, convolution.kernel_size, convolution.stride, strict=True):
        whole = max((-(-length // stride) - 1) * stride + kernel - length, 0)
        pads.append((whole // 2, whole - whole // 2))
    plain = nn.Conv2d(
        convolution.in_channels,
        convolution.out_channels,
        convolution.kernel_size,
        convolution.stride,
        groups=convolution.groups,
        bias=convolution.bias is not None,
    )
    plain.load_state_dict(convolution.state_dict())
    return nn.Sequential(nn.ZeroPad2d((*pads[1], *pads[0])), plain)


def load_backbone(
    names: Sequence[str], folders: Sequence[Path] = (), *, cache: Path | None = None
) -> Backbone:
    """The backbone of the named networks with verified pretrained weights.

    Args:
        names: keys of NETWORKS, or `timm:NAME`.
        folders: folders of weights to look in first.
        cache: where downloads are kept; None forbids downloading.

    Raises:
        WeightsError: on an unknown name, or weights that are missing or not the published ones.
    """
    if not names:
        raise WeightsError(f"no network named: choose from {', '.join(NETWORKS)}")
    networks = [find_network(name) for name in names]
    return Backbone(networks, [_loaded(network, folders, cache) for network in networks])


def _loaded(network: Network, folders: Sequence[Path], cache: Path | None) -> nn.Module:
    weights, path = locate_weights((network.weights, *network.alternatives), folders, cache=cache)
    try:
        module = network.build(read_tensors(path))
    except (RuntimeError, KeyError, ValueError) as fault:
        reason = " ".join(str(fault).split())[:300]
        raise WeightsError(f"{path} holds other weights than {network.name}'s: {reason}") from fault
    if weights.check == "first use":  # only now: what could not be used must not be pinned
        pin(weights.file, sha256_file(path), cache)
    return module
