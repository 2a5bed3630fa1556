"""All forms of one model: which convolutions bear eight bits, and the files of each runtime and precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from poxlens.bundle.manifest import GoldenExample, Model
from poxlens.errors import ExportError
from poxlens.export.eight_bits import WANTED, Sensitivity
from poxlens.export.litert import litert_forms
from poxlens.export.onnx_forms import onnx_fp16, onnx_fp32, onnx_int8, onnx_w8
from poxlens.export.prepared import Step, prepare
from poxlens.export.tail import FloatTail, Head
from poxlens.photo.resize import InputRule
from poxlens.screen.engine import Runtime, open_graph
from poxlens.screen.golden import examples
from poxlens.train.backbones import Backbone
from poxlens.train.novelty import Novelty

Kind = tuple[Runtime, str]
KINDS: tuple[Kind, ...] = (
    ("onnx", "fp32"),
    ("onnx", "fp16"),
    ("onnx", "w8"),
    ("onnx", "int8"),
    ("litert", "fp32"),
    ("litert", "fp16"),
    ("litert", "w8"),
    ("litert", "dynamic"),
    ("litert", "int8"),
)
"""Runtime and precision of every form."""
TOLERANCES = {"fp32": 1e-4, "fp16": 1e-2, "w8": 1e-3, "dynamic": 0.02, "int8": 0.02}
"""Largest difference of a golden output, of one form on another machine."""
_SUFFIX = {"onnx": ".onnx", "litert": ".tflite"}


@dataclass(frozen=True, eq=False)
class Phone:
    """What is brought to the phone."""

    backbone: Backbone
    stored: bytes | None  # ONNX that holds the very weights the head learnt from; None: the published ones
    head: Head
    subspace: Novelty
    side: int  # px

    @property
    def last(self) -> tuple[bool, ...]:
        """Of each channel of the features, whether it is of a last map."""
        return tuple(self.backbone.last_channels.tolist())


@dataclass(frozen=True, eq=False)
class Forms:
    """Every form that was made, and how."""

    files: Mapping[Kind, bytes]
    sensitivity: Sensitivity
    mended: int  # dead channels
    corrected: int  # convolutions whose bias was corrected


def name_of(kind: Kind) -> str:
    """File name of a form, as `model-int8.tflite`; `model.onnx` is ONNX in 32 bits, as ever."""
    runtime, precision = kind
    return f"model{'' if kind == ('onnx', 'fp32') else '-' + precision}{_SUFFIX[runtime]}"


def make_forms(
    phone: Phone,
    images: NDArray[np.uint8],
    kinds: Sequence[Kind] = KINDS,
    *,
    python: Path | None,
    step: Step,
    wanted: float = WANTED,
) -> Forms:
    """Make the asked forms; the same bytes each time.

    Args:
        phone: backbone, head and novelty.
        images: calibration images [N, S, S, 3] uint8, of the training part.
        kinds: which forms.
        python: interpreter with the LiteRT tools; None where no LiteRT form is asked.
        step: shows progress.
        wanted: signal over noise of the features, dB, that eight bits must leave.

    Raises:
        ExportError: a calibration set, layer or head that does not allow it.
    """
    ready = prepare(phone.backbone, phone.stored, images, phone.side, step, wanted)
    plain, corrected, sensitivity = ready.plain, ready.corrected, ready.sensitivity
    with step("making ONNX and LiteRT files", 2) as done:
        files: dict[Kind, bytes] = _onnx(phone, plain, corrected, images, sensitivity, kinds)
        done()
        asked = [precision for runtime, precision in kinds if runtime == "litert"]
        if asked:
            if python is None:
                raise ExportError("LiteRT forms need the interpreter that has the LiteRT tools")
            tail = FloatTail(phone.head, phone.subspace, phone.last)
            made = litert_forms(plain, corrected, tail, images, sensitivity.kept, asked, python=python)
            files |= {("litert", precision): data for precision, data in made.items()}
        done()
    return Forms({kind: files[kind] for kind in kinds}, sensitivity, ready.mended, ready.corrected_biases)


def models_of(
    forms: Mapping[Kind, bytes],
    golden: Sequence[GoldenExample],
    rule: InputRule,
    photos: dict[str, bytes],
) -> list[Model]:
    """The manifest's entries, each with the golden outputs of its own where it differs from the bundle's.

    Args:
        forms: those to be packed.
        golden: of the bundle: what ONNX in 32 bits gives.
        rule: the bundle's input rule.
        photos: path in the bundle -> PNG bytes of the golden photos.
    """
    models = []
    for kind, data in forms.items():
        runtime, precision = kind
        own = None
        if kind != ("onnx", "fp32"):
            graph = open_graph(runtime, data, size=rule.size, classes=len(golden[0].logits))
            own = examples(graph, rule, photos)
        models.append(Model(runtime, precision, name_of(kind), TOLERANCES[precision], own))
    return models


def _onnx(
    phone: Phone,
    plain: nn.Module,
    corrected: nn.Module,
    images: NDArray[np.uint8],
    sensitivity: Sensitivity,
    kinds: Sequence[Kind],
) -> dict[Kind, bytes]:
    parts = (phone.head, phone.subspace, phone.side, phone.last)
    fp32 = onnx_fp32(plain, *parts)
    files: dict[Kind, bytes] = {("onnx", "fp32"): fp32}
    if ("onnx", "fp16") in kinds:
        files["onnx", "fp16"] = onnx_fp16(fp32)
    if ("onnx", "w8") in kinds:
        files["onnx", "w8"] = onnx_w8(fp32)
    if ("onnx", "int8") in kinds:
        files["onnx", "int8"] = onnx_int8(onnx_fp32(corrected, *parts), corrected, images, sensitivity.kept)
    return files
