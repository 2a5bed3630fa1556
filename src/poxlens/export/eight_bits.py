"""Eight bits for a network without training: correct what rounding shifts, find what does not bear it.

Signed weights with one scale an output channel, activations with one range a tensor, as LiteRT and ONNX Runtime compute
(Jacob 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference"). The mean
error that rounding a channel's weights brings is taken off its bias (Nagel 2019, "Data-free quantization through
weight equalization and bias correction", section 4.2, with the inputs' means measured).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.export.calibration import Seen
from poxlens.export.folding import convolutions

WANTED = 22.0  # dB, signal over noise of the features that the layers in eight bits must leave together
MOST_WORK = 0.25  # share of the multiplications that may stay in floats, or eight bits would gain nothing
_IMAGES = 16  # that the noise of single layers is measured on
_ALONE = 0.02  # of the noise allowed: a layer that brings less is not worth two conversions


@dataclass(frozen=True)
class Layer:
    """How one convolution bears eight bits."""

    name: str
    noise: float  # dB, signal over noise of the features with this layer alone in eight bits
    work: float  # share of the network's multiplications
    kept: bool  # in floats

    @property
    def reason(self) -> str:
        """Why it is where it is, for the card."""
        return f"alone in eight bits it leaves {self.noise:.1f} dB of signal over noise"


@dataclass(frozen=True)
class Sensitivity:
    """Which layers stay in floats, and what the others then do together."""

    layers: tuple[Layer, ...]  # in the network's order
    all_eight: float  # dB with every convolution in eight bits, biases corrected
    mixed: float  # dB with the kept ones in floats

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the layers in floats."""
        return tuple(layer.name for layer in self.layers if layer.kept)


def rounded(weight: torch.Tensor) -> torch.Tensor:
    """Weights [O, I, h, w] as eight bits hold them: one scale an output channel, -127 to 127."""
    scale = weight.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-30) / 127
    return (weight / scale).round().clamp(-127, 127) * scale


def correct_biases(network: nn.Module, seen: Mapping[str, Seen], names: Collection[str]) -> None:
    """Take off the bias of each named convolution what rounding its weights adds on average.

    Only of those that will be in eight bits: a layer in floats has no error to take off.

    Args:
        network: of `folded`; changed in place.
        seen: of `observe`.
        names: the convolutions in eight bits.
    """
    with torch.no_grad():
        for name, convolution in convolutions(network).items():
            if name in names and convolution.bias is not None:
                convolution.bias -= _shift(convolution, seen[name])


def find_float_layers(
    network: nn.Module,
    seen: Mapping[str, Seen],
    images: NDArray[np.uint8],
    *,
    wanted: float = WANTED,
    advance: Callable[[int], None] | None = None,
) -> Sensitivity:
    """Each convolution alone in eight bits, then as few in floats as leave the wanted signal over noise.

    Noise powers of single layers add up nearly, so the noisiest go first until the rest together are quiet enough, or a
    quarter of the multiplications are in floats.

    Args:
        network: of `folded`, its own biases.
        seen: of `observe`.
        images: calibration images [N, S, S, 3]; the noise is measured on up to 16 of them, evenly spread.
        wanted: dB.
        advance: called with 1 after each layer.
    """
    sample = images[:: max(1, len(images) // _IMAGES)][:_IMAGES]
    planes = torch.from_numpy(sample.astype(np.float32))
    names = list(convolutions(network))
    with torch.no_grad():
        clean = network(planes)
        noise: dict[str, float] = {}
        for name in names:
            noise[name] = _noise(network, planes, clean, seen, [name])
            if advance:
                advance(1)
        kept = _kept(noise, {name: seen[name].work for name in names}, 10 ** (-wanted / 10))
        everything = _noise(network, planes, clean, seen, names)
        mixed = _noise(network, planes, clean, seen, [name for name in names if name not in kept])
    whole = sum(seen[name].work for name in names)
    layers = tuple(
        Layer(name, _decibel(noise[name]), seen[name].work / whole, name in kept) for name in names
    )
    return Sensitivity(layers, _decibel(everything), _decibel(mixed))


def _kept(noise: Mapping[str, float], work: Mapping[str, int], allowed: float) -> set[str]:
    kept: set[str] = set()
    rest, spent, whole = sum(noise.values()), 0, sum(work.values())
    for name in sorted(noise, key=lambda name: (-noise[name], name)):
        if rest <= allowed or noise[name] < _ALONE * allowed:
            break
        if spent + work[name] > MOST_WORK * whole:
            continue
        kept.add(name)
        rest -= noise[name]
        spent += work[name]
    return kept


def _noise(
    network: nn.Module,
    planes: torch.Tensor,
    clean: torch.Tensor,
    seen: Mapping[str, Seen],
    names: Collection[str],
) -> float:
    """Power of the error of the features over that of the features, some convolutions in eight bits."""
    with _simulated(network, seen, names):
        found = network(planes)
    return float(((found - clean).double() ** 2).sum() / (clean.double() ** 2).sum())


@contextmanager
def _simulated(network: nn.Module, seen: Mapping[str, Seen], names: Collection[str]) -> Iterator[None]:
    """The named convolutions with rounded weights and inputs and corrected biases, for as long as this lasts."""
    found = {name: module for name, module in convolutions(network).items() if name in names}
    before = {name: copy.deepcopy(module.state_dict()) for name, module in found.items()}
    hooks = []
    try:
        for name, module in found.items():
            if module.bias is not None:
                module.bias -= _shift(module, seen[name])
            module.weight.copy_(rounded(module.weight))
            hooks.append(module.register_forward_pre_hook(_rounding(seen[name])))
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for name, module in found.items():
            module.load_state_dict(before[name])


def _rounding(seen: Seen) -> Any:
    low, high = min(seen.low, 0.0), max(seen.high, 0.0)  # zero must be a step of its own: it pads
    scale = max(high - low, 1e-12) / 255
    zero = round(-low / scale)

    def hook(module: nn.Module, inputs: Any) -> tuple[torch.Tensor]:
        del module
        return ((((inputs[0] / scale).round() + zero).clamp(0, 255) - zero) * scale,)

    return hook


def _shift(convolution: nn.Conv2d, seen: Seen) -> torch.Tensor:
    """[O] what rounding the weights adds to each output on average: sum of weight errors times the inputs' means."""
    error = (rounded(convolution.weight) - convolution.weight).sum((2, 3)).double()  # [O, I / groups]
    mean = torch.from_numpy(seen.mean).reshape(convolution.groups, -1)  # [groups, I / groups]
    share = error.reshape(convolution.groups, -1, error.shape[1])
    return torch.einsum("goi,gi->go", share, mean).reshape(-1).float()


def _decibel(noise: float) -> float:
    return -10 * math.log10(max(noise, 1e-20))  # 200 dB stand for no noise at all
