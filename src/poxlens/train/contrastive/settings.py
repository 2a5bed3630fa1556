"""How a network is pretrained with SimCLR: every choice of a run, as it stands in config.json."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

Optimiser = Literal["sgd", "lars", "adamw"]
Precision = Literal["fp32", "bf16", "fp16"]

OPTIMISERS: tuple[Optimiser, ...] = ("sgd", "lars", "adamw")
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "fp16")


@dataclass(frozen=True)
class Rule:
    """What an optimiser is used to."""

    learning_rate: float  # at a batch of 256 images
    weight_decay: float
    scaled: bool  # whether the rate grows with the batch


RULES: dict[Optimiser, Rule] = {
    "sgd": Rule(0.06, 5e-4, True),  # of the example by lightly that Yue 2024 names as its SimCLR
    "lars": Rule(0.3, 1e-6, True),  # Chen 2020, appendix B.6
    "adamw": Rule(1e-3, 1e-4, False),
}
MOMENTUM = 0.9


@dataclass(frozen=True)
class ViewSettings:
    """Random crop and resize, and colour jitter (Yue 2024, section 2.2); amounts as in Chen 2020, appendix A.

    A colour change is mild by default: redness is what tells rashes apart, and a network that is taught to overlook
    it loses more than one that is taught so on photos of objects.
    """

    smallest: float = 0.2  # least share of the area that a crop keeps
    flip: float = 0.5  # chance of a mirror image
    brightness: float = 0.4  # factor in [1 - b, 1 + b]; the same for the next two
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.1  # of a full turn, either way
    jitter: float = 0.8  # chance of any change of colour
    grey: float = 0.2  # chance of no colour at all


@dataclass(frozen=True)
class Settings:
    """All choices that a run's numbers follow from."""

    network: str = "mobilenet-v3-small"
    side: int = 128  # px of a view
    cached_side: int = 160  # px that an image is kept at, from which views are cut
    epochs: int = 50
    batch: int = 256  # images, each seen twice; at most as many as there are
    chunk: int = 256  # images whose views are in the network at once; gradients are the same, memory is not
    optimiser: Optimiser = "sgd"
    learning_rate: float = 0.06
    weight_decay: float = 5e-4
    warm_up: int = 5  # epochs in which the rate rises from 0; it then falls along half a cosine
    temperature: float = 0.5  # tau of eq. 1
    projection: int = 128  # size of z
    precision: Precision = "fp32"
    seed: int = 0
    views: ViewSettings = field(default_factory=ViewSettings)

    def rate(self, step: int, steps: int) -> float:
        """Learning rate of a step, counted from 0, where an epoch has `steps`."""
        total, rising = self.epochs * steps, min(self.warm_up, self.epochs - 1) * steps
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        share = (step - rising) / max(1, total - rising)
        return self.learning_rate * (1 + math.cos(math.pi * share)) / 2


def usual_rate(optimiser: Optimiser, batch: int) -> float:
    """The learning rate of an optimiser at a batch of so many images."""
    rule = RULES[optimiser]
    return rule.learning_rate * (batch / 256 if rule.scaled else 1.0)
