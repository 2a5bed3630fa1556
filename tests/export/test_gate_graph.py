"""The novelty gate in the graphs of the phone, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from poxlens.errors import ExportError
from poxlens.export.graph import assemble
from poxlens.export.litert import find_tools, litert_forms
from poxlens.export.onnx_forms import onnx_fp32
from poxlens.export.tail import FloatTail, PhoneGraph
from poxlens.recipes.phone.trained import _head_of
from poxlens.screen.graph import Graph
from poxlens.screen.litert import LiteRTGraph
from poxlens.train.novelty.gate import Gate
from poxlens.train.stored import store_backbone

SIDE, CHANNELS, CLASSES = 64, 24, 3


@pytest.fixture(scope="module")
def gate():
    random = np.random.default_rng(5)
    centres = random.normal(size=(CHANNELS, 5))
    centres = (centres / np.linalg.norm(centres, axis=0)).astype(np.float16).astype(np.float32)
    weight = random.normal(size=(CHANNELS, 2)).astype(np.float32)
    return Gate(centres, -3.0, 2.5, weight, np.array([0.1, -0.4], np.float32))


def test_torch_gives_what_numpy_gives(heads, gate):
    maps = torch.from_numpy(np.random.default_rng(3).gamma(1.0, 1.0, (6, 2, 2, CHANNELS)).astype(np.float32))
    found = FloatTail(heads[1], gate)(maps)["novelty"].numpy()
    expected = gate.score(maps.numpy().mean((1, 2)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(expected) > 0.5


@pytest.mark.parametrize("depth", [1, 2])
def test_onnx_gives_what_torch_gives(network, images, heads, gate, depth):
    found = Graph(onnx_fp32(network, heads[depth], gate, SIDE), size=SIDE, classes=CLASSES).run(images[:4])
    expected = PhoneGraph(network, FloatTail(heads[depth], gate))(
        torch.from_numpy(images[:4].astype(np.float32))
    )
    np.testing.assert_allclose(found.novelty, expected["novelty"].numpy(), atol=1e-4)
    np.testing.assert_allclose(found.logits, expected["logits"].numpy(), atol=1e-4)


def test_a_run_s_graph_gives_its_gate_back(backbone, heads, gate):
    _, found = _head_of(assemble(store_backbone(backbone, side=SIDE), heads[1], gate))
    assert isinstance(found, Gate)
    features = np.random.default_rng(0).gamma(1.0, 1.0, (9, CHANNELS)).astype(np.float32)
    np.testing.assert_array_equal(found.score(features), gate.score(features))


def test_litert_gives_what_onnx_gives(network, images, heads, gate):
    try:
        python = find_tools()
    except ExportError:
        pytest.skip("the LiteRT tools are not installed (make litert-tools): no conversion is tested")
    made = litert_forms(network, network, FloatTail(heads[1], gate), images, (), ("fp32",), python=python)
    found = LiteRTGraph(made["fp32"], size=SIDE, classes=CLASSES).run(images[:4])
    expected = Graph(onnx_fp32(network, heads[1], gate, SIDE), size=SIDE, classes=CLASSES).run(images[:4])
    np.testing.assert_allclose(found.novelty, expected.novelty, atol=1e-4)
