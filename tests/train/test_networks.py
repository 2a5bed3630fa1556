"""Every network by name: its size, its last map, its pooling, its graph, and one step of learning; random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from poxlens.errors import WeightsError
from poxlens.train import stored as stored_module
from poxlens.train.backbones import Backbone
from poxlens.train.features import Extractor
from poxlens.train.networks.registry import AISM, CAMPANA, NETWORKS, find_network
from poxlens.train.networks.spec import OwnPooling
from poxlens.train.stored import store_backbone

HEAVY = ("vgg19", "resnext-101-64x4d", "regnet-y-16gf", "regnet-x-32gf", "vit-b-16", "swin-b")
"""More than 80 million weights, or an hour of a phone: their graphs are made by `make soak` only."""
MIDDLE = ("resnet-50", "resnet-101", "densenet-201", "inception-resnet-v2", "vgg16", "dinov2-s", "googlenet")
LIGHT = tuple(name for name in NETWORKS if name not in HEAVY + MIDDLE)


@pytest.fixture(autouse=True)
def _regnet_on_the_meta_device(monkeypatch):
    """torchvision computes the widths of RegNet with tensors, which must hold numbers."""
    from torchvision.models.regnet import BlockParams

    real = BlockParams.from_init_params.__func__

    def on_cpu(cls, *args, **kwargs):
        with torch.device("cpu"):
            return real(cls, *args, **kwargs)

    monkeypatch.setattr(BlockParams, "from_init_params", classmethod(on_cpu))


def smallest(network):
    side = max(network.least, 64 if network.multiple == 1 else 0)
    return -(-max(side, 2 * network.multiple) // network.multiple) * network.multiple


def as_map(output, maps):
    """The hooked layer's output in the form of the map: tokens without the class token, as a grid."""
    if output.ndim == 3:
        tokens = output[:, output.shape[1] - maps.shape[2] * maps.shape[3] :]
        return tokens.transpose(1, 2).reshape(maps.shape)
    return output


def test_all_networks_of_the_papers_are_there():
    assert len(CAMPANA) + len(AISM) == 15
    assert set(CAMPANA + AISM) < set(NETWORKS)
    titles = {NETWORKS[name].title for name in CAMPANA + AISM}
    assert titles == {
        *("VGG16", "InceptionResNetV2", "NASNetMobile", "MobileNetV3-Small", "MobileNetV3-Large"),
        *("VGG19", "GoogLeNet", "ResNet101", "ResNeXt101-64x4d", "DenseNet201"),
        *("EfficientNet-B0", "RegNetY-16GF", "RegNetX-32GF", "ViT-B/16", "Swin-B"),
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_what_its_spec_says_of_the_module(name):
    """On the meta device: shapes without numbers, so that the largest take no time either."""
    network = NETWORKS[name]
    with torch.device("meta"), torch.no_grad():
        module = network.build(None).eval()
        outputs = []
        layer = module.get_submodule(network.layer)
        layer.register_forward_hook(lambda *call: outputs.append(call[-1]))
        maps = module(torch.zeros(1, 3, network.side, network.side))
        last = outputs[-1]
        least = -(-network.least // network.multiple) * network.multiple
        assert min(module(torch.zeros(1, 3, least, least)).shape[2:]) >= 1
    assert network.name == name
    assert sum(value.numel() for value in module.parameters()) == network.parameters
    assert maps.shape[:2] == (1, network.channels)
    assert as_map(last, maps).shape == maps.shape
    assert isinstance(module, OwnPooling) == (network.pooling != "mean")
    assert network.side % network.multiple == 0


@pytest.mark.parametrize("name", NETWORKS)
def test_its_side_is_that_of_the_library(name):
    """torchvision and timm tell how each network's own evaluation prepares photos."""
    network = NETWORKS[name]
    file, url = network.weights.file, network.weights.url or ""
    if "download.pytorch.org" in url:
        import torchvision

        enums = [
            torchvision.models.get_model_weights(one)
            for one in torchvision.models.list_models(torchvision.models)
        ]
        (published,) = [one for enum in enums for one in enum if one.url == url]
        transform = published.transforms()
        assert (network.side, network.interpolation) == (
            transform.crop_size[0],
            transform.interpolation.value,
        )
        if name != "googlenet":  # which goes on to its own scale inside
            assert [*network.mean, *network.std] == [*transform.mean, *transform.std]
    elif "huggingface.co" in url:
        import timm

        config = timm.get_pretrained_cfg(file.removesuffix(".safetensors"))
        assert url == f"https://huggingface.co/{config.hf_hub_id}/resolve/main/model.safetensors"
        assert (network.side, network.interpolation) == (config.input_size[-1], config.interpolation)
        assert (network.mean, network.std) == (config.mean, config.std)
        assert config.license == network.weights.licence.lower()
    else:
        assert name.startswith("efficientnet-lite") or name in ("nasnet-mobile", "mobilenet-v3-large-aerial")


def norm_by(backbone, images):
    """Batch norm by these images, without which random weights let the signal die away."""
    norms = [module for module in backbone.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.train().momentum = 1.0
    with torch.no_grad():
        backbone(images)
    for norm in norms:
        norm.eval()


def graph_and_step(name, monkeypatch):
    # In full precision: random weights blow up what rounding to half does, which tests/train/test_stored.py measures.
    monkeypatch.setattr(stored_module, "_SMALLEST", 10**12)
    network = NETWORKS[name]
    side = smallest(network)
    torch.manual_seed(0)
    backbone = Backbone([network], [network.build(None)])
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    norm_by(backbone, torch.from_numpy(images))
    with torch.no_grad():
        maps, expected = backbone.both(torch.from_numpy(images))
    assert expected.shape == (2, network.channels)
    assert torch.isfinite(expected).all()
    if network.pooling == "mean":
        assert torch.allclose(maps.mean((1, 2)), expected, atol=1e-5)
    stored = store_backbone(backbone, side=side, most_bytes=10**12)
    found = Extractor(stored).pooled(images)
    scale = np.abs(expected.numpy()).max()
    assert scale > 0.1
    assert np.abs(found - expected.numpy()).max() < 1e-3 * scale
    head = torch.nn.Linear(network.channels, 2)
    optimiser = torch.optim.SGD(head.parameters(), lr=0.1 / float((expected**2).sum(1).max()))
    truth, features = torch.tensor([0, 1]), torch.from_numpy(found)
    before = torch.nn.functional.cross_entropy(head(features), truth)
    before.backward()
    optimiser.step()
    assert torch.nn.functional.cross_entropy(head(features), truth) < before


@pytest.mark.parametrize("name", LIGHT)
def test_graph_and_a_step_of_a_head(name, monkeypatch):
    graph_and_step(name, monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("name", MIDDLE + HEAVY)
def test_graph_and_a_step_of_a_head_of_large_networks(name, monkeypatch):
    graph_and_step(name, monkeypatch)


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("resnet-18", "resnet18"),
        ("googlenet", "googlenet"),
        ("efficientnet-b0", "efficientnet_b0"),
        ("densenet-201", "densenet201"),
        ("mobilenet-v2", "mobilenet_v2"),
    ],
)
def test_the_embedding_is_torchvisions_own_pooling(name, architecture):
    """The whole network with its classifier, from one state dict, against the module that is cut from it."""
    import torchvision

    network = NETWORKS[name]
    options = {"init_weights": False, "transform_input": True} if name == "googlenet" else {}
    torch.manual_seed(0)
    whole = getattr(torchvision.models, architecture)(**options).eval()
    seen = []
    (last,) = [m for n, m in whole.named_modules() if n in ("fc", "classifier")]
    last.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    backbone = Backbone([network], [network.build(whole.state_dict())])
    image = torch.randint(0, 256, (1, 64, 64, 3)).float()
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    with torch.no_grad():
        whole(((image / 255 - mean) / std).permute(0, 3, 1, 2))
        _, found = backbone.both(image)
    assert torch.allclose(found, seen[0].flatten(1), atol=1e-4 * float(seen[0].abs().max()))


def test_a_transformers_embedding_is_its_class_token():
    import torchvision

    from poxlens.train.networks.transformers import VisionTransformer

    torch.manual_seed(0)
    whole = torchvision.models.VisionTransformer(64, 16, 2, 2, 32, 64, num_classes=5).eval()
    torch.nn.init.normal_(whole.heads.head.weight)
    planes = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected, tokens = whole(planes), []
        whole.encoder.register_forward_hook(lambda *call: tokens.append(call[-1]))
        whole(planes)
        head = whole.heads
        maps, embedding = VisionTransformer(whole).both(planes)
        assert torch.allclose(head(embedding), expected, atol=1e-5)
    assert maps.shape == (2, 32, 4, 4)
    assert torch.allclose(maps[:, :, 1, 2], tokens[0][:, 1 + 1 * 4 + 2], atol=1e-5)


def test_a_transformer_at_another_side_interpolates_as_torchvision_does():
    import torchvision
    from torchvision.models.vision_transformer import interpolate_embeddings

    from poxlens.train.networks.transformers import VisionTransformer

    def made(side):
        return torchvision.models.VisionTransformer(side, 16, 1, 2, 32, 64, num_classes=5).eval()

    torch.manual_seed(0)
    small = made(64)
    torch.nn.init.normal_(small.encoder.pos_embedding)
    large = made(96)
    large.load_state_dict(interpolate_embeddings(96, 16, small.state_dict()))
    planes = torch.randn(1, 3, 96, 96)
    one, two = VisionTransformer(small), VisionTransformer(large)
    with torch.no_grad():
        assert torch.allclose(one.both(planes)[1], two.both(planes)[1], atol=1e-5)
        one.settle(96)
        assert torch.allclose(one.both(planes)[1], two.both(planes)[1], atol=1e-5)


@pytest.mark.parametrize("side", [64, 96])
def test_a_transformers_graph_gives_its_class_token(side):
    import torchvision

    from poxlens.train.networks.transformers import VisionTransformer

    torch.manual_seed(0)
    whole = torchvision.models.VisionTransformer(64, 16, 2, 2, 32, 64)
    torch.nn.init.normal_(whole.encoder.pos_embedding)
    network = replace(NETWORKS["vit-b-16"], channels=32)
    backbone = Backbone([network], [VisionTransformer(whole)])
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    with torch.no_grad():
        maps, expected = backbone.both(torch.from_numpy(images))
    assert maps.shape == (2, side // 16, side // 16, 32)
    assert float((maps.mean((1, 2)) - expected).abs().max()) > 0.1  # the mean would be something else
    stored = store_backbone(backbone, side=side)
    assert stored.own_pooling
    found = Extractor(stored).pooled(images)
    assert np.abs(found - expected.numpy()).max() < 0.01 * float(expected.abs().max())
    assert whole.encoder.pos_embedding.shape == (1, 17, 32)  # only the graph's copy is fitted to the side


def test_swins_embedding_is_its_mean():
    import torchvision

    from poxlens.train.networks.transformers import swin_maps

    torch.manual_seed(0)
    whole = torchvision.models.SwinTransformer([4, 4], 16, [1, 1], [2, 2], [4, 4], num_classes=5).eval()
    planes = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = whole(planes)
        maps = swin_maps(whole)(planes)
        assert torch.allclose(whole.head(maps.mean((2, 3))), expected, atol=1e-5)


def test_old_names_of_densenet_are_read():
    """The hub's file has `denselayer1.norm.1.weight` where torchvision now has `denselayer1.norm1.weight`."""
    import re

    import torchvision

    torch.manual_seed(0)
    state = torchvision.models.densenet201().state_dict()
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name): value
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }
    assert old.keys() != state.keys()
    module = NETWORKS["densenet-201"].build(old)
    assert all(torch.equal(v, state[n]) for n, v in module.state_dict().items() if n in old)
    name = "features.denseblock4.denselayer32.norm2.weight"
    assert torch.equal(module.state_dict()[name], state[name])


@pytest.mark.parametrize("asked", ["VGG-16", "NASNetMobil", "ViT-B/16", "mobilenet_v3_small", "Swin B"])
def test_a_slip_is_told_with_the_closest_name(asked):
    closest = {
        "VGG-16": "vgg16",
        "NASNetMobil": "nasnet-mobile",
        "ViT-B/16": "vit-b-16",
        "mobilenet_v3_small": "mobilenet-v3-small",
        "Swin B": "swin-b",
    }[asked]
    with pytest.raises(WeightsError, match=f"did you mean {closest}\\?") as fault:
        find_network(asked)
    assert f'"{asked}"' in str(fault.value)


def test_a_side_that_does_not_suit_is_told():
    class Nothing(torch.nn.Module):
        def forward(self, planes):
            return planes

    vit = Backbone([NETWORKS["vit-b-16"]], [Nothing()])
    with pytest.raises(WeightsError, match="vit-b-16 takes no images of 250 px: the nearest side is 256 px"):
        vit(torch.zeros(1, 250, 250, 3))
    inception = Backbone([NETWORKS["inception-resnet-v2"]], [Nothing()])
    with pytest.raises(WeightsError, match="the nearest side is 75 px"):
        inception.check_side(64)
    inception.check_side(299)


def test_maps_of_different_size_do_not_stand_side_by_side():
    networks = [NETWORKS["mobilenet-v2"], NETWORKS["resnet-18"]]
    both = Backbone(networks, [torch.nn.AvgPool2d(32), torch.nn.AvgPool2d(16)])
    with pytest.raises(WeightsError, match=r"mobilenet-v2 \(2, 2\), resnet-18 \(4, 4\)"):
        both(torch.zeros(1, 64, 64, 3))
