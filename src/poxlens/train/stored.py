"""The backbone as it will be stored: ONNX, batch norm folded, weights in half precision or eight bits.

Heads learn from features of these very weights, so what is evaluated is what is shipped. A runtime turns the
weights back into 32-bit floats when it loads the file; nothing is computed in eight bits.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.train.backbones import Backbone, with_constant_padding

FEATURES = "features"  # name of the feature map [N, h, w, D] in every graph
POOLED = "pooled"  # name of the embedding [N, E] in graphs of networks that do not take the mean over places
_SMALLEST = 1024  # entries; below it a tensor stays float32
_LARGEST_ERROR = 0.02  # relative error of a tensor in eight bits that is allowed at all


@dataclass(frozen=True)
class Stored:
    """A stored backbone."""

    model: bytes  # ONNX: image [N, S, S, 3] uint8 -> features [N, h, w, D]
    side: int  # S
    eight_bit: tuple[str, ...]  # weights stored in eight bits
    last: tuple[bool, ...] = ()  # of each channel, whether it is of a last map; (): all are
    own_pooling: bool = False  # the graph gives the embedding too, as it is not the mean of the features


def store_backbone(backbone: Backbone, *, side: int = 224, most_bytes: int = 11_000_000) -> Stored:
    """Write the backbone with half-precision weights, and as many in eight bits as the size asks for.

    Only pointwise convolutions (the bulk of the bytes) go to eight bits, those that lose least first: one
    scale an output channel, symmetric, round to nearest.

    Args:
        backbone: the frozen backbone.
        side: side of the input, px.
        most_bytes: size that the large weights should not exceed; names and small weights add 1-2 %. More where
            too few weights bear eight bits.

    Raises:
        WeightsError: a network takes no images of this side.
    """
    import onnx
    from onnx import numpy_helper

    exported = in_floats(backbone, side)
    model = onnx.load_from_string(exported)
    weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    large = {
        name: values
        for name, values in weights.items()
        if values.dtype == np.float32 and values.ndim >= 2 and values.size >= _SMALLEST
    }
    pointwise = {name: v for name, v in large.items() if v.ndim == 4 and v.shape[2:] == (1, 1)}
    halved = len(exported) - 2 * sum(values.size for values in large.values())
    eight = _eight_bit_names(pointwise, excess=halved - most_bytes)
    for tensor in list(model.graph.initializer):
        if tensor.name in large:
            model.graph.initializer.remove(tensor)
            add_stored(model.graph, tensor.name, large[tensor.name], eight_bit=tensor.name in eight)
    model.doc_string, model.producer_version = "", ""
    del model.opset_import[1:]  # ONNX Runtime lists its own domains, none of which is used
    return Stored(
        model.SerializeToString(deterministic=True),
        side,
        tuple(sorted(eight)),
        tuple(backbone.last_channels.tolist()),
        backbone.own_pooling,
    )


def in_floats(backbone: nn.Module, side: int) -> bytes:
    """ONNX of a backbone with all its weights as 32-bit floats: image [N, S, S, 3] uint8 -> features [N, h, w, D].

    Args:
        backbone: image -> features; a `Backbone`, or one that was changed.
        side: S, px.
    """
    return _simplified(_exported(backbone, side))


class _Both(nn.Module):
    """Features and embedding as the outputs of one graph."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.backbone.both(image)


def _exported(backbone: nn.Module, side: int) -> bytes:
    """The classic exporter: 0.3 s instead of 6 s, and it folds batch norm into convolutions."""
    import warnings

    fixed = with_constant_padding(backbone, side)
    outputs = [FEATURES]
    if isinstance(fixed, Backbone) and fixed.own_pooling:
        fixed, outputs = _Both(fixed), [FEATURES, POOLED]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), _plain_attention():
        warnings.simplefilter("ignore")  # both exporters announce each other's end
        path = Path(folder) / "backbone.onnx"
        torch.onnx.export(
            fixed,
            (torch.zeros(2, side, side, 3, dtype=torch.uint8),),
            str(path),
            dynamo=False,
            input_names=["image"],
            output_names=outputs,
            dynamic_axes={name: {0: "N"} for name in ("image", *outputs)},
            opset_version=17,
        )
        return path.read_bytes()


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention as matrix products: ONNX has no operator for the fused one that torch takes without gradients."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _simplified(model: bytes) -> bytes:
    """Constants folded once here and not at every load, which takes a sixth of its time; standard operators only."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "simplified.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 3
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return path.read_bytes()


def _eight_bit_names(pointwise: dict[str, NDArray[np.float32]], excess: int) -> set[str]:
    error = {name: relative_error(values) for name, values in pointwise.items()}
    chosen: set[str] = set()
    for name in sorted(pointwise, key=lambda name: (error[name], name)):
        if excess <= 0 or error[name] > _LARGEST_ERROR:
            break
        chosen.add(name)
        excess -= pointwise[name].size
    return chosen


def relative_error(values: NDArray[np.float32]) -> float:
    """Root mean square error of eight-bit storage over the root mean square of the values."""
    steps, scale = eight_bits(values)
    error = values - steps.astype(np.float32) * scale.reshape(-1, *([1] * (values.ndim - 1)))
    return float(np.sqrt((error**2).mean() / max(float((values**2).mean()), 1e-30)))


def eight_bits(values: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Steps [C, ...] int8 in -127..127 and scale [C] float32, values ~ steps * scale."""
    flat = np.abs(values).reshape(len(values), -1).max(1)
    scale = np.where(flat > 0, flat / 127, 1.0).astype(np.float32)
    steps = np.round(values / scale.reshape(-1, *([1] * (values.ndim - 1))))
    return np.clip(steps, -127, 127).astype(np.int8), scale


def add_stored(graph: Any, name: str, values: NDArray[np.float32], *, eight_bit: bool) -> None:
    """Add weights to an ONNX graph as they are stored, with the node that widens them to `name`."""
    from onnx import TensorProto, helper, numpy_helper

    if eight_bit:
        steps, scale = eight_bits(values)
        graph.initializer.append(numpy_helper.from_array(steps, f"{name}.steps"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
        node = helper.make_node("DequantizeLinear", [f"{name}.steps", f"{name}.scale"], [name], axis=0)
    else:
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        node = helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT)
    graph.node.insert(0, node)
