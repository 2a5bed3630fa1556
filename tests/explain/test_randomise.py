"""What is shuffled at each stage, and what is left as it was."""

from __future__ import annotations

import itertools

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from poxlens.bundle.store import load
from poxlens.explain.graph_module import onnx_model
from poxlens.explain.network import ExplanationError
from poxlens.explain.randomise import STAGES, _weights, randomised


@pytest.fixture(scope="module")
def embedded():
    bundle = load(None)
    return onnx_model(bundle), bundle.manifest.input.size


def tensors(model):
    return {
        one.name: np.array(numpy_helper.to_array(one))
        for one in onnx.load_from_string(model).graph.initializer
    }


def changed(model, other):
    before, after = tensors(model), tensors(other)
    assert before.keys() == after.keys()
    return {name for name in before if not np.array_equal(before[name], after[name])}


def test_the_head_alone_then_the_backbone_from_its_end(embedded):
    model, _ = embedded
    graph = onnx.load_from_string(model).graph
    head, backbone = _weights(graph)
    assert head == ["head.weight"]
    assert len(backbone) == 49  # convolutions of EfficientNet-Lite0
    sets = [changed(model, randomised(model, share, 0)) for _, share in STAGES]
    assert sets[0] == {"head.weight"}
    for smaller, larger in itertools.pairwise(sets):
        assert smaller < larger
    assert sets[-1] == {"head.weight", *backbone}
    assert not {name for name in sets[-1] if name.startswith("novelty")}


def test_the_last_layers_of_all_networks_side_by_side_come_last():
    """Two networks, the second of two layers: by their steps to the embedding, not by their order in the file."""
    node = helper.make_node
    random = np.random.default_rng(0)
    kernels = {
        name: random.normal(size=(8, size, 1, 1)).astype(np.float32)
        for name, size in (("one.last", 3), ("two.first", 3), ("two.last", 8))
    }
    nodes = [
        node("Cast", ["image"], ["values"], to=TensorProto.FLOAT),
        node("Transpose", ["values"], ["planes"], perm=[0, 3, 1, 2]),
        node("Conv", ["planes", "one.last"], ["one"]),
        node("Conv", ["planes", "two.first"], ["two.early"]),
        node("Conv", ["two.early", "two.last"], ["two"]),
        node("Concat", ["one", "two"], ["joined"], axis=1),
        node("Transpose", ["joined"], ["features"], perm=[0, 2, 3, 1]),
        node("ReduceMean", ["features"], ["embedding"], axes=[1, 2], keepdims=0),
        node("MatMul", ["features", "head.weight"], ["heatmap"]),
    ]
    kernels["head.weight"] = random.normal(size=(16, 2)).astype(np.float32)
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 4, 4, 3])],
        [helper.make_tensor_value_info("heatmap", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(values, name) for name, values in kernels.items()],
    )
    assert _weights(graph) == (["head.weight"], ["two.first", "one.last", "two.last"])


def test_numbers_are_kept_and_only_their_places_change(embedded):
    model, _ = embedded
    before, after = tensors(model), tensors(randomised(model, 1.0, 3))
    for name in changed(model, randomised(model, 1.0, 3)):
        assert before[name].dtype == after[name].dtype
        assert np.array_equal(np.sort(before[name], axis=None), np.sort(after[name], axis=None))


def test_the_same_seed_gives_the_same_model(embedded):
    model, _ = embedded
    assert randomised(model, 0.25, 5) == randomised(model, 0.25, 5)
    assert randomised(model, 0.0, 5) != randomised(model, 0.0, 6)


def test_a_model_without_weights_is_refused():
    nodes = [
        helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Relu", ["x"], ["heatmap"]),
        helper.make_node("ReduceMean", ["x"], ["embedding"], axes=[1, 2], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 4, 4, 3])],
        [helper.make_tensor_value_info("heatmap", TensorProto.FLOAT, None)],
    )
    with pytest.raises(ExplanationError, match="no weights"):
        randomised(helper.make_model(graph).SerializeToString(), 0.0, 0)
