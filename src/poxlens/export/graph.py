"""The one graph a runtime loads: uint8 photo in; logits, embedding, heat map of each class and novelty out.

The heat map is Grad-CAM in closed form, without gradients on the phone: `poxlens.export.tail` says how.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import TrainingError
from poxlens.export.tail import Head
from poxlens.train.heads import LinearHead
from poxlens.train.novelty import Gate, Novelty, Subspace
from poxlens.train.stored import FEATURES, Stored

_HALF = "half"


def assemble(backbone: Stored, head: LinearHead | Head, novelty: Novelty) -> bytes:
    """The whole graph as ONNX bytes, the same for the same parts.

    Args:
        backbone: image [N, S, S, 3] uint8 -> features [N, h, w, D].
        head: on pooled features; linear, or with hidden layers.
        novelty: the novelty score.

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
    layers = (head.folded(),) if isinstance(head, LinearHead) else head.layers
    for i, (weight, bias) in enumerate(layers):
        _constant(graph, f"head{_rank(i, layers)}.weight", weight)
        _constant(graph, f"head{_rank(i, layers)}.bias", bias)
    if not all(backbone.last):
        _constant(graph, "heatmap.channels", np.array(backbone.last, np.float32))
        graph.node.append(helper.make_node("Mul", [FEATURES, "heatmap.channels"], ["heatmap.features"]))
    read = FEATURES if all(backbone.last) else "heatmap.features"
    _constant(graph, "heatmap.share", np.array([1.0 / places], np.float32))
    scored = _gate(graph, novelty) if isinstance(novelty, Gate) else _residual(graph, novelty)
    node = helper.make_node
    graph.node.extend(
        [
            node("ReduceMean", [FEATURES], ["embedding"], axes=[1, 2], keepdims=0),
            *(_linear_head(read) if len(layers) == 1 else _deep_head(graph, layers, places, read)),
            node("Relu", ["heatmap.sum"], ["heatmap.positive"]),
            node("Mul", ["heatmap.positive", "heatmap.share"], ["heatmap.places"]),
            node("Transpose", ["heatmap.places"], ["heatmap"], perm=[0, 3, 1, 2]),
            *scored,
        ]
    )
    classes, size = len(layers[-1][1]), len(layers[0][0])
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


Layers = tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]


def _linear_head(read: str) -> list[Any]:
    """Logits, and the sum over the channels of `read` that becomes the map: the gradient is the weight itself."""
    from onnx import helper

    return [
        helper.make_node("MatMul", ["embedding", "head.weight"], ["head.product"]),
        helper.make_node("Add", ["head.product", "head.bias"], ["logits"]),
        helper.make_node("MatMul", [read, "head.weight"], ["heatmap.sum"]),
    ]


def _deep_head(graph: Any, layers: Layers, places: int, read: str) -> list[Any]:
    """The same with hidden layers: W_1 diag(m_1) W_2 ... of `poxlens.export.tail`, once for each photo."""
    from onnx import helper, numpy_helper

    node = helper.make_node
    side, size, classes = int(places**0.5), len(layers[0][0]), len(layers[-1][1])
    for name, shape in (("flat", [-1, places, size]), ("square", [-1, side, side, classes])):
        graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), f"heatmap.{name}"))
    graph.initializer.append(numpy_helper.from_array(np.array([2], np.int64), "heatmap.last"))
    _constant(graph, "head.zero", np.array([0.0], np.float32))
    nodes, hidden = [], "embedding"
    for i in range(len(layers) - 1):
        nodes += [
            node("MatMul", [hidden, f"head{i}.weight"], [f"head{i}.product"]),
            node("Add", [f"head{i}.product", f"head{i}.bias"], [f"head{i}.sum"]),
            node("Relu", [f"head{i}.sum"], [f"head{i}.hidden"]),
            node("Greater", [f"head{i}.hidden", "head.zero"], [f"head{i}.above"]),
            node("Cast", [f"head{i}.above"], [f"head{i}.mask"], to=1),
            node("Unsqueeze", [f"head{i}.mask", "heatmap.last"], [f"head{i}.column"]),
        ]
        hidden = f"head{i}.hidden"
    nodes += [
        node("MatMul", [hidden, "head.weight"], ["head.product"]),
        node("Add", ["head.product", "head.bias"], ["logits"]),
    ]
    gradient = "head.weight"
    for i in range(len(layers) - 2, -1, -1):
        nodes += [
            node("Mul", [f"head{i}.column", gradient], [f"head{i}.masked"]),
            node("MatMul", [f"head{i}.weight", f"head{i}.masked"], [f"head{i}.gradient"]),
        ]
        gradient = f"head{i}.gradient"
    return [
        *nodes,
        node("Reshape", [read, "heatmap.flat"], ["heatmap.list"]),
        node("MatMul", ["heatmap.list", gradient], ["heatmap.flatsum"]),
        node("Reshape", ["heatmap.flatsum", "heatmap.square"], ["heatmap.sum"]),
    ]


def _residual(graph: Any, subspace: Subspace) -> list[Any]:
    """Novelty as the share outside the subspace."""
    from onnx import helper

    node = helper.make_node
    _constant(graph, "novelty.mean", subspace.mean)
    _constant(graph, "novelty.inverse_scale", 1.0 / subspace.scale)
    _constant(graph, "novelty.directions", subspace.directions, half=True)
    _constant(graph, "novelty.tiny", np.array([1e-12], np.float32))
    _constant(graph, "novelty.one", np.array([1.0], np.float32))
    return [
        node("Sub", ["embedding", "novelty.mean"], ["novelty.centred"]),
        node("Mul", ["novelty.centred", "novelty.inverse_scale"], ["novelty.standard"]),
        node("MatMul", ["novelty.standard", "novelty.directions"], ["novelty.inside"]),
        node("ReduceSumSquare", ["novelty.inside"], ["novelty.explained"], axes=[1], keepdims=0),
        node("ReduceSumSquare", ["novelty.standard"], ["novelty.whole"], axes=[1], keepdims=0),
        node("Max", ["novelty.whole", "novelty.tiny"], ["novelty.divisor"]),
        node("Div", ["novelty.explained", "novelty.divisor"], ["novelty.share"]),
        node("Sub", ["novelty.one", "novelty.share"], ["novelty"]),
    ]


def _gate(graph: Any, gate: Gate) -> list[Any]:
    """Novelty as the largest of the scores of `poxlens.train.novelty.gate`."""
    from onnx import helper

    node = helper.make_node
    # They have the digits of half precision already.
    _constant(graph, "gate.centres", gate.centres, half=True)
    _constant(graph, "gate.slope", np.array([gate.slope], np.float32))
    _constant(graph, "gate.offset", np.array([gate.offset], np.float32))
    _constant(graph, "gate.weight", gate.weight)
    _constant(graph, "gate.bias", gate.bias)
    _constant(graph, "gate.tiny", np.array([1e-12], np.float32))
    return [
        node("ReduceSumSquare", ["embedding"], ["gate.square"], axes=[1], keepdims=0),
        node("Max", ["gate.square", "gate.tiny"], ["gate.positive"]),
        node("Sqrt", ["gate.positive"], ["gate.length"]),
        node("MatMul", ["embedding", "gate.centres"], ["gate.products"]),
        node("ReduceMax", ["gate.products"], ["gate.nearest"], axes=[1], keepdims=0),
        node("Div", ["gate.nearest", "gate.length"], ["gate.cosine"]),
        node("Mul", ["gate.cosine", "gate.slope"], ["gate.scaled"]),
        node("Add", ["gate.scaled", "gate.offset"], ["gate.far"]),
        node("MatMul", ["embedding", "gate.weight"], ["gate.linear"]),
        node("Add", ["gate.linear", "gate.bias"], ["gate.outlier"]),
        node("ReduceMax", ["gate.outlier"], ["gate.largest"], axes=[1], keepdims=0),
        node("Max", ["gate.far", "gate.largest"], ["novelty"]),
    ]


def _rank(layer: int, layers: Layers) -> str:
    """The last layer, which every head has, goes without a number."""
    return "" if layer == len(layers) - 1 else str(layer)


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
