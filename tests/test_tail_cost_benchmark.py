"""The graph with logits alone gives the same logits, and nothing that is not needed is left in it."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from benchmarks.tail_cost import cost, logits_alone, models_in


def test_logits_alone_are_the_same(tiny):
    model, cut = tiny.model(), logits_alone(tiny.model())
    photo = np.random.default_rng(0).integers(0, 256, (1, tiny.SIZE, tiny.SIZE, 3), np.uint8)
    one, other = (
        onnxruntime.InferenceSession(data).run(["logits"], {"image": photo})[0] for data in (model, cut)
    )
    np.testing.assert_array_equal(one, other)
    graph = onnx.load_from_string(cut).graph
    assert [node.op_type for node in graph.node] == ["Cast", "Div", "ReduceMean", "Gemm"]
    assert [output.name for output in graph.output] == ["logits"]
    assert {tensor.name for tensor in graph.initializer} == {"scale", "axes", "weights", "bias"}


def test_the_ratio_is_of_pairs(tiny, tiny_path):
    (name, model), *rest = models_in(tiny_path).items()
    assert rest == []
    found = cost(name, model, rounds=20)
    assert found.n == 20
    assert found.spread[0] <= found.spread[1]
    assert found.ratio > 0.5  # more work cannot take half the time, however busy the machine is
