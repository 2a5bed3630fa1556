"""A backbone made ready for the phone: batch norm folded, stored weights taken over, dead channels mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from poxlens.errors import ExportError
from poxlens.train.backbones import Backbone, with_constant_padding

DEAD = 1e-5  # largest weight of a channel that says nothing
_TAP = 1e-4  # what a mended channel takes of one pixel: far below a step of its output, far above zero
_ALIKE = 0.05  # relative difference of a weight and the same weight as it is stored

Floats = NDArray[np.float32]


class Channels(nn.Module):
    """A backbone that normalises before it puts channels first.

    So the converter finds padding next to its convolution and merges the two, and no transpose is left in the file.

    Args:
        backbone: padding constant.
    """

    def __init__(self, backbone: Any) -> None:
        super().__init__()
        self.parts = backbone.parts
        for i in range(len(backbone.parts)):
            self.register_buffer(f"mean{i}", getattr(backbone, f"mean{i}").reshape(3))
            self.register_buffer(f"std{i}", getattr(backbone, f"std{i}").reshape(3))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Features [N, h, w, D] of [N, S, S, 3], uint8 or float with values 0-255."""
        values = image.to(torch.float32)
        maps = []
        for i, part in enumerate(self.parts):
            scaled = (values - getattr(self, f"mean{i}")) / getattr(self, f"std{i}")
            maps.append(part(scaled.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))
        return maps[0] if len(maps) == 1 else torch.cat(maps, 3)


def folded(backbone: Backbone, side: int) -> nn.Module:
    """The backbone for images of one side, each batch norm merged into the convolution before it.

    Args:
        backbone: image [N, S, S, 3], 0-255, -> features [N, h, w, D].
        side: S, px.

    Raises:
        ExportError: the network computes something else afterwards, as where a convolution's output is used twice.
    """
    network = Channels(with_constant_padding(backbone, side)).eval().requires_grad_(False)
    probe = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, side, side, 3)).astype(np.float32))
    with torch.no_grad():
        before = backbone(probe)
        for norm, convolution in _followed(network, probe):
            _replace(network, convolution, fuse_conv_bn_eval(_at(network, convolution), _at(network, norm)))
            _replace(network, norm, _rest(_at(network, norm)))
        after = network(probe)
    apart = float((before - after).abs().max() / before.abs().max())
    if not apart < 1e-3:
        raise ExportError(
            f"batch norm cannot be folded into this network: its features then differ by {apart:.2g} of their size"
        )
    return network


def convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    """The convolutions by name, in the network's own order."""
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d)}


def take_stored_weights(network: nn.Module, model: bytes) -> None:
    """Give the convolutions the weights that a bundle stores, for its head learnt from features of exactly those.

    Weights in half precision or eight bits are found by their shape and likeness.

    Args:
        network: of `folded`.
        model: ONNX of the same networks, `poxlens.train.stored`.

    Raises:
        ExportError: a convolution has no counterpart: the model holds other networks or weights.
    """
    stored = _stored_convolutions(model)
    for name, convolution in convolutions(network).items():
        own = convolution.weight.detach().numpy()
        place = _nearest(own, [weight for weight, _ in stored])
        if place is None:
            raise ExportError(
                f"the run's model holds no weights like those of {name}: it is of other networks"
            )
        weight, bias = stored.pop(place)
        with torch.no_grad():
            convolution.weight.copy_(torch.tensor(weight))
            if convolution.bias is not None and bias is not None:
                convolution.bias.copy_(torch.tensor(bias))


def mend_dead_channels(network: nn.Module) -> int:
    """Let channels without weight take a trace of one pixel; how many there were.

    The step of a weight is its channel's largest weight / 127, and the bias is counted in steps of weight times input:
    with a weight of zero it overflows 32 bits, silently.
    """
    mended = 0
    with torch.no_grad():
        for convolution in convolutions(network).values():
            weight = convolution.weight
            dead = weight.abs().amax((1, 2, 3)) < DEAD
            if bool(dead.any()):
                weight[dead] = 0.0
                weight[dead, 0, weight.shape[2] // 2, weight.shape[3] // 2] = _TAP
                mended += int(dead.sum())
    return mended


def _followed(network: nn.Module, probe: torch.Tensor) -> list[tuple[str, str]]:
    """(batch norm, convolution whose output it takes), by name."""
    made: dict[int, tuple[str, torch.Tensor]] = {}  # the tensor is kept, or its id would be given again
    found: list[tuple[str, str]] = []
    hooks = []

    def of_convolution(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            del module, inputs
            made[id(output)] = (name, output)

        return hook

    def of_norm(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any) -> None:
            del module
            if id(inputs[0]) in made:
                found.append((name, made[id(inputs[0])][0]))

        return hook

    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(of_convolution(name)))
        elif isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_pre_hook(of_norm(name)))
    network(probe)
    for hook in hooks:
        hook.remove()
    return found


def _rest(norm: Any) -> nn.Module:
    """What a batch norm does besides: timm's has an activation."""
    return nn.Sequential(norm.drop, norm.act) if hasattr(norm, "act") else nn.Identity()


def _at(network: nn.Module, name: str) -> Any:
    return network.get_submodule(name)


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, module)


def _stored_convolutions(model: bytes) -> list[tuple[Floats, Floats | None]]:
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_from_string(model).graph
    values: dict[str, Floats] = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in graph.node:  # weights are widened by a node of their own
        if node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].astype(np.float32)
        if node.op_type == "DequantizeLinear" and node.input[0] in values:
            steps, scale = values[node.input[0]], values[node.input[1]]
            values[node.output[0]] = steps.astype(np.float32) * scale.reshape(-1, *([1] * (steps.ndim - 1)))
    return [
        (values[node.input[1]], values[node.input[2]] if len(node.input) > 2 else None)
        for node in graph.node
        if node.op_type == "Conv" and node.input[1] in values
    ]


def _nearest(weight: Floats, among: Sequence[Floats]) -> int | None:
    size = float(np.square(weight).sum())
    apart = {
        place: float(np.square(weight - other).sum()) / max(size, 1e-30)
        for place, other in enumerate(among)
        if other.shape == weight.shape
    }
    best = min(apart, key=lambda place: apart[place], default=None)
    return best if best is not None and apart[best] < _ALIKE**2 else None
