"""Networks with the weights beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from poxlens.errors import WeightsError
from poxlens.train.backbones import NETWORKS, load_backbone

WEIGHTS = Path(__file__).parents[2] / ".." / "shared" / "weights"
HERE = ("mobilenet-v3-small", "mobilenet-v2", "resnet-18", "mobilenet-v3-large-aerial")

pytestmark = pytest.mark.real_data


@pytest.fixture(autouse=True)
def _weights():
    if not WEIGHTS.is_dir():
        pytest.skip("../shared/weights is not here")


@pytest.mark.parametrize("name", HERE)
def test_the_weights_of_the_folder_are_the_ones_that_are_meant(name, images):
    """Features of ImageNet's weights: the last maps of phantoms are neither dead nor wild, and differ by image."""
    backbone = load_backbone([name], [WEIGHTS])
    with torch.inference_mode():
        _, found = backbone.both(torch.from_numpy(images))
    assert found.shape == (8, NETWORKS[name].channels)
    assert 0.01 < float(found.abs().mean()) < 3
    assert float(found.std(0).mean()) > 0.01


def test_resnet_18_knows_a_colour_from_its_first_layer():
    """Its first kernel is torchvision's own, to half precision: the first numbers of its documentation."""
    backbone = load_backbone(["resnet-18"], [WEIGHTS])
    row = backbone.parts[0].conv1.weight[0, 0, 0]
    expected = torch.tensor([-0.0104, -0.0061, -0.0018, 0.0748, 0.0566, 0.0171, -0.0127])
    assert torch.allclose(row, expected, atol=6e-5)


def test_imagenets_mobilenet_v3_large_is_not_replaced_by_another():
    with pytest.raises(WeightsError, match=r"mobilenet_v3_large-8738ca79\.pth \(BSD-3-Clause\) not found"):
        load_backbone(["mobilenet-v3-large"], [WEIGHTS])
