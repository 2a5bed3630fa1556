"""A tiny bundle with a real ONNX graph, so that tests need no trained weights.

What it gives can be computed by hand. With m the mean colour / 255 of the prepared photo: embedding = m
padded with zeros, logits = bias + gain * m[0] for the target and bias for the others, novelty =
100 * |m - centre|^2, and class k's map is relu(colour[k % 3] of each of 7 x 7 cells).
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from poxlens.bundle.manifest import (
    Calibration,
    ConformalQuantile,
    Evidence,
    Figure,
    Gate,
    Interval,
    Manifest,
    Model,
    OperatingPoint,
)
from poxlens.bundle.pack import pack
from poxlens.bundle.store import Bundle
from poxlens.photo.quality import QualityLimits
from poxlens.photo.resize import InputRule
from poxlens.screen.golden import examples
from poxlens.screen.graph import Graph

CLASSES = ["mpox", "chickenpox", "measles", "hfmd", "acne", "other-rash", "healthy"]
SIZE = 28
CENTRE = np.array([0.7, 0.5, 0.45], np.float32)
DIMENSIONS = 20


def model(bias: Any = None, gain: float = 2.0, centre: Any = CENTRE) -> bytes:
    """The graph as .onnx bytes.

    Args:
        bias: [7] logits of a black photo; None for zeros.
        gain: what full red adds to the target's logit.
        centre: [3] mean colour with novelty 0.
    """
    weights = np.zeros((3, len(CLASSES)), np.float32)
    weights[0, 0] = gain
    spread = np.zeros((3, DIMENSIONS), np.float32)
    spread[[0, 1, 2], [0, 1, 2]] = 1.0
    kernel = np.zeros((len(CLASSES), 3, 1, 1), np.float32)
    for k in range(len(CLASSES)):
        kernel[k, k % 3] = 1.0
    constants = {
        "scale": np.array(255.0, np.float32),
        "axes": np.array([1, 2], np.int64),
        "last": np.array([1], np.int64),
        "weights": weights,
        "bias": np.zeros(len(CLASSES), np.float32) if bias is None else np.asarray(bias, np.float32),
        "spread": spread,
        "kernel": kernel,
        "centre": np.asarray(centre, np.float32),
        "hundred": np.array(100.0, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Cast", ["image"], ["raw"], to=TensorProto.FLOAT),
        node("Div", ["raw", "scale"], ["unit"]),
        node("ReduceMean", ["unit", "axes"], ["mean"], keepdims=0),
        node("Gemm", ["mean", "weights", "bias"], ["logits"]),
        node("MatMul", ["mean", "spread"], ["embedding"]),
        node("Sub", ["mean", "centre"], ["away"]),
        node("Mul", ["away", "away"], ["squared"]),
        node("ReduceSum", ["squared", "last"], ["distance"], keepdims=0),
        node("Mul", ["distance", "hundred"], ["novelty"]),
        node("Transpose", ["unit"], ["planes"], perm=[0, 3, 1, 2]),
        node("AveragePool", ["planes"], ["cells"], kernel_shape=[SIZE // 7] * 2, strides=[SIZE // 7] * 2),
        node("Conv", ["cells", "kernel"], ["mixed"]),
        node("Relu", ["mixed"], ["heatmap"]),
    ]
    n, c = "N", len(CLASSES)
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, [n, SIZE, SIZE, 3])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, [n, c]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [n, DIMENSIONS]),
            helper.make_tensor_value_info("heatmap", TensorProto.FLOAT, [n, c, 7, 7]),
            helper.make_tensor_value_info("novelty", TensorProto.FLOAT, [n]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def png(pixels: np.ndarray) -> bytes:
    """Pixels as PNG bytes."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def patch(seed: int = 0, side: int = 64, colour: tuple[int, int, int] = (190, 140, 120)) -> np.ndarray:
    """A noisy patch of one colour, [side, side, 3] uint8."""
    noise = np.random.default_rng(seed).normal(0.0, 14.0, (side, side, 1))
    return np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)


def manifest(**changes: Any) -> Manifest:
    """A manifest without files and golden outputs; `changes` replace fields."""
    made = Manifest(
        format="poxlens-bundle/1",
        name="tiny",
        version="1.0.0",
        classes=list(CLASSES),
        target="mpox",
        input=InputRule(size=SIZE, max_aspect=1.5),
        models=[Model("onnx", "fp32", "model.onnx", 1e-4)],
        files=[],
        calibration=Calibration("temperature", 1.5, 0.08, 0.03, 400),
        rule_out=OperatingPoint("mpox", 0.1, Interval(0.96, 0.93, 0.98, 200), Interval(0.7, 0.65, 0.75, 400)),
        rule_in=OperatingPoint("mpox", 0.5, Interval(0.8, 0.74, 0.85, 200), Interval(0.96, 0.94, 0.98, 400)),
        conformal_alpha=0.1,
        conformal={name: ConformalQuantile(0.85, 50) for name in CLASSES},
        gate=Gate(novelty_limit=30.0, not_skin_fraction=0.1, quality=QualityLimits(), top_probability=0.6),
        golden=[],
        evidence=Evidence(
            "5 x 5-fold, groups kept together",
            "0" * 64,
            [Figure("AUROC", "all", Interval(0.93, 0.91, 0.95, 400))],
        ),
        licence="CC-BY-NC-4.0",
        intended_use="Tests only.",
        limits=["It knows mean colours and nothing else."],
    )
    return replace(made, **changes)


def files(onnx_bytes: bytes) -> dict[str, bytes]:
    """The files of a bundle around a model."""
    return {
        "model.onnx": onnx_bytes,
        "golden/light.png": png(patch(1, colour=(225, 180, 160))),
        "golden/dark.png": png(patch(2, 90, colour=(96, 64, 50))),
        "MODEL_CARD.md": b"# tiny\n",
    }


def build(folder: Path, *, onnx_bytes: bytes | None = None, **changes: Any) -> Bundle:
    """Pack a tiny bundle into `folder`; `changes` replace fields of the manifest."""
    packed = files(model() if onnx_bytes is None else onnx_bytes)
    plain = manifest(**{key: value for key, value in changes.items() if key != "golden"})
    graph = Graph(packed["model.onnx"], size=SIZE, classes=len(CLASSES))
    photos = {name: data for name, data in packed.items() if name.startswith("golden/")}
    golden = changes.get("golden") or examples(graph, plain.input, photos)
    return pack(folder, replace(plain, golden=golden), packed)
