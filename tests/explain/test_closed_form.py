"""Grad-CAM in closed form against the grad-cam library, for every head that a graph can hold; docs/explain.md runs."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from poxlens.explain.methods import explain
from poxlens.explain.network import Classifier
from poxlens.explain.photos import WAYS
from poxlens.export.tail import FloatTail, Head
from poxlens.train.backbones import Backbone
from poxlens.train.heads import LinearHead
from poxlens.train.networks.spec import IMAGENET, Network
from poxlens.train.novelty import Subspace
from poxlens.train.weights import Weights

DOCS = Path(__file__).parents[2] / "docs" / "explain.md"
CLASSES = 5
MOST = 1e-4  # of a map scaled to its maximum


@pytest.fixture(scope="module")
def snippets():
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "explain.md", "exec"), names)
    return names


def part(seed, channels):
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, 32, 7, 4, 3), nn.ReLU(), nn.Conv2d(32, channels, 5, 8, 2), nn.ReLU6()
    ).eval()
    return Network(f"n{seed}", channels, *IMAGENET, Weights("x", None, "none"), lambda _: module), module


def joined(*channels):
    parts = [part(seed, size) for seed, size in enumerate(channels)]
    return Backbone([one for one, _ in parts], [module for _, module in parts])


def leveled(backbone, levels):
    """The same, the last channels of each network being those of earlier levels."""
    networks = [replace(one, levels=count) for one, count in zip(backbone.networks, levels, strict=True)]
    return Backbone(networks, list(backbone.parts))


BACKBONES = {"one": joined(48), "three": joined(24, 40, 16), "levels": leveled(joined(40, 32), (12, 8))}
HEADS = {"linear": (), "hidden": (64,), "two hidden": (64, 32), "three hidden": (48, 32, 24)}


@pytest.fixture(scope="module", params=[(b, h) for b in BACKBONES for h in HEADS], ids=" ".join)
def case(request, photos):
    """Backbone, head's layers, features, and the library's map of every class."""
    backbone, units = BACKBONES[request.param[0]], HEADS[request.param[1]]
    size = sum(network.channels for network in backbone.networks)
    rng = np.random.default_rng(3)
    sizes = (size, *units, CLASSES)
    layers = [
        (rng.normal(0, 1.5 / a**0.5, (a, b)).astype(np.float32), rng.normal(0, 0.3, b).astype(np.float32))
        for a, b in pairwise(sizes)
    ]
    modules: list[nn.Module] = []
    for weight, bias in layers:
        linear = nn.Linear(*weight.shape)
        linear.weight.data, linear.bias.data = torch.from_numpy(weight.T.copy()), torch.from_numpy(bias)
        modules += [linear, nn.ReLU()]
    network = Classifier(backbone, nn.Sequential(*modules[:-1]))
    with torch.no_grad():
        features = backbone(torch.from_numpy(photos)).numpy()
    library = np.stack([explain(network, photos, number) for number in range(CLASSES)], 1)
    return layers, features, library, backbone.last_channels


def largest_difference(found, library):
    """Between maps [N, C, h, w], each scaled to its maximum, and how many there were to compare."""
    worst, compared = 0.0, 0
    for one, other in zip(
        found.reshape(-1, *found.shape[2:]), library.reshape(-1, *found.shape[2:]), strict=True
    ):
        if max(one.max(), other.max()) < 1e-9:
            continue
        compared += 1
        worst = max(worst, float(np.abs(one / one.max() - other / other.max()).max()))
    return worst, compared


def test_the_derivation_is_the_librarys_map(case, snippets):
    layers, features, library, last = case
    found = np.stack([snippets["hidden_map"](one, layers, last) for one in features])
    worst, compared = largest_difference(found, library)
    assert compared >= 8
    assert worst <= MOST
    assert np.abs(found - library).max() <= 1e-5 * library.max()  # unscaled too


def test_the_exported_tail_is_the_librarys_map(case):
    layers, features, library, last = case
    subspace = Subspace.fit(
        np.random.default_rng(0).normal(size=(40, features.shape[3])).astype(np.float32), 8
    )
    with torch.no_grad():
        tail = FloatTail(Head(tuple(layers)), subspace, last.tolist())
        found = tail(torch.from_numpy(features))["heatmap"].numpy()
    worst, compared = largest_difference(found, library)
    assert compared >= 8
    assert worst <= MOST


def test_a_standardising_head_is_a_linear_one(snippets, photos):
    backbone = BACKBONES["one"]
    with torch.no_grad():
        features = backbone(torch.from_numpy(photos)).numpy()
    pooled = features.mean((1, 2))
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(48, CLASSES)).astype(np.float32)
    head = LinearHead(pooled.mean(0), pooled.std(0) + 0.1, weight, np.zeros(CLASSES, np.float32))

    class Standardised(nn.Module):
        def forward(self, embedding):
            scaled = (embedding - torch.from_numpy(head.mean)) / torch.from_numpy(head.scale)
            return scaled @ torch.from_numpy(head.weight)

    network = Classifier(backbone, Standardised())
    library = np.stack([explain(network, photos, number) for number in range(CLASSES)], 1)
    found = np.stack([snippets["linear_map"](one, head.folded()[0]) for one in features])
    worst, compared = largest_difference(found, library)
    assert compared >= 8
    assert worst <= MOST


def test_the_snippet_explains_a_network(snippets):
    assert snippets["maps"].shape == (2, 3, 3)
    assert snippets["maps"].min() >= 0


def test_the_documented_methods_are_those_there_are():
    text = DOCS.read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z][a-z+-]*)` \|", text, re.MULTILINE) == list(WAYS)
