"""Head, heat map and novelty, in torch and in ONNX, against autograd and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from poxlens.export.graph import assemble
from poxlens.export.onnx_forms import onnx_fp32
from poxlens.export.tail import FloatTail, Head, PhoneGraph
from poxlens.screen.graph import OUTPUTS, Graph
from poxlens.train.heads import LinearHead
from poxlens.train.stored import store_backbone

SIDE, CHANNELS, CLASSES = 64, 24, 3


@pytest.fixture(scope="module")
def maps():
    return torch.from_numpy(np.random.default_rng(3).gamma(1.0, 1.0, (4, 2, 2, CHANNELS)).astype(np.float32))


def layers_of(head):
    modules = []
    for i, (weight, bias) in enumerate(head.layers):
        linear = torch.nn.Linear(*weight.shape)
        linear.weight.data, linear.bias.data = torch.from_numpy(weight.T.copy()), torch.from_numpy(bias)
        modules += [linear] + ([torch.nn.ReLU()] if i < len(head.layers) - 1 else [])
    return torch.nn.Sequential(*modules)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_heat_map_is_grad_cam_by_autograd(heads, subspace, maps, depth):
    found = FloatTail(heads[depth], subspace)(maps)
    taken = maps.clone().requires_grad_(True)
    logits = layers_of(heads[depth])(taken.mean((1, 2)))
    torch.testing.assert_close(found["logits"], logits, atol=1e-5, rtol=1e-5)
    for c in range(CLASSES):
        gradient = torch.autograd.grad(logits[:, c].sum(), taken, retain_graph=True)[0]
        weights = gradient.mean((1, 2), keepdim=True)
        expected = torch.relu((taken * weights).sum(3)).detach()
        assert expected.max() > 0.01
        torch.testing.assert_close(found["heatmap"][:, c], expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("depth", [1, 3])
def test_earlier_levels_have_a_share_in_the_logits_and_none_in_the_map(
    network, images, heads, subspace, depth
):
    """Grad-CAM at the last map: the same as if the channels of the levels were not there."""
    last = tuple(i < CHANNELS - 5 for i in range(CHANNELS))
    features = network(torch.from_numpy(images[:4].astype(np.float32)))
    found = FloatTail(heads[depth], subspace, last)(features)
    every = FloatTail(heads[depth], subspace)(features)
    torch.testing.assert_close(found["logits"], every["logits"])
    taken = features.clone().requires_grad_(True)
    logits = layers_of(heads[depth])(taken.mean((1, 2)))
    for c in range(CLASSES):
        gradient = torch.autograd.grad(logits[:, c].sum(), taken, retain_graph=True)[0].mean(
            (1, 2), keepdim=True
        )
        expected = torch.relu((taken * gradient)[..., : CHANNELS - 5].sum(3)).detach()
        torch.testing.assert_close(found["heatmap"][:, c], expected, atol=1e-6, rtol=1e-5)
    assert not torch.allclose(found["heatmap"], every["heatmap"])
    model = Graph(onnx_fp32(network, heads[depth], subspace, SIDE, last), size=SIDE, classes=CLASSES)
    outputs = model.run(images[:4])
    for name in ("logits", "heatmap"):
        np.testing.assert_allclose(getattr(outputs, name), found[name].numpy(), atol=2e-5, err_msg=name)


def test_embedding_and_novelty(heads, subspace, maps):
    found = FloatTail(heads[1], subspace)(maps)
    pooled = maps.numpy().mean((1, 2))
    np.testing.assert_allclose(found["embedding"].numpy(), pooled, atol=1e-6)
    np.testing.assert_allclose(found["novelty"].numpy(), subspace.score(pooled), atol=1e-5)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_onnx_and_torch_are_one_graph(network, images, heads, subspace, depth):
    model = Graph(onnx_fp32(network, heads[depth], subspace, SIDE), size=SIDE, classes=CLASSES)
    outputs = model.run(images[:6])
    expected = PhoneGraph(network, FloatTail(heads[depth], subspace))(
        torch.from_numpy(images[:6].astype(np.float32))
    )
    for name in OUTPUTS:
        atol = 1e-4 if name == "novelty" else 2e-5  # its directions are stored in half precision
        np.testing.assert_allclose(getattr(outputs, name), expected[name].numpy(), atol=atol, err_msg=name)
    assert outputs.heatmap.shape == (6, CLASSES, 2, 2)
    # One photo at a time gives the same: nothing depends on the number.
    np.testing.assert_allclose(model.run(images[3:4]).heatmap[0], outputs.heatmap[3], atol=2e-5)


def test_a_linear_head_keeps_its_bytes(backbone, subspace):
    rng = np.random.default_rng(0)
    linear = LinearHead(
        rng.normal(size=CHANNELS).astype(np.float32),
        np.ones(CHANNELS, np.float32),
        rng.normal(size=(CHANNELS, CLASSES)).astype(np.float32),
        np.zeros(CLASSES, np.float32),
    )
    stored = store_backbone(backbone, side=SIDE)
    assert assemble(stored, linear, subspace) == assemble(stored, Head.linear(linear), subspace)


def test_standardisation_is_folded_into_the_first_layer(heads):
    rng = np.random.default_rng(4)
    mean, scale = (
        rng.normal(size=CHANNELS).astype(np.float32),
        rng.uniform(0.5, 2, CHANNELS).astype(np.float32),
    )
    features = rng.normal(size=(7, CHANNELS)).astype(np.float32)
    made = Head.standardised(mean, scale, heads[2].layers)
    np.testing.assert_allclose(made.logits(features), heads[2].logits((features - mean) / scale), atol=1e-4)
    assert made.classes == CLASSES
    assert made.parameters == CHANNELS * 16 + 16 + 16 * CLASSES + CLASSES
