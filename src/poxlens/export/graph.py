"""The one graph a runtime loads: uint8 photo in; logits, embedding, heat map of each class and novelty out.

The heat map is Grad-CAM (Selvaraju 2017, eqs. 1-2) in closed form. With the feature map A [h, w, D], its mean
f over places and logits z_c = f . W_c + b_c, the gradient of z_c by A at every place is W_c / (h w), so the weights
are alpha_c = W_c / (h w) and the map is relu(A . alpha_c): no gradients are needed on the phone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import TrainingError
from poxlens.train.heads import LinearHead
from poxlens.train.novelty import Subspace
from poxlens.train.stored import FEATURES, Stored

_HALF = "half"


def assemble(backbone: Stored, head: LinearHead, subspace: Subspace) -> bytes:
    """The whole graph as ONNX bytes, the same for the same parts.

    Args:
        backbone: image [N, S, S, 3] uint8 -> features [N, h, w, D].
        head: linear head on pooled features.
        subspace: the novelty score.

    Raises:
        TrainingError: the backbone does not pool by the mean over places, so that the heat map would not be Grad-CAM.
    """
    import onnx
    from onnx import TensorProto, helper

    if backbone.own_pooling:
        raise TrainingError(
            "a bundle needs a network whose embedding is the mean of its last map over places"
        )
    model = onnx.load_from_string(backbone.model)
    graph = model.graph
    places = _places(backbone)
    weight, bias = head.folded()
    _constant(graph, "head.weight", weight)
    _constant(graph, "head.bias", bias)
    _constant(graph, "heatmap.share", np.array([1.0 / places], np.float32))
    _constant(graph, "novelty.mean", subspace.mean)
    _constant(graph, "novelty.inverse_scale", 1.0 / subspace.scale)
    _constant(graph, "novelty.directions", subspace.directions, half=True)
    _constant(graph, "novelty.tiny", np.array([1e-12], np.float32))
    _constant(graph, "novelty.one", np.array([1.0], np.float32))
    node = helper.make_node
    graph.node.extend(
        [
            node("ReduceMean", [FEATURES], ["embedding"], axes=[1, 2], keepdims=0),
            node("MatMul", ["embedding", "head.weight"], ["head.product"]),
            node("Add", ["head.product", "head.bias"], ["logits"]),
            node("MatMul", [FEATURES, "head.weight"], ["heatmap.sum"]),
            node("Relu", ["heatmap.sum"], ["heatmap.positive"]),
            node("Mul", ["heatmap.positive", "heatmap.share"], ["heatmap.places"]),
            node("Transpose", ["heatmap.places"], ["heatmap"], perm=[0, 3, 1, 2]),
            node("Sub", ["embedding", "novelty.mean"], ["novelty.centred"]),
            node("Mul", ["novelty.centred", "novelty.inverse_scale"], ["novelty.standard"]),
            node("MatMul", ["novelty.standard", "novelty.directions"], ["novelty.inside"]),
            node("ReduceSumSquare", ["novelty.inside"], ["novelty.explained"], axes=[1], keepdims=0),
            node("ReduceSumSquare", ["novelty.standard"], ["novelty.whole"], axes=[1], keepdims=0),
            node("Max", ["novelty.whole", "novelty.tiny"], ["novelty.divisor"]),
            node("Div", ["novelty.explained", "novelty.divisor"], ["novelty.share"]),
            node("Sub", ["novelty.one", "novelty.share"], ["novelty"]),
        ]
    )
    classes, size = len(bias), len(subspace.mean)
    side = int(places**0.5)
    del graph.output[:]
    value = helper.make_tensor_value_info
    graph.output.extend(
        [
            value("logits", TensorProto.FLOAT, ["N", classes]),
            value("embedding", TensorProto.FLOAT, ["N", size]),
            value("heatmap", TensorProto.FLOAT, ["N", classes, side, side]),
            value("novelty", TensorProto.FLOAT, ["N"]),
        ]
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _places(backbone: Stored) -> int:
    """H x w of the feature map: these networks divide the side by 32."""
    return int(np.ceil(backbone.side / 32)) ** 2


def _constant(graph: Any, name: str, values: NDArray[np.floating], *, half: bool = False) -> None:
    from onnx import TensorProto, helper, numpy_helper

    if not half:
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float32), name))
        return
    graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}.{_HALF}"))
    graph.node.append(helper.make_node("Cast", [f"{name}.{_HALF}"], [name], to=TensorProto.FLOAT))
