"""torchvision's convolutional networks, cut before their pooling."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

from torch import nn

from poxlens.train.networks.spec import HALVES, IMAGENET, Build, Network, State, load
from poxlens.train.torchvision_compat import import_torchvision
from poxlens.train.weights import Weights

torchvision: Any = import_torchvision()

_UNUSED = ("classifier.", "fc.", "aux1.", "aux2.")


def hub(file: str, sha256: str | None = None) -> Weights:
    """A file of torchvision's hub; its name carries the first eight digits of its SHA-256."""
    return Weights(file, sha256, "BSD-3-Clause", url=f"https://download.pytorch.org/models/{file}")


def _features(name: str) -> Build:
    """Networks that keep everything before the pooling in `features`."""

    def build(state: State | None) -> nn.Module:
        network: nn.Module = getattr(torchvision.models, name)()
        load(network, state, unused=_UNUSED)
        features: nn.Module = network.features  # type: ignore[assignment]
        return features

    return build


def _children(name: str, *last: str, **options: Any) -> Build:
    """Networks that are a sequence of children up to the pooling; `last`: those that come after it."""

    def build(state: State | None) -> nn.Module:
        network: nn.Module = getattr(torchvision.models, name)(**options)
        load(network, state, unused=_UNUSED)
        kept = OrderedDict((child, module) for child, module in network.named_children() if child not in last)
        return nn.Sequential(kept)

    return build


def _densenet(state: State | None) -> nn.Module:
    network: nn.Module = torchvision.models.densenet201()
    if state is not None:  # the file has names with dots inside, from before PyTorch forbade them
        state = {re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)\.", r"\1\2.", n): v for n, v in state.items()}
    load(network, state, unused=_UNUSED)
    features: nn.Module = network.features  # type: ignore[assignment]
    return nn.Sequential(OrderedDict(features=features, relu=nn.ReLU()))


_RESNET = ("avgpool", "fc")
# Trained on its own scale of -1..1, which torchvision reaches from ImageNet's by a transform inside.
_GOOGLENET = _children(
    "googlenet",
    "aux1",
    "aux2",
    "avgpool",
    "dropout",
    "fc",
    init_weights=False,
    transform_input=False,
    aux_logits=True,
)

MOBILENET_V3_SMALL = Network(
    "mobilenet-v3-small",
    576,
    *IMAGENET,
    hub(
        "mobilenet_v3_small-047dcff4.pth", "047dcff4addef86ea5bc2eff13c9614dc11f47ab1160d0a71a25e7db994f4e1f"
    ),
    _features("mobilenet_v3_small"),
    "MobileNetV3-Small",
    927_008,
    layer="12",
)
MOBILENET_V2 = Network(
    "mobilenet-v2",
    1280,
    *IMAGENET,
    hub("mobilenet_v2-b0353104.pth", "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"),
    _features("mobilenet_v2"),
    "MobileNetV2",
    2_223_872,
    layer="18",
)
MOBILENET_V3_LARGE = Network(
    "mobilenet-v3-large",
    960,
    *IMAGENET,
    hub(
        "mobilenet_v3_large-8738ca79.pth", "8738ca797c879b547d18bbd15da5736ff2557b2036a9af72225393ca61759a04"
    ),
    _features("mobilenet_v3_large"),
    "MobileNetV3-Large",
    2_971_952,
    layer="16",
)
# A name of its own, so that no figure of it is taken for one of ImageNet's weights.
MOBILENET_V3_LARGE_AERIAL = Network(
    "mobilenet-v3-large-aerial",
    960,
    *IMAGENET,
    Weights(
        "mobilenet_v3_large_features.fp16.safetensors",
        "992a021de4aa67f935491810a338625ce560fa4e08042d12e32d25b870e822aa",
        "BSD-3-Clause",
        note="MobileNetV3-Large fine-tuned on aerial images, weaker than ImageNet's own; half precision",
    ),
    _features("mobilenet_v3_large"),
    "MobileNetV3-Large (aerial)",
    2_971_952,
    layer="16",
)
RESNET18 = Network(
    "resnet-18",
    512,
    *IMAGENET,
    hub("resnet18-f37072fd.pth", "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec"),
    _children("resnet18", *_RESNET),
    "ResNet-18",
    11_176_512,
    layer="layer4",
    alternatives=(
        Weights(
            "resnet18.fp16.safetensors",
            "66e25805ec8c841934ca2beefe62e77471999c6cffdfe400a0209ea3ad0525f9",
            "BSD-3-Clause",
            note="torchvision's ResNet-18 in half precision",
        ),
    ),
)

CONVOLUTIONAL = (
    MOBILENET_V3_SMALL,
    MOBILENET_V2,
    MOBILENET_V3_LARGE,
    MOBILENET_V3_LARGE_AERIAL,
    Network(
        "vgg16",
        512,
        *IMAGENET,
        hub("vgg16-397923af.pth", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"),
        _features("vgg16"),
        "VGG16",
        14_714_688,
        layer="30",
    ),
    Network(
        "vgg19",
        512,
        *IMAGENET,
        hub("vgg19-dcbb9e9d.pth", "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"),
        _features("vgg19"),
        "VGG19",
        20_024_384,
        layer="36",
    ),
    Network(
        "googlenet",
        1024,
        *HALVES,
        hub("googlenet-1378be20.pth"),
        _GOOGLENET,
        "GoogLeNet",
        5_599_904,
        layer="inception5b",
    ),
    RESNET18,
    Network(
        "resnet-50",
        2048,
        *IMAGENET,
        hub("resnet50-0676ba61.pth", "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a"),
        _children("resnet50", *_RESNET),
        "ResNet-50",
        23_508_032,
        layer="layer4",
    ),
    Network(
        "resnet-101",
        2048,
        *IMAGENET,
        hub("resnet101-63fe2227.pth"),
        _children("resnet101", *_RESNET),
        "ResNet101",
        42_500_160,
        layer="layer4",
    ),
    Network(
        "resnext-101-64x4d",
        2048,
        *IMAGENET,
        hub("resnext101_64x4d-173b62eb.pth"),
        _children("resnext101_64x4d", *_RESNET),
        "ResNeXt101-64x4d",
        81_406_272,
        layer="layer4",
    ),
    Network(
        "densenet-201",
        1920,
        *IMAGENET,
        hub("densenet201-c1103571.pth"),
        _densenet,
        "DenseNet201",
        18_092_928,
        layer="relu",
    ),
    Network(
        "efficientnet-b0",
        1280,
        *IMAGENET,
        hub(
            "efficientnet_b0_rwightman-7f5810bc.pth",
            "7f5810bc96def8f7552d5b7e68d53c4786f81167d28291b21c0d90e1fca14934",
        ),
        _features("efficientnet_b0"),
        "EfficientNet-B0",
        4_007_548,
        interpolation="bicubic",
        layer="8",
    ),
    Network(
        "regnet-y-16gf",
        3024,
        *IMAGENET,
        hub("regnet_y_16gf-9e6ed7dd.pth"),
        _children("regnet_y_16gf", *_RESNET),
        "RegNetY-16GF",
        80_565_140,
        layer="trunk_output",
    ),
    Network(
        "regnet-x-32gf",
        2520,
        *IMAGENET,
        hub("regnet_x_32gf-9d47f8d0.pth"),
        _children("regnet_x_32gf", *_RESNET),
        "RegNetX-32GF",
        105_290_560,
        layer="trunk_output",
    ),
)
