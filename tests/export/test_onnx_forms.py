from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest

from poxlens.errors import ExportError
from poxlens.export.calibration import observe
from poxlens.export.eight_bits import correct_biases
from poxlens.export.folding import convolutions
from poxlens.export.onnx_forms import onnx_fp16, onnx_fp32, onnx_int8, onnx_w8
from poxlens.screen.graph import OUTPUTS, Graph

SIDE, CLASSES = 64, 3
KEPT = ("parts.0.stem.0",)


@pytest.fixture
def fp32(network, heads, subspace):
    return onnx_fp32(network, heads[2], subspace, SIDE)


def quantised(network, heads, subspace, images, kept=KEPT):
    corrected = copy.deepcopy(network)
    names = [name for name in convolutions(network) if name not in kept]
    correct_biases(corrected, observe(network, images), names)
    return onnx_int8(onnx_fp32(corrected, heads[2], subspace, SIDE), corrected, images, kept)


def test_half_precision_is_near_and_half_as_large(fp32, images):
    half = onnx_fp16(fp32)
    assert len(half) < 0.75 * len(fp32)
    one, other = (Graph(model, size=SIDE).run(images) for model in (fp32, half))
    for name in OUTPUTS:
        a, b = getattr(one, name), getattr(other, name)
        assert 0 < np.abs(a - b).max() < 0.01 * np.abs(a).max(), name


def test_weights_on_steps_of_eight_bits_lose_nothing(levelled, wide_parts, images):
    fp32 = onnx_fp32(levelled, *wide_parts, SIDE)
    small = onnx_w8(fp32)
    graph = onnx.load_from_string(small).graph
    kinds = {t.name: t.data_type for t in graph.initializer}
    assert [kinds[node.input[0]] for node in graph.node if node.op_type == "DequantizeLinear"] == [
        onnx.TensorProto.INT8
    ]
    halved = onnx_fp16(fp32)
    assert len(halved) - len(small) > 0.8 * 32 * 64
    exact, other = (Graph(data, size=SIDE).run(images) for data in (halved, small))
    np.testing.assert_allclose(exact.embedding[:, 12:], other.embedding[:, 12:], rtol=2e-3, atol=2e-2)
    own = Graph(fp32, size=SIDE).run(images)
    assert np.abs(own.embedding[:, 12:] - other.embedding[:, 12:]).max() < 1e-4 * np.abs(own.embedding).max()


def test_an_earlier_level_takes_no_steps_from_the_last_map(levelled, wide_parts, images):
    fp32 = onnx_fp32(levelled, *wide_parts, SIDE)
    eight = onnx_int8(fp32, levelled, images, ())
    one, other = (Graph(data, size=SIDE).run(images).embedding[:, :12] for data in (fp32, eight))
    assert np.ptp(Graph(fp32, size=SIDE).run(images).embedding) > 20 * np.ptp(one)
    assert ((one - other) ** 2).sum() < 1e-3 * (one**2).sum()


def test_eight_bits_are_near_with_a_tail_in_floats(network, fp32, heads, subspace, images):
    model = quantised(network, heads, subspace, images)
    floats, eight = (Graph(data, size=SIDE, classes=CLASSES).run(images) for data in (fp32, model))
    assert np.abs(eight.logits - floats.logits).max() < 0.15 * np.ptp(floats.logits)
    cosine = (eight.embedding * floats.embedding).sum(1) / (
        np.linalg.norm(eight.embedding, axis=1) * np.linalg.norm(floats.embedding, axis=1)
    )
    assert cosine.min() > 0.99
    # The tail is exact: logits and novelty are what floats make of the embedding.
    np.testing.assert_allclose(heads[2].logits(eight.embedding), eight.logits, atol=1e-4)
    np.testing.assert_allclose(subspace.score(eight.embedding), eight.novelty, atol=1e-4)


def test_the_convolutions_that_are_kept_and_no_others_stay_in_floats(network, heads, subspace, images):
    graph = onnx.load_from_string(quantised(network, heads, subspace, images)).graph
    makers = {output: node for node in graph.node for output in node.output}
    weights = [node.input[1] for node in graph.node if node.op_type == "Conv"]
    assert len(weights) == 6
    in_eight = [name in makers and makers[name].op_type == "DequantizeLinear" for name in weights]
    assert in_eight == [False, True, True, True, True, True]
    scales = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.output[0] in weights]
    shapes = {t.name: list(t.dims) for t in graph.initializer}
    assert sorted(shapes[node.input[1]][0] for node in scales) == [16, 16, 16, 16, 24]  # one a channel
    zero_points = {t.name: t.data_type for t in graph.initializer if t.name.endswith("zero_point")}
    activations = {
        zero_points[node.input[2]]
        for node in graph.node
        if node.op_type == "QuantizeLinear" and node.input[2] in zero_points
    }
    assert activations == {onnx.TensorProto.UINT8}
    assert not any("tail" in node.name for node in graph.node if "QuantizeLinear" in node.op_type)


def test_the_first_convolution_before_one_in_floats_stays_in_floats(network, heads, subspace, images):
    graph = onnx.load_from_string(quantised(network, heads, subspace, images, ("parts.0.wide.0.0",))).graph
    makers = {output: node.op_type for node in graph.node for output in node.output}
    weights = [node.input[1] for node in graph.node if node.op_type == "Conv"]
    assert [makers.get(name) == "DequantizeLinear" for name in weights] == [
        False,
        False,
        True,
        True,
        True,
        True,
    ]


def test_the_same_bytes_when_made_twice(network, heads, subspace, images):
    assert quantised(network, heads, subspace, images) == quantised(network, heads, subspace, images)
    one, other = (onnx_fp32(copy.deepcopy(network), heads[1], subspace, SIDE) for _ in range(2))
    assert one == other
    assert onnx_fp16(one) == onnx_fp16(other)


def test_weights_beyond_half_precision_are_told(network, heads, subspace):
    convolutions(network)["parts.0.last.0"].weight.data[0, 0, 0, 0] = 1e5
    with pytest.raises(ExportError, match="beyond half precision"):
        onnx_fp16(onnx_fp32(network, heads[1], subspace, SIDE))


def test_what_onnx_runtime_cannot_quantise_is_told(network, images):
    with pytest.raises(ExportError, match="ONNX Runtime cannot quantise this graph"):
        onnx_int8(
            onnx.helper.make_model(
                onnx.helper.make_graph(
                    [onnx.helper.make_node("NoSuchLayer", ["image"], ["embedding"])],
                    "strange",
                    [
                        onnx.helper.make_tensor_value_info(
                            "image", onnx.TensorProto.UINT8, ["N", SIDE, SIDE, 3]
                        )
                    ],
                    [onnx.helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, ["N", 3])],
                )
            ).SerializeToString(),
            network,
            images,
            (),
        )
