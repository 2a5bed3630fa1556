"""The shipped graph against NumPy on the features, and its heat map against autograd."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch

from poxlens.data.phantom import draw, random_spec
from poxlens.errors import TrainingError
from poxlens.export.graph import assemble
from poxlens.screen.graph import OUTPUTS, Graph
from poxlens.train.backbones import load_backbone
from poxlens.train.features import Extractor
from poxlens.train.heads import LinearHead
from poxlens.train.novelty import Subspace
from poxlens.train.stored import store_backbone

SIDE, CLASSES = 96, 5


@pytest.fixture(scope="module")
def backbone():
    return load_backbone(("efficientnet-lite0",))


@pytest.fixture(scope="module")
def stored(backbone):
    return store_backbone(backbone, side=SIDE)


@pytest.fixture(scope="module")
def images():
    return np.stack([draw(random_spec(seed, size=SIDE)).image for seed in range(12)])


@pytest.fixture(scope="module")
def parts(stored, images):
    """A head and a subspace of plausible sizes; the head standardises."""
    features = Extractor(stored).pooled(images)
    rng = np.random.default_rng(0)
    head = LinearHead(
        features.mean(0),
        features.std(0) + 0.05,
        rng.normal(0, 0.05, (1280, CLASSES)).astype(np.float32),
        rng.normal(size=CLASSES).astype(np.float32),
    )
    return head, Subspace.fit(features, 8)


@pytest.fixture(scope="module")
def model(stored, parts):
    return assemble(stored, *parts)


@pytest.fixture(scope="module")
def graph(model):
    return Graph(model, size=SIDE, classes=CLASSES)


def test_a_network_with_a_pooling_of_its_own_is_refused(stored, parts):
    """Its embedding is not the mean of the map, so the heat map would not be Grad-CAM."""
    with pytest.raises(TrainingError, match="mean of its last map"):
        assemble(replace(stored, own_pooling=True), *parts)


@pytest.mark.parametrize("count", [1, 3])
def test_equals_numpy_on_the_features(stored, parts, graph, images, count):
    head, subspace = parts
    features = Extractor(stored)._session.run(None, {"image": images[:count]})[0]
    pooled = features.mean((1, 2))
    standard = (pooled - head.mean) / head.scale
    found = graph.run(images[:count])
    assert np.abs(found.embedding - pooled).max() < 1e-5
    assert np.abs(found.logits - (standard @ head.weight + head.bias)).max() < 1e-4
    # Directions are stored in half precision.
    assert np.abs(found.novelty - subspace.score(pooled)).max() < 1e-3
    alpha = head.weight / head.scale[:, None] / 9
    expected = np.maximum(features @ alpha, 0).transpose(0, 3, 1, 2)
    assert found.heatmap.shape == (count, CLASSES, 3, 3)
    assert np.abs(found.heatmap - expected).max() < 1e-5 * max(1.0, expected.max())


def features_of(backbone, images):
    with torch.no_grad():
        return backbone(torch.from_numpy(images))


def grad_cam(features, head, number):
    """Selvaraju 2017, eqs. 1-2, by autograd: the weights are gradients averaged over places."""
    maps = features[None].clone().requires_grad_(True)
    standard = (maps.mean((1, 2)) - torch.from_numpy(head.mean)) / torch.from_numpy(head.scale)
    logit = (standard @ torch.from_numpy(head.weight) + torch.from_numpy(head.bias))[0, number]
    (gradient,) = torch.autograd.grad(logit, maps)
    alpha = gradient.mean((1, 2), keepdim=True)
    return torch.relu((alpha * maps).sum(-1))[0].detach().numpy()


def test_the_heat_map_is_grad_cam_by_autograd(backbone, parts, graph, images):
    """Of the torch backbone in full precision, and so only as close as half precision is."""
    found, maps = graph.run(images[:3]).heatmap, features_of(backbone, images[:3])
    shown = 0
    for i in range(3):
        for number in range(CLASSES):
            expected = grad_cam(maps[i], parts[0], number)
            if expected.max() > 0.05 * found[i].max():
                shown += 1
                difference = found[i, number] / found[i, number].max() - expected / expected.max()
                assert np.abs(difference).max() < 0.1  # this head of random signs cancels most of the map
    assert shown >= 5


def test_unrounded_weights_give_autograds_map_to_a_ten_thousandth(backbone, parts, images, monkeypatch):
    """The same with a backbone stored in full precision: only the arithmetic is left to differ."""
    from poxlens.train import stored as module

    monkeypatch.setattr(module, "_SMALLEST", 10**9)
    head, subspace = parts
    full = Graph(assemble(store_backbone(backbone, side=SIDE), head, subspace), size=SIDE, classes=CLASSES)
    found, maps = full.run(images[:2]).heatmap, features_of(backbone, images[:2])
    shown = 0
    for i in range(2):
        for number in range(CLASSES):
            expected = grad_cam(maps[i], head, number)
            if expected.max() > 0.05 * found[i].max():
                shown += 1
                difference = found[i, number] / found[i, number].max() - expected / expected.max()
                assert np.abs(difference).max() < 1e-4
    assert shown >= 4


def test_a_photo_does_not_depend_on_the_batch(graph, images):
    together = graph.run(images[:3])
    for i in range(3):
        alone = graph.run(images[i : i + 1])
        for name in OUTPUTS:
            assert np.abs(getattr(alone, name)[0] - getattr(together, name)[i]).max() < 1e-5, name


def test_the_same_parts_give_the_same_bytes(stored, parts, model):
    assert assemble(stored, *parts) == model


def test_outputs_have_the_shapes_that_a_runtime_reads(model):
    outputs = {
        node.name: [d.dim_param or d.dim_value for d in node.type.tensor_type.shape.dim]
        for node in onnx.load_from_string(model).graph.output
    }
    assert outputs == {
        "logits": ["N", CLASSES],
        "embedding": ["N", 1280],
        "heatmap": ["N", CLASSES, 3, 3],
        "novelty": ["N"],
    }


def test_the_graph_adds_little_to_the_backbone(stored, model):
    assert len(model) - len(stored.model) < 2 * 1280 * CLASSES * 4 + 2 * 1280 * 4 + 1280 * 8 * 2 + 5_000
