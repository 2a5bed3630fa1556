"""The projection head of SimCLR and the loss of its output: Yue 2024, section 6.2, eq. 1-3."""

from __future__ import annotations

import importlib
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from poxlens.errors import MissingExtraError
from poxlens.train.torchvision_compat import import_torchvision


def projection_head(channels: int, size: int) -> nn.Module:
    """From an embedding [N, channels] to z [N, size]: the small network g of Chen 2020, as wide as its input.

    Batch normalisation after each layer, as in that paper's own code: without it a small batch collapses sooner.
    """
    return nn.Sequential(
        nn.Linear(channels, channels, bias=False),
        nn.BatchNorm1d(channels),
        nn.ReLU(inplace=True),
        nn.Linear(channels, size, bias=False),
        nn.BatchNorm1d(size, affine=False),
    )


def nt_xent(temperature: float) -> nn.Module:
    """The loss of two sets of z [N, D], row by row of the same images; lightly's.

    Raises:
        MissingExtraError: lightly is not installed.
    """
    import_torchvision()  # lightly imports it, which fails beside a CPU torch
    try:
        library: Any = importlib.import_module("lightly.loss")
    except ModuleNotFoundError as missing:
        raise MissingExtraError("pretrain", "poxlens pretrain simclr") from missing
    loss: nn.Module = library.NTXentLoss(temperature=temperature)
    return loss


def matched(first: torch.Tensor, second: torch.Tensor) -> float:
    """Share of 2N views whose nearest other view is of the same image; by chance 1 / (2N - 1)."""
    both = functional.normalize(torch.cat([first, second]).float(), dim=1)
    alike = both @ both.T
    alike.fill_diagonal_(-2)
    partner = torch.arange(len(both), device=both.device).roll(len(first))
    return float((alike.argmax(1) == partner).float().mean())


def spread(embeddings: torch.Tensor) -> float:
    """How evenly embeddings of length 1 fill their space: 1 for all directions alike, 0 when all are the same.

    Mean standard deviation of a dimension times the root of their number (Chen and He 2021, section 4.1).
    """
    unit = functional.normalize(embeddings.float(), dim=1)
    return float(unit.std(0, correction=0).mean() * embeddings.shape[1] ** 0.5)
