"""The ONNX operators of the bundles' graphs in torch, by ONNX' own definitions (opset 17), all in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from poxlens.explain.network import ExplanationError

Inputs = list[Any]  # tensors; None where an optional input is left out
Attributes = dict[str, Any]


def apply(kind: str, inputs: Inputs, attributes: Attributes) -> torch.Tensor:
    """What the operator gives.

    Args:
        kind: one of KNOWN.
        inputs: tensors in ONNX' order, None for one that is left out.
        attributes: by name.
    """
    found: torch.Tensor = _PLAIN[kind](inputs) if kind in _PLAIN else _SHAPED[kind](inputs, attributes)
    return found


def _convolution(x: Inputs, a: Attributes) -> torch.Tensor:
    top, left, bottom, right = a.get("pads", (0, 0, 0, 0))
    padded = functional.pad(x[0], (left, right, top, bottom))
    bias = x[2] if len(x) > 2 else None
    strides, dilations = tuple(a.get("strides", (1, 1))), tuple(a.get("dilations", (1, 1)))
    return functional.conv2d(padded, x[1], bias, strides, 0, dilations, a.get("group", 1))


def _averaged(x: Inputs, a: Attributes) -> torch.Tensor:
    top, left, bottom, right = a.get("pads", (0, 0, 0, 0))
    if any((top, left, bottom, right)) and not a.get("count_include_pad"):
        raise ExplanationError(
            "the bundle's model averages without its padding, of which no gradient is known here"
        )
    size = tuple(a["kernel_shape"])
    return functional.avg_pool2d(
        functional.pad(x[0], (left, right, top, bottom)), size, tuple(a.get("strides", (1, 1)))
    )


def _product(x: Inputs, a: Attributes) -> torch.Tensor:
    left, right = x[0].T if a.get("transA") else x[0], x[1].T if a.get("transB") else x[1]
    product: torch.Tensor = a.get("alpha", 1.0) * (left @ right)
    return product + a.get("beta", 1.0) * x[2] if len(x) > 2 else product


def _reduced(x: Inputs, a: Attributes, how: Callable[..., torch.Tensor]) -> torch.Tensor:
    axes = tuple(a["axes"]) if "axes" in a else tuple(x[1].tolist())
    return how(x[0], axes, keepdim=bool(a.get("keepdims", 1)))


def _clipped(x: Inputs) -> torch.Tensor:
    low, high = [*x[1:], None, None][:2]
    return torch.clamp(x[0], None if low is None else float(low), None if high is None else float(high))


def _by_channel(values: torch.Tensor, like: torch.Tensor, axis: int) -> torch.Tensor:
    if values.numel() == 1:
        return values.reshape(())
    shape = [1] * like.ndim
    shape[axis] = -1
    return values.reshape(shape)


def _dequantised(x: Inputs, a: Attributes) -> torch.Tensor:
    axis, steps = a.get("axis", 1), x[0].to(torch.float32)
    if len(x) > 2 and x[2] is not None:
        steps = steps - _by_channel(x[2].to(torch.float32), steps, axis)
    found: torch.Tensor = steps * _by_channel(x[1], steps, axis)
    return found


def _quantised(x: Inputs, a: Attributes) -> torch.Tensor:
    """Steps, rounded in value and not in gradient (straight through, Bengio et al. 2013)."""
    axis, has_zero = a.get("axis", 1), len(x) > 2 and x[2] is not None
    zero = _by_channel(x[2].to(torch.float32), x[0], axis) if has_zero else torch.zeros(())
    signed = has_zero and x[2].dtype == torch.int8
    exact = x[0] / _by_channel(x[1], x[0], axis) + zero
    bounded: torch.Tensor = exact.clamp(*((-128.0, 127.0) if signed else (0.0, 255.0)))
    return bounded + (bounded.round() - bounded).detach()


def _reshaped(x: Inputs) -> torch.Tensor:
    # 0 keeps a side as it is
    sides = [int(side) if side else x[0].shape[at] for at, side in enumerate(x[1].tolist())]
    found: torch.Tensor = x[0].reshape(sides)
    return found


def _unsqueezed(x: Inputs) -> torch.Tensor:
    value: torch.Tensor = x[0]
    for axis in sorted(x[1].tolist()):
        value = value.unsqueeze(axis)
    return value


_PLAIN: dict[str, Callable[[Inputs], Any]] = {
    "Add": lambda x: x[0] + x[1],
    "Cast": lambda x: x[0].to(torch.float32),  # the image comes as float with whole values
    "Clip": _clipped,
    "Div": lambda x: x[0] / x[1],
    "GlobalAveragePool": lambda x: x[0].mean((2, 3), keepdim=True),
    "Greater": lambda x: (x[0] > x[1]).to(torch.float32),
    "HardSwish": lambda x: functional.hardswish(x[0]),
    "Identity": lambda x: x[0],
    "MatMul": lambda x: x[0] @ x[1],
    "Max": lambda x: torch.maximum(x[0], x[1]),
    "Mul": lambda x: x[0] * x[1],
    "Relu": lambda x: functional.relu(x[0]),
    "Reshape": _reshaped,
    "Sigmoid": lambda x: torch.sigmoid(x[0]),
    "Sqrt": lambda x: torch.sqrt(x[0]),
    "Sub": lambda x: x[0] - x[1],
    "Unsqueeze": _unsqueezed,
}
_SHAPED: dict[str, Callable[[Inputs, Attributes], Any]] = {
    "AveragePool": _averaged,
    "Concat": lambda x, a: torch.cat(x, a["axis"]),
    "Conv": _convolution,
    "DequantizeLinear": _dequantised,
    "Gemm": _product,
    "HardSigmoid": lambda x, a: (a.get("alpha", 0.2) * x[0] + a.get("beta", 0.5)).clamp(0, 1),
    "QuantizeLinear": _quantised,
    "ReduceMax": lambda x, a: _reduced(x, a, torch.amax),
    "ReduceMean": lambda x, a: _reduced(x, a, torch.mean),
    "ReduceMin": lambda x, a: _reduced(x, a, torch.amin),
    "ReduceSum": lambda x, a: _reduced(x, a, torch.sum),
    "ReduceSumSquare": lambda x, a: _reduced([x[0] * x[0], *x[1:]], a, torch.sum),
    "Transpose": lambda x, a: x[0].permute(*a["perm"]),
}
KNOWN = frozenset(_PLAIN) | frozenset(_SHAPED)
"""Kinds of operators that `apply` knows."""
