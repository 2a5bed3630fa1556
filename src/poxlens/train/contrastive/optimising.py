"""The optimisers of SimCLR: SGD as in Yue 2024, LARS as in Chen 2020, AdamW for few steps."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from poxlens.train.contrastive.settings import MOMENTUM, Settings
from poxlens.train.torchvision_compat import import_torchvision


def optimiser_of(settings: Settings, networks: Iterable[nn.Module]) -> torch.optim.Optimizer:
    """The optimiser of all trainable parameters; biases and batch normalisation are not decayed."""
    values = [value for network in networks for value in network.parameters() if value.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [value for value in values if value.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [value for value in values if value.ndim <= 1], "weight_decay": 0.0},
    ]
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(groups, settings.learning_rate)
    if settings.optimiser == "lars":
        import_torchvision()  # timm imports it
        found: torch.optim.Optimizer = importlib.import_module("timm.optim").Lars(
            groups, settings.learning_rate, momentum=MOMENTUM
        )
        return found
    return torch.optim.SGD(groups, settings.learning_rate, momentum=MOMENTUM)
