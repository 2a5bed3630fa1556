"""Run by `poxlens.export.litert` with the interpreter that has the LiteRT tools; needs nothing of poxlens.

    python litert_tools.py JOB

JOB is a folder with job.json, exported programs (.pt2), calibration.npy and kept.npz; the .tflite files are written
into it. Its own process and, where need be, its own environment: these tools want other versions than the laboratory.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
logging.disable(logging.WARNING)  # torchao tells at length which GPU kernels it lacks

import ai_edge_litert.schema_py_generated as schema  # noqa: E402
import litert_torch  # noqa: E402
import torch  # noqa: E402
from ai_edge_quantizer import calibrator, qtyping, quantizer  # noqa: E402
from ai_edge_quantizer.utils import qsv_utils, tfl_flatbuffer_utils  # noqa: E402

OPS = qtyping.TFLOperationName
NO_QUANTIZE = "no_quantize"
SMALLEST = 1024  # entries; below it weights stay in 32 bits
SIGNATURE = "serving_default"


class Backbone(torch.nn.Module):
    """Image -> map."""

    def __init__(self, program: Any) -> None:
        super().__init__()
        self.program = program

    def forward(self, image: torch.Tensor) -> Any:
        """As the program."""
        return self.program(image)


class FloatTail(Backbone):
    """Map -> outputs. The class's name stands in the names of its tensors, and the recipes go by it."""


class Graph(torch.nn.Module):
    """Both."""

    def __init__(self, backbone: Any, tail: Any) -> None:
        super().__init__()
        self.backbone = Backbone(backbone)
        self.tail = FloatTail(tail)

    def forward(self, image: torch.Tensor) -> Any:
        """The four outputs by name."""
        return self.tail(self.backbone(image))


TAIL = r"(FloatTail_tail|serving_default_\w+_output)"


def main(folder: Path) -> None:
    """Do the job of a folder."""
    job = json.loads((folder / "job.json").read_text("utf-8"))
    side = job["side"]
    tail = torch.export.load(folder / "tail.pt2").module()
    for name in job["programs"]:  # "plain", and with corrected biases "corrected"
        convert(torch.export.load(folder / f"{name}.pt2").module(), tail, side, folder / f"{name}.tflite")
    images = np.load(folder / "calibration.npy", allow_pickle=False)
    with np.load(folder / "kept.npz", allow_pickle=False) as kept:
        weights = [kept[name] for name in sorted(kept.files)]
    making = {
        "fp32": lambda: (folder / "plain.tflite").read_bytes(),
        "fp16": lambda: casted(folder / "plain.tflite"),
        "w8": lambda: small_weights(folder / "plain.tflite"),
        "dynamic": lambda: dynamic(folder / "plain.tflite"),
        "int8": lambda: static(folder / "corrected.tflite", images, weights),
    }
    for name in job["wanted"]:
        (folder / f"model-{name}.tflite").write_bytes(making[name]())


def convert(backbone: Any, tail: Any, side: int, path: Path) -> None:
    """The float .tflite of a graph."""
    graph = Graph(backbone, tail)
    for part in graph.modules():
        part.training = False  # exported programs refuse eval(); they were exported in it
    image = torch.zeros(1, side, side, 3)
    litert_torch.convert(graph, sample_kwargs={"image": image}).export(str(path))


def casted(path: Path) -> bytes:
    """Large weights in half precision, widened when the file is loaded; the tail as it is."""
    return small_weights(path, pointwise=False)


def small_weights(path: Path, *, pointwise: bool = True) -> bytes:
    """Large weights in half precision, those of pointwise convolutions in eight bits, a scale a channel; widened at the
    load. The same ones as `poxlens.train.stored` takes, so that a run learnt from these very numbers.
    """
    made = quantizer.Quantizer(str(path))
    _halve(made)
    model = tfl_flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    for op in graph.operators:
        if _kind(model, op) not in CONVOLUTIONS:
            continue
        name = f"^{re.escape(_name(graph.tensors[op.outputs[0]]))};$"
        shape = [int(size) for size in graph.tensors[op.inputs[1]].shape]
        if math.prod(shape) < SMALLEST:
            made.update_quantization_recipe(name, OPS.ALL_SUPPORTED, algorithm_key=NO_QUANTIZE)
        elif pointwise and _kind(model, op) == schema.BuiltinOperator.CONV_2D and shape[1:3] == [1, 1]:
            made.add_weight_only_config(name, OPS.CONV_2D, num_bits=8)
    made.update_quantization_recipe(TAIL, OPS.ALL_SUPPORTED, algorithm_key=NO_QUANTIZE)
    return quantized(made)


def _halve(made: Any) -> None:
    config = qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=16, dtype=qtyping.TensorDataType.FLOAT
        ),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    for op in (OPS.CONV_2D, OPS.DEPTHWISE_CONV_2D, OPS.FULLY_CONNECTED):
        made.update_quantization_recipe(".*", op, config, algorithm_key="float_casting")


def dynamic(path: Path) -> bytes:
    """Weights in eight bits, activations rounded as they come; the tail in floats."""
    made = quantizer.Quantizer(str(path))
    made.add_dynamic_config(".*", OPS.ALL_SUPPORTED, num_bits=8)
    made.update_quantization_recipe(TAIL, OPS.ALL_SUPPORTED, algorithm_key=NO_QUANTIZE)
    return quantized(made)


def static(path: Path, images: Any, kept: list[Any]) -> bytes:
    """All in eight bits but the tail, the input, the outputs and the convolutions with these weights."""
    made = quantizer.Quantizer(str(path))
    made.add_static_config(".*", OPS.ALL_SUPPORTED, 8, 8)
    for op in (OPS.INPUT, OPS.OUTPUT):  # float input and output: LiteRT.js takes no other
        made.update_quantization_recipe(".*", op, algorithm_key=NO_QUANTIZE)
    # Names repeat parts of others: only a whole one is meant.
    for pattern in (
        TAIL,
        *(f"^{re.escape(name)};$" for name in [*outputs_of(path, kept), *after_last(path)]),
    ):
        made.update_quantization_recipe(pattern, OPS.ALL_SUPPORTED, algorithm_key=NO_QUANTIZE)
    # Its own calibration keeps a moving average of each image's range, which cuts off what is rare.
    measured = calibrator.Calibrator(
        made._float_model_buffer, num_threads=1, qsv_update_func=qsv_utils.min_max_update
    )
    samples = [{"image": image[None].astype(np.float32)} for image in images]  # they are gone over twice
    measured.calibrate({SIGNATURE: samples}, made._recipe_manager)
    return quantized(made, measured.get_model_qsvs())


def quantized(made: Any, ranges: Any = None) -> bytes:
    """The file of a recipe."""
    return bytes(made.quantize(ranges, enable_progress_report=False).quantized_model)


def outputs_of(path: Path, weights: list[Any]) -> list[str]:
    """Names of the output tensors of what stays in floats: the convolutions with these weights [O, I, h, w], and of one
    that is the first, what stands between the input and it.
    """
    model = tfl_flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    makers = {int(output): op for op in graph.operators for output in op.outputs}
    kernels = []
    for op in graph.operators:
        if _kind(model, op) in CONVOLUTIONS:
            data = tfl_flatbuffer_utils.get_tensor_data(graph.tensors[op.inputs[1]], model.buffers)
            if data is not None:
                kernels.append((op, _direction(data)))
    names = []
    for weight in weights:
        wanted = _direction(weight)
        apart = [
            float(np.abs(data - wanted).max()) if len(data) == len(wanted) else np.inf for _, data in kernels
        ]
        alike = [op for (op, _), distance in zip(kernels, apart, strict=True) if distance < ALIKE]
        if len(alike) != 1:
            raise SystemExit(
                f"{len(alike)} convolutions of the .tflite have the weights of one to be kept in floats"
            )
        before = _up_to_input(makers, alike[0])
        if not any(_kind(model, op) in CONVOLUTIONS for op in before):
            alike += before
        names += [_name(graph.tensors[op.outputs[0]]) for op in alike]
    return names


def after_last(path: Path) -> list[str]:
    """Names of the output tensors of what no convolution follows: joining levels of other ranges in one scale would
    cost the last map most of its steps.
    """
    model = tfl_flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    leading: set[int] = set()  # tensors from which a convolution is reached
    for op in reversed(graph.operators):
        if _kind(model, op) in CONVOLUTIONS or leading.intersection(int(place) for place in op.outputs):
            leading.update(int(place) for place in op.inputs)
    last = [
        op
        for op in graph.operators
        if _kind(model, op) not in CONVOLUTIONS
        and not leading.intersection(int(place) for place in op.outputs)
    ]
    names = [_name(graph.tensors[op.outputs[0]]) for op in last]
    return [name for name in names if not re.search(TAIL, name)]


ALIKE = 1e-5


def _direction(weight: Any) -> Any:
    """Weights in ascending order, of length 1: neither the order of axes, which differs by kind of convolution, nor the
    division of the normalisation, which the converter takes into the first one, changes it.
    """
    flat = np.sort(weight.ravel().astype(np.float64))
    return flat / max(float(np.linalg.norm(flat)), 1e-30)


CONVOLUTIONS = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D)


def _kind(model: Any, op: Any) -> int:
    return int(model.operatorCodes[op.opcodeIndex].builtinCode)


def _up_to_input(makers: dict[int, Any], op: Any) -> list[Any]:
    """Everything that an operator's first input is made by."""
    found, waiting = [], [int(op.inputs[0])]
    while waiting:
        maker = makers.get(waiting.pop())
        if maker is not None and maker not in found:
            found.append(maker)
            waiting += [int(place) for place in maker.inputs if place >= 0]
    return found


def _name(tensor: Any) -> str:
    return str(tensor.name.decode() if isinstance(tensor.name, bytes) else tensor.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
