"""How a network is trained: the paper's recipe and a modern one, as one frozen object."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Optimizer = Literal["sgd", "adamw"]
Schedule = Literal["constant", "cosine"]
Precision = Literal["fp32", "bf16", "fp16"]


_POSITIVE = ("rate",)
_SHARES = (
    "warmup",
    "momentum",
    "label_smoothing",
    "mixed",
    "ema",
    "balance",
    "augment",
    "dropout",
    "norm_momentum",
)
_AT_LEAST = {"weight_decay": 0, "epochs": 1, "patience": 0, "batch": 2, "mixup": 0, "cutmix": 0, "clip": 0}


@dataclass(frozen=True)
class Settings:
    """One recipe; the defaults are the modern one.

    Raises ValueError for an entry out of range, by name.
    """

    optimizer: Optimizer = "adamw"
    rate: float = 1e-3  # greatest learning rate
    schedule: Schedule = "cosine"
    warmup: float = 0.05  # share of all steps in which the rate rises from 0
    momentum: float = 0.9  # of SGD
    weight_decay: float = 0.02
    epochs: int = 20  # at most
    patience: int = 0  # epochs without a lower validation loss before training stops; 0: never early
    batch: int = 32  # images a step, over all devices
    label_smoothing: float = 0.1
    mixup: float = 0.2  # alpha of its beta distribution; 0: none
    cutmix: float = 1.0
    mixed: float = 0.5  # share of the batches that are mixed, by mixup or cutmix in turn
    ema: float = 0.99  # decay of the averaged weights that are tested; 0: none. A warm-up lets it begin lower
    balance: float = 0.5  # classes count in the loss by frequency to the minus this: 0 as they are, 1 alike
    augment: float = 0.4  # probability of each augmentation of the paper's list; 0: none
    dropout: float = 0.2  # before the classifier
    norm_momentum: float = (
        0.1  # of running means in batch normalisation; MobileNetV3's own 0.01 takes 400 steps to follow
    )
    clip: float = 5.0  # greatest norm of the gradient; 0: none
    precision: Precision = "fp32"

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, is {getattr(self, name):g}")
        for name in _SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be 0 to 1, is {getattr(self, name):g}")
        for name, least in _AT_LEAST.items():
            if not getattr(self, name) >= least:
                raise ValueError(f"{name} must be at least {least}, is {getattr(self, name):g}")

    def rate_at(self, step: int, steps: int) -> float:
        """Learning rate of a step.

        Args:
            step: counted from 0.
            steps: of the whole training.
        """
        rising = max(1, round(self.warmup * steps)) if self.warmup else 0
        if step < rising:
            return self.rate * (step + 1) / rising
        if self.schedule == "constant":
            return self.rate
        share = (step - rising) / max(1, steps - rising)
        return self.rate * (1 + math.cos(math.pi * min(1.0, share))) / 2


MODERN = Settings()
PAPER = Settings(
    optimizer="sgd",
    rate=0.01,
    schedule="constant",
    warmup=0.0,
    weight_decay=0.0,
    epochs=300,
    label_smoothing=0.0,
    mixup=0.0,
    cutmix=0.0,
    mixed=0.0,
    ema=0.0,
    balance=0.0,
    augment=0.5,
    dropout=0.0,
    clip=0.0,
)
"""Yue 2024, section 6.2: SGD and cross-entropy, 300 epochs. It names neither learning rate nor momentum nor batch."""

RECIPES: dict[str, Settings] = {"modern": MODERN, "paper": PAPER}
