"""The methods on networks of every kind, against definitions that are computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from poxlens.explain.methods import METHODS, explain, plain
from poxlens.explain.network import Classifier, Explainable, ExplanationError
from poxlens.train.backbones import Backbone
from poxlens.train.networks.spec import IMAGENET, Network
from poxlens.train.networks.timm_names import MapsAndEmbedding
from poxlens.train.networks.transformers import VisionTransformer, swin_maps, torchvision
from poxlens.train.weights import Weights

SIDE, CLASSES = 96, 4


def small(name, module, channels, pooling="mean", multiple=1):
    """A network with random weights, small enough for a test, as the registry describes one."""
    spec = Network(
        name,
        channels,
        *IMAGENET,
        Weights("x", None, "none"),
        lambda _: module,
        pooling=pooling,
        multiple=multiple,
    )
    return Backbone([spec], [module.eval()])


def vit():
    torch.manual_seed(0)
    network = torchvision.models.VisionTransformer(96, 16, 3, 4, 64, 128)
    nn.init.normal_(network.class_token, std=0.5)  # zero where it is not trained
    return small("vit", VisionTransformer(network), 64, "token", 16)


def swin():
    torch.manual_seed(0)
    network = torchvision.models.SwinTransformer([4, 4], 24, [2, 2], [2, 2], [3, 3])
    return small("swin", swin_maps(network), 48)


def timm_vit():
    import timm

    torch.manual_seed(0)
    made = timm.create_model("vit_tiny_patch16_224", img_size=96, depth=3, dynamic_img_size=True)
    return small("timm-vit", MapsAndEmbedding(made), 192, "token", 16)


def timm_swin():
    import timm

    torch.manual_seed(0)
    made = timm.create_model("swin_tiny_patch4_window7_224", img_size=96, window_size=3, depths=(1, 1, 1, 1))
    return small("timm-swin", MapsAndEmbedding(made), 768, "library")


def convolutional():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 16, 5, 4, 2), nn.ReLU(), nn.Conv2d(16, 24, 3, 4, 1), nn.ReLU())
    return small("convolutions", nn.Sequential(*layers), 24)


BUILDERS = {one.__name__: one for one in (convolutional, vit, swin, timm_vit, timm_swin)}
PLACES = {"convolutional": 6, "vit": 6, "swin": 12, "timm_vit": 6, "timm_swin": 3}


@pytest.fixture(scope="module", params=BUILDERS)
def network(request):
    backbone = BUILDERS[request.param]()
    torch.manual_seed(1)
    head = nn.Sequential(nn.Linear(backbone.networks[0].channels, 32), nn.ReLU(), nn.Linear(32, CLASSES))
    return request.param, Classifier(backbone, head)


def planes_of(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2).float()


def by_hooks(model, images, target):
    """Activations and gradients [N, D, h, w] at the layer, by hooks of our own."""
    kept = {}

    def hook(module, inputs, output):
        output.retain_grad()
        kept["output"] = output

    handle = model.layer.register_forward_hook(hook)
    model(planes_of(images).requires_grad_(True))[:, target].sum().backward()
    handle.remove()
    output, gradient = kept["output"], kept["output"].grad
    shape = model.reshape or (lambda value: value)
    return shape(output.detach()).numpy(), shape(gradient).numpy()


def test_the_cams_are_their_formulas_on_every_kind_of_network(network, photos):
    name, model = network
    activations, gradients = by_hooks(model, photos, 2)
    assert activations.shape[2:] == (PLACES[name],) * 2
    assert np.abs(gradients).max() > 0  # not behind the class token, where no place counts any more
    expected = {
        "gradcam": np.maximum((gradients.mean((2, 3), keepdims=True) * activations).sum(1), 0),
        "layercam": np.maximum((np.maximum(gradients, 0) * activations).sum(1), 0),
    }
    for method, wanted in expected.items():
        found = explain(model, photos, 2, method)
        assert found.shape == (4, PLACES[name], PLACES[name])
        assert np.abs(found - wanted).max() <= 1e-5 * max(1.0, wanted.max())


def test_grad_cam_plus_plus_weights_each_place_as_its_paper_says(photos):
    """Chattopadhay 2018, eq. 19, with exp(logit) as the score that makes higher derivatives powers of the first."""
    torch.manual_seed(1)
    model = Classifier(convolutional(), nn.Linear(24, CLASSES))
    activations, gradients = by_hooks(model, photos, 1)
    squared, cubed = gradients**2, gradients**3
    share = squared / (2 * squared + activations.sum((2, 3), keepdims=True) * cubed + 1e-6)
    weights = (share * np.maximum(gradients, 0)).sum((2, 3), keepdims=True)
    wanted = np.maximum((weights * activations).sum(1), 0)
    found = explain(model, photos, 1, "gradcam++")
    assert wanted.max() > 0
    assert np.abs(found - wanted).max() <= 1e-5 * max(1.0, wanted.max())


def test_integrated_gradients_add_up_to_what_the_photo_says_more_than_the_plain_one(network, photos):
    _, model = network
    found = explain(model, photos, 0, "integrated-gradients")
    against = explain(Negative(model), photos, 0, "integrated-gradients")
    planes = planes_of(photos)
    with torch.no_grad():
        wanted = (model(planes) - model(plain(planes)))[:, 0].numpy()
    total = found.sum((1, 2)) - against.sum((1, 2))
    assert np.abs(total - wanted).max() <= 0.1 * (found.sum((1, 2)) + against.sum((1, 2))).max()
    assert np.corrcoef(total, wanted)[0, 1] > 0.9


class Negative(Explainable):
    """Minus another network: what speaks for it speaks against the other."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.layer, self.reshape = inner, inner.layer, inner.reshape

    def forward(self, planes):
        return -self.inner(planes)


class Corner(Explainable):
    """The mean of the red of one quarter: what speaks for it is known."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Identity()
        self.scale = nn.Parameter(torch.ones(1), requires_grad=False)

    def forward(self, planes):
        red = self.layer(planes)[:, 0, :48, :48].mean((1, 2))
        return torch.stack([red, -red], 1)


def test_pixels_that_count_are_found_by_occlusion_and_integrated_gradients(photos):
    model = Corner()
    for method in ("occlusion", "integrated-gradients"):
        found = explain(model, photos, 0, method)
        assert found.shape == (4, SIDE, SIDE)
        outside = found.copy()
        outside[:, :62, :62] = 0  # a window of occlusion reaches 14 px beyond the quarter
        assert found.max() > 0
        assert outside.max() == 0


def test_occlusion_is_the_fall_of_the_logit_when_a_window_is_hidden(photos):
    """The first pixel lies in one window only, 14 px wide at this side."""
    model = Corner()
    planes = planes_of(photos)
    hidden = planes.clone()
    hidden[:, :, :14, :14] = plain(planes)[:, :, :14, :14]
    with torch.no_grad():
        fall = (model(planes) - model(hidden)).numpy()
    assert np.abs(fall).max() > 0.01
    for target in (0, 1):
        found = explain(model, photos, target, "occlusion")[:, 0, 0]
        assert np.abs(found - np.maximum(fall[:, target], 0)).max() < 1e-4


def test_the_plain_photo_keeps_colours_and_loses_lesions(photos):
    planes = planes_of(photos)
    without = plain(planes)
    assert without.shape == planes.shape
    assert (planes.mean((2, 3)) - without.mean((2, 3))).abs().max() < 2.0
    assert (without.diff(dim=3).abs().amax() < planes.diff(dim=3).abs().amax() / 3).item()


def test_one_photo_or_many_give_the_same_map(network, photos):
    _, model = network
    for method in ("gradcam", "layercam"):
        together = explain(model, photos, [0, 1, 2, 3], method)
        for at in range(4):
            alone = explain(model, photos[at : at + 1], at, method)[0]
            assert np.abs(alone - together[at]).max() <= 1e-5 * max(1.0, alone.max())


def test_what_cannot_be_explained_is_named(photos):
    model = Corner()
    for arguments, words in (
        ((photos, 0, "lime"), "no method 'lime'"),
        ((photos.astype(np.float32), 0), "uint8"),
        ((photos, 2), "0 to 1"),
        ((photos, [0, 1]), "2 targets for 4 images"),
    ):
        with pytest.raises(ExplanationError, match=words):
            explain(model, *arguments)


def test_two_networks_of_which_one_reads_a_class_token_are_refused():
    one, other = vit(), convolutional()
    both = Backbone([*one.networks, *other.networks], [*one.parts, *other.parts])
    with pytest.raises(ExplanationError, match="vit, convolutions"):
        Classifier(both, nn.Identity())


def test_joined_networks_are_read_at_one_map(photos):
    """The sum over all channels before the ReLU, and not the mean of two maps."""
    one, other = convolutional(), swin_like()
    both = Backbone([*one.networks, *other.networks], [*one.parts, *other.parts])
    torch.manual_seed(2)
    model = Classifier(both, nn.Linear(24 + 8, CLASSES))
    with torch.no_grad():
        maps = both(torch.from_numpy(photos)).permute(0, 3, 1, 2).numpy()
    weight = model.head.weight.numpy()[3]
    wanted = np.maximum((weight[None, :, None, None] * maps).sum(1) / 36, 0)
    assert np.abs(explain(model, photos, 3) - wanted).max() <= 1e-5 * max(1.0, wanted.max())


def swin_like():
    torch.manual_seed(3)
    return small("other", nn.Sequential(nn.Conv2d(3, 8, 16, 16), nn.ReLU()), 8)


def test_every_method_on_a_network_with_its_own_weights(photos, lite0):
    torch.manual_seed(0)
    model = Classifier(lite0, nn.Linear(1280, CLASSES))
    for method in METHODS:
        found = explain(model, photos[:1], 1, method)
        assert found.min() >= 0
        assert found.max() > 0
