"""Dense classification layers on frozen features, as Campana 2024 trains them (sections 3.1 and 4.3).

The backbone does not change, so its features are computed once and only these layers are trained: the same
result as passing every image through the network in every step, at a small part of the cost.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class DenseSettings:
    """What is tuned of the classification layers."""

    learning_rate: float  # of Adam, 1e-6 to 1e-3 in the paper
    units: tuple[int, ...]  # neurons of each hidden layer, one to three of 256 to 4096
    dropout: tuple[float, ...]  # after each hidden layer, 0 to 0.5


class DenseTraining:
    """Hidden layers (ReLU, dropout) and a softmax layer, trained with Adam and cross-entropy.

    Args:
        settings: layers and learning rate.
        features: [N, D] training features without augmentation, for mean and scale of the inputs.
        classes: how many.
        seed: of weights, order and dropout; the same seed gives the same bits on the same number of threads.
        batch: images a step.
        class_weights: [C], importance of each class in the loss; None for equal.
    """

    def __init__(
        self,
        settings: DenseSettings,
        features: Floats,
        classes: int,
        seed: int,
        *,
        batch: int = 32,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        if len(settings.units) != len(settings.dropout) or not settings.units:
            raise ValueError(
                f"{len(settings.units)} hidden layers with {len(settings.dropout)} dropout rates"
            )
        self._random = torch.Generator().manual_seed(seed)
        self._mean = torch.from_numpy(features.mean(0))
        self._scale = torch.from_numpy(np.maximum(features.std(0), 1e-6))
        self._batch = batch
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._network = _network(features.shape[1], classes, settings)
        weight = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        self._loss = nn.CrossEntropyLoss(weight=weight)
        # fused: half the time of a step, of which most is the update of large layers
        self._optimizer = torch.optim.Adam(self._network.parameters(), settings.learning_rate, fused=True)
        self._seed = seed
        self._epoch = 0

    def epoch(self, features: Floats, truth: Ints) -> None:
        """One pass over [N, D] features with [N] class numbers, in random order."""
        inputs = (torch.from_numpy(features) - self._mean) / self._scale
        target = torch.from_numpy(truth)
        order = torch.randperm(len(target), generator=self._random)
        self._network.train()
        self._epoch += 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed * 10_007 + self._epoch)  # dropout draws from the global generator
            for start in range(0, len(target), self._batch):
                rows = order[start : start + self._batch]
                self._optimizer.zero_grad(set_to_none=True)
                self._loss(self._network(inputs[rows]), target[rows]).backward()
                self._optimizer.step()

    def probabilities(self, features: Floats) -> Floats:
        """[N, C] softmax of [N, D] features, without dropout."""
        self._network.eval()
        with torch.inference_mode():
            logits = self._network((torch.from_numpy(features) - self._mean) / self._scale)
            found: Floats = logits.softmax(1).numpy()
        return found

    def state(self) -> dict[str, torch.Tensor]:
        """A copy of the weights, to come back to."""
        return copy.deepcopy(self._network.state_dict())

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Come back to weights of `state`."""
        self._network.load_state_dict(state)

    def slim(self) -> None:
        """Give back the memory of gradients and Adam's moments, three times that of the weights; ends training."""
        self._optimizer.zero_grad(set_to_none=True)
        self._optimizer.state.clear()


def parameters(settings: DenseSettings, features: int, classes: int) -> int:
    """Number of weights of the layers on `features` inputs."""
    sizes = (features, *settings.units, classes)
    return sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))


def _network(features: int, classes: int, settings: DenseSettings) -> nn.Sequential:
    layers: list[nn.Module] = []
    size = features
    for units, dropout in zip(settings.units, settings.dropout, strict=True):
        layers += [nn.Linear(size, units), nn.ReLU(), nn.Dropout(dropout)]
        size = units
    return nn.Sequential(*layers, nn.Linear(size, classes))
