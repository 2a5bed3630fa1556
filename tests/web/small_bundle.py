"""The small bundle of tests/web/small: one network in four forms, as a bundle for phones has them.

    python tests/web/small_bundle.py        makes it anew (needs `make litert-tools`)

The network is that of the tests of export, with random weights: it knows nothing, but LiteRT.js and ONNX Runtime Web
must give the numbers that Python gives.
"""

from __future__ import annotations

import copy
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

HERE = Path(__file__).parent
FOLDER = HERE / "small"
SIDE, CHANNELS, CLASSES = 64, 24, ("mpox", "acne", "healthy")
KINDS = (("litert", "int8"), ("litert", "fp16"), ("onnx", "fp32"), ("onnx", "fp16"))


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[name] = found
    spec.loader.exec_module(found)
    return found


def make(folder: Path = FOLDER) -> None:
    """Make the bundle; the same bytes each time."""
    from poxlens.bundle.manifest import ConformalQuantile
    from poxlens.bundle.pack import pack
    from poxlens.data.phantom import draw, random_spec
    from poxlens.export.calibration import observe
    from poxlens.export.eight_bits import correct_biases
    from poxlens.export.folding import convolutions, folded, mend_dead_channels
    from poxlens.export.forms import models_of, name_of
    from poxlens.export.litert import find_tools, litert_forms
    from poxlens.export.onnx_forms import onnx_fp16, onnx_fp32
    from poxlens.export.tail import FloatTail, Head
    from poxlens.photo.resize import InputRule
    from poxlens.screen.golden import examples
    from poxlens.screen.graph import Graph
    from poxlens.train.networks.spec import HALVES
    from poxlens.train.novelty import Subspace

    nets: Any = _module("export_networks", HERE.parent / "export" / "conftest.py")
    tiny: Any = _module("tiny_bundle", HERE.parent / "bundle" / "tiny.py")
    images = np.stack([draw(random_spec(seed, size=SIDE)).image for seed in range(32)])
    rng = np.random.default_rng(0)
    head = Head(
        (
            (
                rng.normal(0, 0.4, (CHANNELS, len(CLASSES))).astype(np.float32),
                np.zeros(len(CLASSES), np.float32),
            ),
        )
    )
    subspace = Subspace.fit(rng.gamma(2.0, 0.5, (40, CHANNELS)).astype(np.float32), 5)
    plain = folded(nets.small_backbone(scaling=HALVES), SIDE)
    mend_dead_channels(plain)
    corrected = copy.deepcopy(plain)
    correct_biases(corrected, observe(plain, images), list(convolutions(plain)))
    fp32 = onnx_fp32(plain, head, subspace, SIDE)
    asked = [precision for runtime, precision in KINDS if runtime == "litert"]
    lite = litert_forms(plain, corrected, FloatTail(head, subspace), images, (), asked, python=find_tools())
    forms = {("litert", name): data for name, data in lite.items()}
    forms |= {("onnx", "fp32"): fp32, ("onnx", "fp16"): onnx_fp16(fp32)}
    rule = InputRule(size=SIDE)
    photos = {"golden/one.png": tiny.png(images[0])}
    golden = examples(Graph(fp32, size=SIDE, classes=len(CLASSES)), rule, photos)
    manifest = tiny.manifest(
        classes=list(CLASSES),
        input=rule,
        conformal={name: ConformalQuantile(0.85, 50) for name in CLASSES},
        models=models_of({kind: forms[kind] for kind in KINDS}, golden, rule, photos),
        golden=golden,
    )
    packed = {name_of(kind): forms[kind] for kind in KINDS}
    pack(
        folder,
        manifest,
        {**packed, **photos, "MODEL_CARD.md": b"# A network of tests, with random weights\n"},
    )


if __name__ == "__main__":
    make()
