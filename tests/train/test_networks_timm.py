"""Any network of timm as timm:NAME: pooled as timm pools it, stored as it is, refused in plain words."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from poxlens.errors import WeightsError
from poxlens.train.backbones import Backbone, load_backbone
from poxlens.train.features import Extractor
from poxlens.train.networks import timm_names
from poxlens.train.networks.registry import find_network
from poxlens.train.stored import store_backbone

TINY = {  # timm's own test networks: name -> pooling
    "timm:test_vit": "token",
    "timm:test_vit2": "library",  # means over tokens after its norm
    "timm:test_resnet": "mean",
    "timm:test_convnext": "library",  # norm after the mean
    "timm:test_efficientnet": "mean",
    "timm:test_vit3": "library",  # attention
}


@pytest.mark.parametrize("name", TINY)
def test_pooled_as_timm_pools_it_and_stored_as_it_is(name):
    network = find_network(name)
    assert network.pooling == TINY[name]
    torch.manual_seed(0)
    module = network.build(None)
    backbone = Backbone([network], [module])
    side = network.side
    images = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    planes = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    planes = (planes - torch.tensor(network.mean).reshape(3, 1, 1)) / torch.tensor(network.std).reshape(
        3, 1, 1
    )
    with torch.no_grad():
        features = module.network.forward_features(planes)
        expected = module.network.forward_head(features, pre_logits=True).numpy()
        maps, embedding = backbone.both(torch.from_numpy(images))
    assert embedding.shape == (2, network.channels)
    assert np.abs(embedding.numpy() - expected).max() < 1e-4 * np.abs(expected).max()
    assert maps.ndim == 4
    assert network.parameters == sum(value.numel() for value in module.parameters())
    found = Extractor(store_backbone(backbone, side=side)).pooled(images)
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()


def test_another_side_gives_the_same_in_the_graph():
    """Position embeddings are fitted to the side in torch at each call, and once in the graph."""
    network = find_network("timm:test_vit")
    torch.manual_seed(0)
    backbone = Backbone([network], [network.build(None)])
    side = network.side + 2 * network.multiple
    images = np.random.default_rng(0).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = backbone.both(torch.from_numpy(images))[1].numpy()
    found = Extractor(store_backbone(backbone, side=side)).pooled(images)
    assert np.abs(found - expected).max() < 0.01 * np.abs(expected).max()


def test_a_side_that_a_network_of_timm_does_not_take():
    class Fixed(torch.nn.Module):
        def reset_classifier(self, classes):
            pass

        def set_input_size(self, img_size):
            raise AssertionError(f"{img_size[0]} is not divisible by the window")

    with pytest.raises(WeightsError, match="takes no images of 250 px: 250 is not divisible"):
        timm_names.MapsAndEmbedding(Fixed()).settle(250)
    vit = find_network("timm:test_vit")
    backbone = Backbone([vit], [vit.build(None)])
    with pytest.raises(
        WeightsError, match="timm:test_vit takes no images of 250 px: the nearest side is 256 px"
    ):
        store_backbone(backbone, side=250)


def test_the_map_holds_the_patches_in_reading_order():
    network = find_network("timm:test_vit")
    module = network.build(None).eval()
    with torch.no_grad():
        planes = torch.randn(1, 3, network.side, network.side)
        tokens = module.network.forward_features(planes)
        maps, token = module.both(planes)
    wide = maps.shape[3]
    assert torch.equal(maps[0, :, 2, 3], tokens[0, module.network.num_prefix_tokens + 2 * wide + 3])
    assert torch.equal(token, tokens[:, 0])


def test_weights_of_the_hub_are_read_from_a_folder_and_pinned(tmp_path):
    network = find_network("timm:test_vit")
    assert network.weights.check == "first use"
    assert (
        network.weights.url == "https://huggingface.co/timm/test_vit.r160_in1k/resolve/main/model.safetensors"
    )
    torch.manual_seed(1)
    library = timm.create_model("test_vit.r160_in1k", pretrained=False)
    save_file(library.state_dict(), tmp_path / network.weights.file)
    with pytest.warns(UserWarning, match=r"was not known before; .*weights\.lock\.json keeps it"):
        backbone = load_backbone(["timm:test_vit"], [tmp_path], cache=tmp_path / "cache")
    state = backbone.parts[0].network.state_dict()
    assert all(torch.equal(value, library.state_dict()[name]) for name, value in state.items())
    assert len(state) > 20


def test_weights_of_another_network_are_refused(tmp_path):
    network = find_network("timm:test_vit")
    other = timm.create_model("test_resnet", pretrained=False)
    save_file(other.state_dict(), tmp_path / network.weights.file)
    with pytest.raises(WeightsError, match="holds other weights than timm:test_vit's"):
        load_backbone(["timm:test_vit"], [tmp_path], cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()  # and are not pinned


def test_a_name_that_timm_does_not_have():
    with pytest.raises(WeightsError, match=r'no network "convnxt_atto"; did you mean timm:convnext_atto'):
        find_network("timm:convnxt_atto")
    with pytest.raises(WeightsError, match=r'has no network "vit_tiny_patch16_224\.no_such_tag"'):
        find_network("timm:vit_tiny_patch16_224.no_such_tag")


def test_a_network_without_published_weights():
    bare = next(
        name
        for name in timm.list_models()
        if (config := timm.get_pretrained_cfg(name)) is None or not config.has_weights
    )
    with pytest.raises(WeightsError, match=f'timm has no weights of "{bare}"'):
        find_network(f"timm:{bare}")


def test_timm_is_not_installed(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(
        timm_names, "importlib", type("without", (), {"import_module": staticmethod(missing)})
    )
    with pytest.raises(WeightsError, match=r'pip install "poxlens\[train\]"'):
        find_network("timm:test_vit")
    assert importlib.import_module("timm") is timm
