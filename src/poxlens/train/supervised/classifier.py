"""A network of the registry with a new classifier, from random, published or self-supervised weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from poxlens.train.backbones import Backbone, load_backbone
from poxlens.train.contrastive.encoder import load_encoder
from poxlens.train.finetuning import FinetunedNetwork
from poxlens.train.networks.registry import find_network

RANDOM, IMAGENET = "random", "imagenet"


def random_backbone(name: str, seed: int) -> Backbone:
    """A network of the registry with random weights.

    Raises:
        WeightsError: there is no such network.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = find_network(name)
        return Backbone([network], [network.build(None)])


def classifier(
    name: str,
    start: str | Path,
    classes: int,
    *,
    side: int,
    dropout: float,
    seed: int,
    folders: Sequence[Path] = (),
    cache: Path | None = None,
) -> FinetunedNetwork:
    """The network, all of it to be trained, on the CPU.

    Args:
        name: of the registry.
        start: "random", "imagenet" (the registry's published weights), or the file `encoder.safetensors` that
            `poxlens pretrain simclr` leaves.
        classes: how many it is to tell apart.
        side: of its input, px.
        dropout: before the classifier.
        seed: of all random weights.
        folders: folders of published weights.
        cache: where downloads are kept; None forbids downloading.

    Raises:
        WeightsError: no such network, weights that are missing or of another network, or a side it does not take.
    """
    if start == IMAGENET:
        backbone = load_backbone((name,), folders, cache=cache)
    elif start == RANDOM:
        backbone = random_backbone(name, seed)
    else:
        backbone = load_encoder(name, Path(start))
    backbone.check_side(side)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        channels = int(backbone.both(torch.zeros(1, side, side, 3))[1].shape[1])
        network = FinetunedNetwork(backbone, channels, classes, dropout)
    return network.requires_grad_(True).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
