import numpy as np
import pytest
import torch

from poxlens.errors import WeightsError
from poxlens.train.backbones import NETWORKS, Backbone, load_backbone


def test_features_are_those_of_timm_on_normalised_input(lite0, images):
    """The package's weights in timm's own network, classifier and all, against the package's numbers."""
    import timm

    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    state = {name.removeprefix("network."): value for name, value in lite0.parts[0].state_dict().items()}
    network.load_state_dict(state, strict=False)
    network.eval()
    planes = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127.0) / 128.0
    with torch.inference_mode():
        expected = network.forward_features(planes).permute(0, 2, 3, 1)
        found = lite0(torch.from_numpy(images))
    assert found.shape == (8, 4, 4, NETWORKS["efficientnet-lite0"].channels)
    assert torch.allclose(found, expected, atol=1e-4)


def test_the_weights_are_where_they_belong(lite0):
    """ImageNet's own statistics: a batch norm fed by the wrong convolution would not keep this range."""
    noise = torch.randint(
        0, 256, (2, 224, 224, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    with torch.inference_mode():
        features = lite0(noise)
    assert float(features.min()) >= 0.0
    assert 1.0 < float(features.max()) <= 6.0  # relu6


def test_it_takes_floats_as_well(lite0, images):
    with torch.inference_mode():
        one = lite0(torch.from_numpy(images[:1]))
        two = lite0(torch.from_numpy(images[:1].astype(np.float32)))
    assert torch.equal(one, two)


def test_it_is_frozen(lite0):
    assert not lite0.training
    assert not any(parameter.requires_grad for parameter in lite0.parameters())


def test_several_networks_stand_side_by_side(images):
    class Mean(torch.nn.Module):
        def forward(self, image):
            return torch.nn.functional.avg_pool2d(image, 32)

    one, two = NETWORKS["efficientnet-lite0"], NETWORKS["mobilenet-v2"]
    both = Backbone([one, two], [Mean(), Mean()])
    found = both(torch.from_numpy(images)).numpy()
    assert found.shape == (8, 4, 4, 6)
    mean = images.reshape(8, 4, 32, 4, 32, 3).mean((2, 4)) / 255
    assert np.abs(found[..., :3] - (mean - one.mean) / one.std).max() < 1e-4
    assert np.abs(found[..., 3:] - (mean - two.mean) / two.std).max() < 1e-4


@pytest.mark.parametrize("names", [("resnet-9000",), ("efficientnet-lite0", "resnet-9000"), ()])
def test_an_unknown_network_lists_the_known(names):
    with pytest.raises(WeightsError, match="choose from ") as fault:
        load_backbone(names)
    assert ("resnet-9000" in str(fault.value)) == bool(names)


def test_missing_weights_are_told_by_file(tmp_path):
    with pytest.raises(WeightsError, match=r"mobilenet_v2-b0353104\.pth \(BSD-3-Clause\) not found"):
        load_backbone(("mobilenet-v2",), [tmp_path])
