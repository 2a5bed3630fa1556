"""The graph as ONNX: 32-bit floats, weights in half precision, and eight bits with a tail in floats."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import ExportError
from poxlens.export.folding import convolutions
from poxlens.export.graph import assemble
from poxlens.export.tail import Head
from poxlens.train.novelty import Novelty
from poxlens.train.stored import Stored, add_stored, in_floats

_SMALLEST = 1024  # entries; below it a tensor stays in 32 bits
_MERGED = ("Clip", "Relu")  # activations that ONNX Runtime merges into the convolution before them


def onnx_fp32(
    network: nn.Module, head: Head, novelty: Novelty, side: int, last: tuple[bool, ...] = ()
) -> bytes:
    """Everything in 32-bit floats; image [N, S, S, 3] uint8.

    Args:
        network: of `poxlens.export.folding.folded`.
        head: on the raw embedding.
        novelty: its score.
        side: S, px.
        last: of each channel of the features, whether it is of a last map; (): all are.
    """
    return assemble(Stored(in_floats(network, side), side, (), last), head, novelty)


def onnx_fp16(fp32: bytes) -> bytes:
    """The same with convolutions' weights in half precision; a runtime widens them when it loads the file."""
    return _with_small_weights(fp32, eight_bits=False)


def onnx_w8(fp32: bytes) -> bytes:
    """The same with pointwise weights in eight bits and those of other convolutions in half precision.

    A run whose own weights are stored so (`poxlens.train.stored`) loses nothing: they are on the very steps.
    """
    return _with_small_weights(fp32, eight_bits=True)


def _with_small_weights(fp32: bytes, *, eight_bits: bool) -> bytes:
    import onnx
    from onnx import TensorProto, numpy_helper

    model = onnx.load_from_string(fp32)
    taken = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    for tensor in list(model.graph.initializer):
        if tensor.name not in taken or tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < _SMALLEST:
            continue
        pointwise = values.shape[2:] == (1, 1)
        if not (eight_bits and pointwise) and np.abs(values).max() > np.finfo(np.float16).max:
            raise ExportError(f"weights {tensor.name} go beyond half precision")
        model.graph.initializer.remove(tensor)
        add_stored(model.graph, tensor.name, values, eight_bit=eight_bits and pointwise)
    return bytes(model.SerializeToString(deterministic=True))


def onnx_int8(
    corrected: bytes, network: nn.Module, images: NDArray[np.uint8], kept: Collection[str]
) -> bytes:
    """Static quantisation: signed weights with a scale a channel, unsigned activations, ranges from least to greatest.

    Everything from the last map on stays in floats, and so do the convolutions to be kept and what leads to the first.

    Args:
        corrected: of `onnx_fp32`, with corrected biases.
        network: the same, whose convolutions' names are known.
        images: calibration images [N, S, S, 3] uint8.
        kept: names of convolutions that stay in floats.

    Raises:
        ExportError: ONNX Runtime cannot quantise the graph.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    model = onnx.load_from_string(corrected)
    floats = _named_floats(model, network, kept)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        source, made = Path(folder) / "corrected.onnx", Path(folder) / "int8.onnx"
        source.write_bytes(model.SerializeToString(deterministic=True))
        try:
            quantize_static(
                str(source),
                str(made),
                _Images(images),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                nodes_to_exclude=floats,
            )
        except Exception as fault:  # ONNX Runtime raises kinds of many libraries
            reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0][:300]
            raise ExportError(f"ONNX Runtime cannot quantise this graph: {reason}") from fault
        return _tidied(made.read_bytes())


class _Images:
    """One image after the other, as ONNX Runtime asks for them."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._rest: Iterator[NDArray[np.uint8]] = iter(images)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        """The next, None at the end."""
        image = next(self._rest, None)
        return None if image is None else {"image": image[None]}


def _named_floats(model: Any, network: nn.Module, kept: Collection[str]) -> list[str]:
    """Names for all nodes, and those of the nodes that stay in floats."""
    from onnx import numpy_helper

    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weights = [
        module.weight.detach().numpy() for name, module in convolutions(network).items() if name in kept
    ]
    floats = []
    leading, convolved = (
        _leading(model),
        {o for n in model.graph.node if n.op_type == "Conv" for o in n.output},
    )
    plain = {
        "image",
        *values,
    }  # what no convolution has seen yet: the normalisation needs no eight bits of its own
    for place, node in enumerate(model.graph.node):
        activated = node.op_type in _MERGED and convolved.issuperset(node.input[:1])
        tail = node.op_type != "Conv" and not activated and not leading.intersection(node.output)
        node.name = f"{'tail' if tail else 'backbone'}.{place}.{node.op_type}"
        early = node.op_type != "Conv" and plain.issuperset(filter(None, node.input))
        if early:
            plain.update(node.output)
        weight = values.get(node.input[1]) if node.op_type == "Conv" else None
        if tail or early or (weight is not None and any(_same(weight, other) for other in weights)):
            floats.append(node.name)
    return floats + _stem(model, set(floats))


def _stem(model: Any, floats: Collection[str]) -> list[str]:
    """The first convolution and its activation, where only convolutions in floats read them: ONNX Runtime gives wrong
    results for one in eight bits before a depthwise one in floats (5 dB instead of 22 on EfficientNet-Lite0).
    """
    readers: dict[str, list[Any]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    chain = [node for node in model.graph.node if node.op_type == "Conv"][:1]
    if not chain:
        return []
    following = readers.get(chain[0].output[0], [])
    if len(following) == 1 and following[0].op_type in _MERGED:
        chain.append(following[0])
        following = readers.get(following[0].output[0], [])
    kept = all(node.op_type == "Conv" and node.name in floats for node in following)
    return [node.name for node in chain if kept and node.name not in floats]


def _leading(model: Any) -> set[str]:
    """Tensors from which a convolution is reached; joining levels of other ranges in one scale would cost the last map
    most of its steps, so that what no convolution follows stays in floats.
    """
    found: set[str] = set()
    for node in reversed(model.graph.node):
        if node.op_type == "Conv" or found.intersection(node.output):
            found.update(node.input)
    return found


def _same(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=0, atol=1e-7))


@contextmanager
def _quiet() -> Iterator[None]:
    """ONNX Runtime advises a step of preparation that folding has done already."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)


def _tidied(model: bytes) -> bytes:
    import onnx

    found = onnx.load_from_string(model)
    found.doc_string, found.producer_name, found.producer_version = "", "", ""
    del found.metadata_props[:]
    return bytes(found.SerializeToString(deterministic=True))
