"""The network of a name."""

from __future__ import annotations

import difflib
import re

from poxlens.errors import WeightsError
from poxlens.train.nasnet import CHANNELS, NasnetMobile
from poxlens.train.networks.convolutional import CONVOLUTIONAL
from poxlens.train.networks.levels import SUFFIX, with_levels
from poxlens.train.networks.nasnet_keras import FILE, URL
from poxlens.train.networks.spec import HALVES, Network, State, load
from poxlens.train.networks.timm_names import LITE, PREFIX, TIMM, any_network
from poxlens.train.networks.transformers import TRANSFORMERS
from poxlens.train.weights import Weights

CAMPANA = ("vgg16", "inception-resnet-v2", "nasnet-mobile", "mobilenet-v3-small", "mobilenet-v3-large")
"""The networks of Campana 2024, section 3.1, in its order."""
AISM = (
    "vgg19",
    "googlenet",
    "resnet-101",
    "resnext-101-64x4d",
    "densenet-201",
    "efficientnet-b0",
    "regnet-y-16gf",
    "regnet-x-32gf",
    "vit-b-16",
    "swin-b",
)
"""The networks of Yue 2024 (Mpox-AISM), by family from convolutions to transformers."""


def _nasnet(state: State | None) -> NasnetMobile:
    network = NasnetMobile()
    load(network, state)
    return network


NASNET_MOBILE = Network(
    "nasnet-mobile",
    CHANNELS,
    *HALVES,
    Weights(
        FILE,
        None,
        "Apache-2.0",
        note=f"convert Keras' {URL} with: poxlens networks --convert-nasnet FILE.h5 --out FOLDER",
    ),
    _nasnet,
    "NASNetMobile",
    4_232_978,
    layer="activation",
)
_ALL = {network.name: network for network in (*LITE, *CONVOLUTIONAL, *TRANSFORMERS, *TIMM, NASNET_MOBILE)}
_OTHERS = tuple(name for name in _ALL if name not in CAMPANA + AISM)

NETWORKS: dict[str, Network] = {name: _ALL[name] for name in (*_OTHERS, *CAMPANA, *AISM)}
"""Name -> network; any other of timm is `timm:NAME`, and some have earlier levels too as `NAME@levels`."""


def find_network(name: str) -> Network:
    """The network of this name.

    Args:
        name: a key of NETWORKS, `timm:NAME`, or `NAME@levels`.

    Raises:
        WeightsError: there is none, says which name is closest; or its levels are not known.
    """
    if name.endswith(SUFFIX):
        return with_levels(find_network(name.removesuffix(SUFFIX)))
    if name.startswith(PREFIX):
        return any_network(name)
    if name in NETWORKS:
        return NETWORKS[name]
    close = _closest(name)
    hint = f"did you mean {close}? Or " if close else ""
    raise WeightsError(f'unknown network "{name}": {hint}choose from {", ".join(NETWORKS)}, or timm:NAME')


def _closest(name: str) -> str | None:
    """Spelt as a paper does, or with a slip."""
    plain = {
        re.sub(r"[^a-z0-9]", "", spelling.lower()): network.name
        for network in NETWORKS.values()
        for spelling in (network.title, network.name)
    }
    close = difflib.get_close_matches(re.sub(r"[^a-z0-9]", "", name.lower()), plain, n=1, cutoff=0.75)
    return plain[close[0]] if close else None
