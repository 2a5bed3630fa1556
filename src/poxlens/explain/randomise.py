"""A bundle's graph with its learnt weights destroyed from the head downwards (Adebayo et al. 2018, "Sanity checks").

A map that stays what it was shows the photo's edges and not what the model learnt. Each weight tensor has its numbers
shuffled: their distribution, and with it the size of what layers give, is kept, and what was learnt is not.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from poxlens.explain.network import ExplanationError

STAGES: tuple[tuple[str, float], ...] = (
    ("head", 0.0),
    ("head and last quarter", 0.25),
    ("head and last half", 0.5),
    ("head and three quarters", 0.75),
    ("everything", 1.0),
)
"""Name, and share of the backbone's weight tensors that are destroyed, counted from the end."""


def randomised(model: bytes, share: float, seed: int) -> bytes:
    """The model with its head and a share of its backbone shuffled.

    Args:
        model: bytes of a bundle's .onnx file.
        share: of the backbone's weight tensors, from the last to the first, 0 to 1.
        seed: of the shuffling.

    Raises:
        ExplanationError: no weights are found before the heat map.
    """
    import onnx
    from onnx import numpy_helper

    loaded = onnx.load_from_string(model)
    head, backbone = _weights(loaded.graph)
    if not head or not backbone:
        raise ExplanationError(
            "the bundle's model has no weights between the image and the heat map to randomise"
        )
    chosen = set(head) | set(backbone[len(backbone) - round(share * len(backbone)) :])
    rng = np.random.default_rng(seed)
    for tensor in loaded.graph.initializer:
        if tensor.name in chosen:
            values = np.array(numpy_helper.to_array(tensor))
            mixed = rng.permutation(values.ravel()).reshape(values.shape)
            tensor.CopyFrom(numpy_helper.from_array(mixed, tensor.name))
    return bytes(loaded.SerializeToString())


def _weights(graph: Any) -> tuple[list[str], list[str]]:
    """Names of the weight tensors of the head, and of the backbone from first to last.

    Of several networks side by side the last layers come last together, by their steps to the embedding.
    """
    # Mean and scale of the colours have axes too, but only three numbers each, and are not learnt.
    kernels = {tensor.name for tensor in graph.initializer if len(tensor.dims) >= 2 and prod(tensor.dims) > 3}
    before, of_map = _steps_to(graph, "embedding"), _steps_to(graph, "heatmap")
    backbone = sorted(kernels & before.keys(), key=lambda name: (-before[name], name))
    return sorted((kernels & of_map.keys()) - before.keys()), backbone


def _steps_to(graph: Any, output: str) -> dict[str, int]:
    """Every value that `output` is computed from, with the longest way to it in operators."""
    steps = {output: 0}
    for node in reversed(graph.node):  # ONNX lists them in the order of computation
        known = [steps[name] for name in node.output if name in steps]
        for name in node.input if known else ():
            steps[name] = max(steps.get(name, 0), max(known) + 1)
    return steps
