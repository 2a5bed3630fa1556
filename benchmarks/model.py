"""What heat maps, embedding and novelty cost: the graph with all outputs beside its bare backbone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from benchmarks.bare import session
from benchmarks.measure import Result, compare, interleaved
from poxlens.bundle.store import Bundle, load
from poxlens.errors import BundleError

BACKBONE = "features"  # the name recipes give the backbone's last feature map


def graph_of(bundle: Bundle) -> bytes:
    """The bytes of the ONNX graph that the screener would use.

    Raises:
        BundleError: there is none.
    """
    models = [model for model in bundle.manifest.models if model.runtime == "onnx"]
    if not models:
        raise BundleError(f"bundle {bundle.name}: no ONNX model in it")
    chosen = next((model for model in models if model.precision == "fp32"), models[0])
    return bundle.read(chosen.file)


def backbone_of(model: bytes) -> bytes:
    """The same graph, ending at its feature map: what no longer leads there is cut off.

    Raises:
        BundleError: no tensor of the graph is named "features".
    """
    nodes = onnx.load_from_string(model).graph.node
    if not any(BACKBONE in node.output for node in nodes):
        raise BundleError(f'the graph has no tensor "{BACKBONE}" to cut its backbone at')
    return cut_at(model, (BACKBONE,))


def cut_at(model: bytes, outputs: tuple[str, ...]) -> bytes:
    """The same graph with these outputs alone: what does not lead to them is cut off."""
    whole = onnx.load_from_string(model)
    nodes = {name: node for node in whole.graph.node for name in node.output}
    needed, seen = list(outputs), set()
    while needed:
        name = needed.pop()
        if name in nodes and name not in seen:
            needed += nodes[name].input
        seen.add(name)
    kept = [node for node in whole.graph.node if seen & set(node.output)]
    weights = [weight for weight in whole.graph.initializer if weight.name in seen]
    for field, values in (("node", kept), ("initializer", weights)):
        whole.graph.ClearField(field)
        getattr(whole.graph, field).extend(values)
    whole.graph.ClearField("output")
    whole.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in outputs
    )
    cut: bytes = whole.SerializeToString()
    return cut


def run(bundle: Path, folder: Path, *, quick: bool) -> list[Result]:  # noqa: ARG001 - one signature for all
    loaded = load(bundle)
    model = graph_of(loaded)
    side = loaded.manifest.input.size
    full, bare = session(model), session(backbone_of(model))
    image = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    seconds = interleaved(
        lambda: full.run(None, {"image": image}),
        lambda: bare.run(None, {"image": image}),
        5 if quick else 400,
        warm_up=3 if quick else 30,
    )
    return [
        compare(
            "model with all outputs, 1 thread",
            ("logits, embedding, heat maps, novelty", seconds[0]),
            ("the bare backbone", seconds[1]),
            target=1.3,
            unit="ms",
        )
    ]
