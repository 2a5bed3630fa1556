"""MIM for the runtimes of a bundle: ONNX and LiteRT in 32-bit floats, each held to torch on real and drawn images.

    poxlens novelty STUDY --out RUN --resume --gate mim

writes `gate-mim/` in the run folder: `mim.onnx`, `mim.tflite` where the LiteRT tools are, and `parity.json`.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import ExportError
from poxlens.export.litert import find_tools, litert_forms
from poxlens.files import write_atomically
from poxlens.train.inpainting.graph import Inpaint, Measure, MimGraph

Pixels = NDArray[np.uint8]
LARGEST = 1e-4  # difference of novelty between runtimes
_OUTPUTS = ["novelty", "inpainted"]


def export_mim(generator: nn.Module, images: Pixels, mask: int, folder: Path) -> dict[str, Path]:
    """Write and prove the files; where they are.

    Args:
        generator: trained.
        images: [N, S, S, 3] uint8 to compare runtimes on.
        mask: side of the mask, px.
        folder: where the files go; written when all agree.

    Raises:
        ExportError: a runtime gives another score than torch.
    """
    with torch.inference_mode():
        graph = MimGraph(generator, mask)
        expected = torch.cat([graph(torch.from_numpy(image[None]))[0] for image in images]).numpy()
    side = images.shape[1]
    made = {"mim.onnx": onnx_of(graph, side)}
    told: dict[str, Any] = {"images": len(images), "mim.onnx": {}}
    told["mim.onnx"]["largest difference"] = _compare("ONNX", _by_onnx(made["mim.onnx"], images), expected)
    try:
        python = find_tools()
    except ExportError as missing:
        told["mim.tflite"] = f"not made: {missing}"
    else:
        made["mim.tflite"] = litert_of(generator, mask, side, python)
        found = _by_litert(made["mim.tflite"], images)
        told["mim.tflite"] = {"largest difference": _compare("LiteRT", found, expected)}
    for name, data in made.items():
        write_atomically(folder / name, data)
        told[name]["bytes"] = len(data)
    write_atomically(folder / "parity.json", json.dumps(told, indent=1) + "\n")
    return {name: folder / name for name in [*made, "parity.json"]}


def onnx_of(graph: MimGraph, side: int) -> bytes:
    """ONNX: image [N, S, S, 3] uint8 -> novelty [N], inpainted [N, S, S, 3]."""
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both exporters announce each other's end
        path = Path(name) / "mim.onnx"
        torch.onnx.export(
            graph,
            (torch.zeros(2, side, side, 3, dtype=torch.uint8),),
            str(path),
            dynamo=False,
            input_names=["image"],
            output_names=_OUTPUTS,
            dynamic_axes={name: {0: "N"} for name in ("image", *_OUTPUTS)},
            opset_version=17,
        )
        return path.read_bytes()


def litert_of(generator: nn.Module, mask: int, side: int, python: Path) -> bytes:
    """The .tflite: image [1, S, S, 3] float32 with values 0-255 -> the same outputs.

    Args:
        generator: trained.
        mask: side of the mask, px.
        side: S.
        python: of `find_tools`.

    Raises:
        ExportError: the tools fail.
    """
    inpaint = Inpaint(generator, mask)
    blank = np.zeros((1, side, side, 3), np.uint8)
    tail: Any = Measure()  # the tools take any module as the second half of a graph
    return litert_forms(inpaint, inpaint, tail, blank, (), ("fp32",), python=python)["fp32"]


def _by_onnx(model: bytes, images: Pixels) -> NDArray[np.float32]:
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["novelty"], {"image": image[None]})[0] for image in images])


def _by_litert(model: bytes, images: Pixels) -> NDArray[np.float32]:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    run = interpreter.get_signature_runner()
    return np.concatenate([run(image=image[None].astype(np.float32))["novelty"].ravel() for image in images])


def _compare(name: str, found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    largest = float(np.abs(found - expected).max())
    if not largest <= LARGEST:
        raise ExportError(f"MIM in {name} differs from torch by {largest:.2g}, more than {LARGEST:g}")
    return largest
