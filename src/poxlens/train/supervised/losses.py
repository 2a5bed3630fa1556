"""What is minimised: cross-entropy with smoothed or mixed labels, classes weighted by how rare they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.train.supervised.settings import Settings
from poxlens.train.torchvision_compat import import_torchvision


def class_weights(truth: NDArray[np.int64], classes: int, balance: float) -> torch.Tensor:
    """[C] importance of each class, 1 on average over the images; a class without images counts as one with one.

    Args:
        truth: [N], class numbers.
        classes: how many.
        balance: 0: all alike; 1: every class counts the same whatever its size.
    """
    counts = np.bincount(truth, minlength=classes)
    weights = np.maximum(counts, 1).astype(np.float64) ** -balance
    weights *= counts.sum() / (weights * counts).sum()
    return torch.tensor(weights, dtype=torch.float32)


def criterion(truth: NDArray[np.int64], classes: int, settings: Settings) -> nn.Module:
    """Cross-entropy of logits [N, C] and targets [N, C] (shares of classes)."""
    weights = class_weights(truth, classes, settings.balance) if settings.balance else None
    return nn.CrossEntropyLoss(weight=weights, label_smoothing=settings.label_smoothing)


class Mixer:
    """Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019), torchvision's, in turn.

    Args:
        settings: alphas, and how often.
        classes: C.
    """

    def __init__(self, settings: Settings, classes: int) -> None:
        self.share, self.classes = settings.mixed, classes
        self.ways: list[Any] = []
        if settings.mixed and (settings.mixup or settings.cutmix):
            import_torchvision()
            from torchvision.transforms import v2

            kinds = ((v2.MixUp, settings.mixup), (v2.CutMix, settings.cutmix))
            self.ways = [kind(alpha=alpha, num_classes=classes) for kind, alpha in kinds if alpha]

    def __call__(self, images: torch.Tensor, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Images [N, 3, S, S] and targets [N, C], mixed or as they are; draws from PyTorch's global generator."""
        if self.ways and len(images) > 1 and float(torch.rand(())) < self.share:
            way = self.ways[int(torch.randint(len(self.ways), ()))]
            mixed, targets = way(images, truth)
            return mixed, targets
        return images, nn.functional.one_hot(truth, self.classes).to(torch.float32)
