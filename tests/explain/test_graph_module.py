"""The bundle's graph in torch against ONNX Runtime; its heat map against the grad-cam library on the same weights."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from poxlens.bundle.store import load
from poxlens.data.phantom import draw, random_spec
from poxlens.explain.graph_module import GraphModule, onnx_model
from poxlens.explain.methods import explain
from poxlens.explain.network import ExplanationError
from poxlens.explain.operators import apply
from poxlens.screen.engine import Engine
from poxlens.screen.graph import OUTPUTS, _session


@pytest.fixture(scope="module")
def engine():
    bundle = load(None)
    chosen = next(model for model in bundle.manifest.models if bundle.read(model.file) == onnx_model(bundle))
    return Engine(bundle, model=chosen)


@pytest.fixture(scope="module")
def module(engine):
    return GraphModule(onnx_model(load(None)))


@pytest.fixture(scope="module")
def prepared():
    return np.stack([draw(random_spec(seed, size=224)).image for seed in (60, 61)])


def test_the_embedded_bundle_gives_the_same_in_torch(engine, module, prepared):
    wanted = engine.run(prepared)
    with torch.no_grad():
        planes = torch.from_numpy(prepared).permute(0, 3, 1, 2).float()
        found = module.outputs(planes, OUTPUTS)
    for name in OUTPUTS:
        expected = getattr(wanted, name)
        assert np.abs(found[name].numpy() - expected).max() <= 1e-4 * max(1.0, np.abs(expected).max()), name


def test_the_heat_map_of_the_embedded_bundle_is_the_librarys_grad_cam(engine, module, prepared):
    """Every class, at the last map; each map to its own maximum, as the library scales it."""
    heat = engine.run(prepared).heatmap
    compared = 0
    for number in range(heat.shape[1]):
        library = explain(module, prepared, number, "gradcam")
        for found, wanted in zip(heat[:, number], library, strict=True):
            if wanted.max() > 0:
                compared += 1
                assert np.abs(found / found.max() - wanted / wanted.max()).max() <= 1e-4
            else:
                assert found.max() == 0
    assert compared >= 10


def one_node(kind, inputs, attributes, constants):
    """A model image [N, 4, 4, 3] -> features by one node -> what a bundle gives."""
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT),
            helper.make_node(kind, inputs, ["features"], **attributes),
            helper.make_node("ReduceMean", ["features"], ["embedding"], axes=[1, 2], keepdims=0),
            helper.make_node("Identity", ["embedding"], ["logits"]),
        ],
        "g",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 4, 4, 3])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


F = np.float32
NODES = {
    "Add": (["x", "c"], {}, {"c": F([1, 2, 3])}),
    "Sub": (["x", "c"], {}, {"c": F([1, 2, 3])}),
    "Mul": (["x", "c"], {}, {"c": F([1, 2, 3])}),
    "Div": (["x", "c"], {}, {"c": F([1, 2, 3])}),
    "Max": (["x", "c"], {}, {"c": F([100])}),
    "Clip": (["x", "low", "high"], {}, {"low": F(10), "high": F(90)}),
    "Relu": (["x"], {}, {}),
    "HardSigmoid": (["x"], {"alpha": 0.01, "beta": -0.3}, {}),
    "Sigmoid": (["x"], {}, {}),
    "HardSwish": (["x"], {}, {}),
    "Transpose": (["x"], {"perm": [0, 2, 1, 3]}, {}),
    "MatMul": (["x", "c"], {}, {"c": np.arange(6, dtype=F).reshape(3, 2)}),
    "Concat": (["x", "x"], {"axis": 3}, {}),
    "Conv": (
        ["x", "w", "b"],
        {"pads": [1, 0, 0, 1], "strides": [2, 1]},
        {"w": np.linspace(-1, 1, 72, dtype=F).reshape(6, 4, 3, 1), "b": np.arange(6, dtype=F)},
    ),
    "ReduceSumSquare": (["x"], {"axes": [3], "keepdims": 1}, {}),
    "ReduceMax": (["x"], {"axes": [3]}, {}),
    "ReduceMin": (["x"], {"axes": [3]}, {}),
    "Sqrt": (["x"], {}, {}),
    "AveragePool": (
        ["x"],
        {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [0, 1, 0, 0], "count_include_pad": 1},
        {},
    ),
    "ReduceSum": (["x", "n"], {"keepdims": 1}, {"n": np.array([3], np.int64)}),
    "Reshape": (["x", "n"], {}, {"n": np.array([0, 2, 8, -1], np.int64)}),
}


@pytest.mark.parametrize("kind", NODES)
def test_each_operator_is_that_of_onnx_runtime(kind):
    inputs, attributes, constants = NODES[kind]
    model = one_node(kind, inputs, attributes, constants).SerializeToString()
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), np.uint8)
    wanted = _session(model, 1).run(["features"], {"image": images})[0]
    found = GraphModule(model).outputs(torch.from_numpy(images).permute(0, 3, 1, 2).float(), ("features",))[
        "features"
    ]
    assert found.shape == wanted.shape
    assert np.abs(found.numpy() - wanted).max() <= 1e-5 * max(1.0, np.abs(wanted).max())


def test_operators_of_masks_and_axes():
    values = torch.tensor([[1.0, -2.0, 0.0], [3.0, 4.0, -5.0]])
    assert apply("Greater", [values, torch.tensor(0.0)], {}).tolist() == [[1, 0, 0], [1, 1, 0]]
    assert apply("Unsqueeze", [values, torch.tensor([2, 0])], {}).shape == (1, 2, 1, 3)


def test_eight_bits_round_as_the_runtime_and_pass_the_gradient():
    """A weight in eight bits by channel, an activation in eight bits: QDQ as `quantize_static` writes it."""
    nodes = [
        helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("DequantizeLinear", ["w", "ws"], ["wf"], axis=1),
        helper.make_node("MatMul", ["d", "wf"], ["features"]),
        helper.make_node("ReduceMean", ["features"], ["embedding"], axes=[1, 2], keepdims=0),
        helper.make_node("Identity", ["embedding"], ["logits"]),
    ]
    constants = {
        "s": F(1.7),
        "z": np.uint8(3),
        "w": np.arange(-3, 3, dtype=np.int8).reshape(3, 2) * np.int8(30),
        "ws": F([0.1, 0.03]),
    }
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 4, 4, 3])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    ).SerializeToString()
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), np.uint8)
    wanted = _session(model, 1).run(["features"], {"image": images})[0]
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).float().requires_grad_(True)
    module = GraphModule(model)
    found = module.outputs(planes, ("features",))["features"]
    assert np.abs(found.detach().numpy() - wanted).max() <= 1e-6 * np.abs(wanted).max()
    module(planes)[:, 0].sum().backward()
    weights = constants["w"][:, 0] * constants["ws"][0] / 16
    assert np.abs(planes.grad.numpy() - weights[None, :, None, None]).max() < 1e-6


def test_an_operator_without_a_gradient_here_is_named():
    model = one_node("Erf", ["x"], {}, {}).SerializeToString()
    with pytest.raises(ExplanationError, match="operator Erf"):
        GraphModule(model)


def test_an_embedding_that_is_no_mean_of_a_map_is_refused():
    model = onnx.load_from_string(one_node("Relu", ["x"], {}, {}).SerializeToString())
    pooling = next(node for node in model.graph.node if node.op_type == "ReduceMean")
    pooling.attribute[0].ints[:] = [1, 3]
    with pytest.raises(ExplanationError, match="mean of a map"):
        GraphModule(model.SerializeToString())
