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
from poxlens.train.stored import Stored, in_floats

_SMALLEST = 1024  # entries; below it a tensor stays in 32 bits


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
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_from_string(fp32)
    taken = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    for tensor in list(model.graph.initializer):
        if tensor.name not in taken or tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < _SMALLEST:
            continue
        if np.abs(values).max() > np.finfo(np.float16).max:
            raise ExportError(f"weights {tensor.name} go beyond half precision")
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(
            numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half")
        )
        model.graph.node.insert(
            0, helper.make_node("Cast", [f"{tensor.name}.half"], [tensor.name], to=TensorProto.FLOAT)
        )
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
    floats, tail = [], False
    plain = {
        "image",
        *values,
    }  # what no convolution has seen yet: the normalisation needs no eight bits of its own
    for place, node in enumerate(model.graph.node):
        tail = tail or "embedding" in node.output
        node.name = f"{'tail' if tail else 'backbone'}.{place}.{node.op_type}"
        early = node.op_type != "Conv" and plain.issuperset(filter(None, node.input))
        if early:
            plain.update(node.output)
        weight = values.get(node.input[1]) if node.op_type == "Conv" else None
        if tail or early or (weight is not None and any(_same(weight, other) for other in weights)):
            floats.append(node.name)
    return floats


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
