"""The graph as LiteRT .tflite files: made by a process of its own, in an environment of its own where need be.

The tools (litert-torch, ai-edge-quantizer) pin packages that the laboratory needs newer: xdsl 0.28 wants
typing-extensions below 4.13, pydantic 2.14 wants 4.14. So a small script runs under the interpreter that has them,
and is given exported programs, calibration images and weights as files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import ExportError
from poxlens.export.folding import convolutions
from poxlens.export.tail import FloatTail

VARIABLE = "POXLENS_LITERT_PYTHON"
PRECISIONS = ("fp32", "fp16", "w8", "dynamic", "int8")
_SCRIPT = Path(__file__).with_name("litert_tools.py")
_BESIDE = Path(".venv-litert") / ("Scripts" if os.name == "nt" else "bin") / "python"


def find_tools(named: Path | None = None) -> Path:
    """The interpreter that has the LiteRT tools: the one named, that of POXLENS_LITERT_PYTHON, this one, or that of a
    folder .venv-litert in the working directory (`make litert-tools`).

    Raises:
        ExportError: there is none; says how to get it.
    """
    told = named or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if told is not None:
        if not told.is_file():
            raise ExportError(
                f"{told}: no such interpreter; name the python of the environment with the LiteRT tools"
            )
        return told
    if find_spec("litert_torch") is not None and find_spec("ai_edge_quantizer") is not None:
        return Path(sys.executable)
    if _BESIDE.is_file():
        return _BESIDE.absolute()
    raise ExportError(
        "LiteRT files need litert-torch and ai-edge-quantizer, which are not installed. Make an environment for them "
        f"with: make litert-tools (docs/export.md says what it does), or name its python in {VARIABLE}. "
        "Without them: --runtime onnx"
    )


def litert_forms(
    plain: nn.Module,
    corrected: nn.Module,
    tail: FloatTail,
    images: NDArray[np.uint8],
    kept: Collection[str],
    wanted: Sequence[str] = PRECISIONS,
    *,
    python: Path,
) -> dict[str, bytes]:
    """The .tflite files by precision; the same bytes each time.

    Args:
        plain: the backbone with its own biases, for all but int8.
        corrected: with corrected biases, for int8.
        tail: in floats in every file.
        images: calibration images [N, S, S, 3] uint8.
        kept: names of convolutions that stay in floats in int8.
        wanted: of PRECISIONS.
        python: of `find_tools`.

    Raises:
        ExportError: a layer cannot be converted, or the tools fail; with the last line they say.
    """
    with tempfile.TemporaryDirectory(prefix="poxlens-litert-") as name:
        folder = Path(name)
        side = images.shape[1]
        programs = ["plain"] if set(wanted) != {"int8"} else []
        programs += ["corrected"] if "int8" in wanted else []
        probe = torch.zeros(1, side, side, 3)
        for program, network in (("plain", plain), ("corrected", corrected)):
            if program in programs:
                _save(network, probe, folder / f"{program}.pt2")
        with torch.no_grad():
            _save(tail, plain(probe), folder / "tail.pt2")
        np.save(folder / "calibration.npy", images)
        found = convolutions(corrected)
        weights = {f"{i:03d}": found[one].weight.detach().numpy() for i, one in enumerate(sorted(kept))}
        np.savez(folder / "kept.npz", **weights)  # type: ignore[arg-type]
        job = {"side": side, "programs": programs, "wanted": list(wanted)}
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        _run(python, folder)
        return {one: (folder / f"model-{one}.tflite").read_bytes() for one in wanted}


def _save(module: nn.Module, example: torch.Tensor, path: Path) -> None:
    try:
        torch.export.save(torch.export.export(module.eval(), (example,)), path)
    except Exception as fault:  # torch raises kinds of many of its parts
        raise ExportError(f"torch cannot export this graph: {_short(str(fault))}") from fault


def _run(python: Path, folder: Path) -> None:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "0",  # the order of sets decides the order of tensors
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",  # the same sums whatever the number of cores
    }
    try:
        done = subprocess.run(
            [str(python), str(_SCRIPT), str(folder)],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
    except OSError as fault:
        raise ExportError(f"{python} cannot be run: {fault.strerror or fault}") from fault
    if done.returncode:
        raise ExportError(f"the LiteRT tools failed: {_short(done.stderr)}")


def _short(text: str) -> str:
    """The last line that says something, for a trace ends with what went wrong."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "without a word"
