"""A bundle's ONNX graph run in torch, operator by operator, so that gradients can be taken of what is shipped.

The heat map in the graph is checked against autograd on the same weights, and every method of `methods` works on a
bundle without the networks that it was made from. Rounding to eight bits has no gradient; it is passed straight
through (Bengio et al. 2013).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from poxlens.explain.network import Explainable, ExplanationError, read_at
from poxlens.explain.operators import KNOWN, apply

if TYPE_CHECKING:
    from poxlens.bundle.store import Bundle

Values = dict[str, torch.Tensor]


class GraphModule(Explainable):
    """A bundle's graph as a torch module: planes [N, 3, S, S], RGB 0-255 -> logits [N, C].

    Maps are read at the last maps in the features that the embedding is the mean of, [N, D, h, w].

    Args:
        model: bytes of the .onnx file, with the outputs of a bundle.

    Raises:
        ExplanationError: an operator is not known, or the embedding is not the mean of a map.
    """

    def __init__(self, model: bytes) -> None:
        super().__init__()
        import onnx
        from onnx import numpy_helper

        graph = onnx.load_from_string(model).graph
        self._constants = {
            tensor.name: torch.from_numpy(np.array(numpy_helper.to_array(tensor)))
            for tensor in graph.initializer
        }
        self._nodes = _constants_folded([_Node(node) for node in graph.node], self._constants)
        self._features = _pooled(self._nodes)
        last = self._constants.get("heatmap.channels")
        self._last = None if last is None else last > 0
        self.joined = nn.Identity()
        self.layer, self.reshape = self.joined, None
        # The grad-cam library asks a model's first parameter for its device, and fails where there is none.
        self.device_probe = nn.Parameter(torch.zeros(1), requires_grad=False)
        self.eval()

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """Logits [N, C] of [N, 3, S, S]."""
        return self.outputs(planes, ("logits",))["logits"]

    def outputs(self, planes: torch.Tensor, names: tuple[str, ...]) -> Values:
        """Outputs of the graph by name.

        Args:
            planes: [N, 3, S, S].
            names: of outputs, such as "heatmap".
        """
        values: Values = {**self._constants, "image": planes.permute(0, 2, 3, 1)}
        for node in self._nodes:
            made = node.run(values)
            if node.output == self._features:  # [N, h, w, D] past the layer that maps are read at
                made = read_at(self.joined, made.permute(0, 3, 1, 2), self._last).permute(0, 2, 3, 1)
            values[node.output] = made
        return {name: values[name] for name in names}


def onnx_model(bundle: Bundle) -> bytes:
    """The bundle's ONNX file that gradients are taken of: in 32-bit floats where there is one.

    Raises:
        ExplanationError: the bundle has none.
    """
    models = [one for one in bundle.manifest.models if one.runtime == "onnx"]
    if not models:
        raise ExplanationError(
            f"bundle {bundle.name}: has no ONNX model, and gradients are known of no other kind"
        )
    chosen = next((one for one in models if one.precision == "fp32"), models[0])
    return bundle.read(chosen.file)


class _Node:
    def __init__(self, node: Any) -> None:
        from onnx import helper

        self.kind, self.inputs, self.output = str(node.op_type), list(node.input), str(node.output[0])
        self.attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        if self.kind not in KNOWN:
            raise ExplanationError(
                f"the bundle's model has the operator {self.kind}, of which no gradient is known here"
            )

    def run(self, values: Values) -> torch.Tensor:
        return apply(self.kind, [values[name] if name else None for name in self.inputs], self.attributes)


def _constants_folded(nodes: list[_Node], constants: Values) -> list[_Node]:
    """The nodes that depend on the image; what the others give joins the constants."""
    left = []
    for node in nodes:
        if all(name in constants or not name for name in node.inputs):
            constants[node.output] = node.run(constants)
        else:
            left.append(node)
    return left


def _pooled(nodes: list[_Node]) -> str:
    for node in nodes:
        if (
            node.output == "embedding"
            and node.kind == "ReduceMean"
            and list(node.attributes.get("axes", ())) == [1, 2]
        ):
            return str(node.inputs[0])
    raise ExplanationError("the bundle's embedding is not the mean of a map [N, h, w, D] over its places")
