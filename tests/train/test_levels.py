"""Earlier levels beside the last map."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from poxlens.errors import WeightsError
from poxlens.train.backbones import Backbone
from poxlens.train.features import Extractor
from poxlens.train.networks.levels import LEVELS, with_levels
from poxlens.train.networks.registry import NETWORKS, find_network
from poxlens.train.stored import store_backbone


def block_output(network, name, planes):
    """What a block gives, read apart from `Levels`."""
    found = []
    hook = network.get_submodule(name).register_forward_hook(lambda _, __, output: found.append(output))
    network(planes)
    hook.remove()
    return found[0]


@pytest.mark.parametrize("name", sorted(LEVELS))
def test_the_mean_over_places_is_each_levels_own(name):
    torch.manual_seed(0)
    spec = find_network(f"{name}@levels")
    module = spec.build(None).eval()
    planes = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        whole = module(planes)
        expected = [module.network(planes)]
        expected += [block_output(module.network, block, planes) for block, _ in LEVELS[name]]
    assert [one.shape[1] for one in expected[1:]] == [channels for _, channels in LEVELS[name]]
    assert spec.channels == whole.shape[1] == sum(one.shape[1] for one in expected)
    assert (
        Backbone([spec], [module]).last_channels.sum() == expected[0].shape[1] == spec.channels - spec.levels
    )
    means = torch.cat([one.mean((2, 3)) for one in expected], 1)
    assert torch.allclose(whole.mean((2, 3)), means, atol=1e-4)
    assert [one.shape[2] for one in expected] == [2, *(64 // n for n in (8, 16, 32)[: len(expected) - 1])]


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("mobilenet-v3-small", 576 + 24 + 48 + 96),
        ("efficientnet-lite0", 1280 + 40 + 112 + 320),
        ("resnet-18", 512 + 128 + 256),
    ],
)
def test_the_stored_graph_gives_the_same_features(name, size):
    torch.manual_seed(1)
    spec = find_network(f"{name}@levels")
    backbone = Backbone([spec], [spec.build(None)])
    image = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    stored = Extractor(store_backbone(backbone, side=64, most_bytes=10**12)).pooled(image)
    assert stored.shape == (1, size)
    with torch.no_grad():
        own = backbone(torch.from_numpy(image)).mean((1, 2)).numpy()
    assert np.abs(stored - own).max() < 0.02 * np.abs(own).max()  # weights in half precision


def test_networks_without_known_levels_are_refused():
    with pytest.raises(WeightsError, match="levels of vgg16 are not known"):
        find_network("vgg16@levels")
    with pytest.raises(WeightsError, match="unknown network"):
        find_network("vgg61@levels")


def test_a_side_that_places_do_not_divide_is_refused():
    backbone = Backbone([with_levels(NETWORKS["resnet-18"])], [torch.nn.Identity()])
    with pytest.raises(WeightsError, match="224 px"):
        backbone.check_side(230)
