"""What heat map and novelty cost in the graph: the forward pass with all outputs against one that gives logits alone.

    python -m benchmarks.tail_cost BUNDLE_OR_ONNX...

Without an argument, of the embedded bundle. In turns, so that whatever slows the machine slows both.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Result, compare, interleaved
from poxlens.bundle.store import embedded_path, load
from poxlens.screen.graph import OUTPUTS

TARGET = 1.10
ROUNDS = 200


def logits_alone(model: bytes) -> bytes:
    """The same graph without what only the other outputs need."""
    import onnx

    found = onnx.load_from_string(model)
    graph = found.graph
    needed, kept = {"logits"}, []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    outputs = [one for one in graph.output if one.name == "logits"]
    del graph.output[:]
    graph.output.extend(outputs)
    for tensor in [one for one in graph.initializer if one.name not in needed]:
        graph.initializer.remove(tensor)
    return bytes(found.SerializeToString())


def cost(name: str, model: bytes, rounds: int = ROUNDS) -> Result:
    """Time with all outputs over time with logits alone, one thread, batch 1."""
    whole, alone = _session(model), _session(logits_alone(model))
    side = whole.get_inputs()[0].shape[1]
    photo = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), np.uint8)
    ours, theirs = interleaved(
        lambda: whole.run(OUTPUTS, {"image": photo}),
        lambda: alone.run(["logits"], {"image": photo}),
        rounds,
        warm_up=5,
    )
    return compare(name, ("all outputs", ours), ("logits alone", theirs), target=TARGET, unit="ms")


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.disable_quant_qdq", "0" if b"QuantizeLinear" in model else "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def models_in(path: Path) -> dict[str, bytes]:
    """The ONNX files of a bundle, or the file itself."""
    if path.suffix == ".onnx":
        return {path.name: path.read_bytes()}
    bundle = load(path)
    return {
        f"{bundle.name} {model.file}": bundle.read(model.file)
        for model in bundle.manifest.models
        if model.runtime == "onnx"
    }


def main() -> None:
    """Print the ratio of each model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", type=Path, nargs="*", default=[embedded_path()])
    for path in parser.parse_args().models:
        for name, model in models_in(path).items():
            found = cost(name, model)
            print(
                f"{name}: {found.ratio:.3f} of {TARGET:g} allowed "
                f"(pairs {found.spread[0]:.3f} to {found.spread[1]:.3f}, n {found.n})"
            )


if __name__ == "__main__":
    main()
