"""Every layer of a small network trained on few images: what dense layers on frozen features are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.errors import TrainingError
from poxlens.train.backbones import Backbone

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

_AT_ONCE = 32  # images passed through without training


@dataclass(frozen=True)
class FinetuneSettings:
    """How a network is fine-tuned."""

    learning_rate: float = 1e-4  # of AdamW
    epochs: int = 8  # at most; the one with the lowest validation loss is kept
    batch: int = 32
    dropout: float = 0.2  # before the new classifier


class FinetunedNetwork(nn.Module):
    """A backbone and a new linear classifier on its embedding.

    Args:
        backbone: its `both` gives features and embedding [N, D] of images [N, S, S, 3] with values 0-255.
        channels: D.
        classes: how many.
        dropout: before the classifier.
    """

    def __init__(self, backbone: Backbone, channels: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(channels, classes))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits [N, C]."""
        logits: torch.Tensor = self.head(self.backbone.both(image)[1])
        return logits


@dataclass(frozen=True, eq=False)
class Finetuned:
    """A network at its best epoch."""

    network: FinetunedNetwork
    accuracy: float  # on the validation part, at the best epoch
    loss: float  # cross-entropy there
    epochs: int  # trained

    def probabilities(self, images: Pixels) -> Floats:
        """[N, C] of [N, S, S, 3] uint8."""
        return _probabilities(self.network, images)


def fine_tune(
    backbone: Backbone,
    train: Pixels,
    truth: Ints,
    validation: Pixels,
    validation_truth: Ints,
    classes: int,
    settings: FinetuneSettings,
    *,
    seed: int,
    class_weights: Sequence[float] | None = None,
) -> Finetuned:
    """Train all layers; the weights of the epoch with the lowest validation loss are kept.

    Images are mirrored at random. The same seed gives the same weights on the same number of threads.

    Args:
        backbone: pretrained; it is changed.
        train: [N, S, S, 3] uint8.
        truth: [N], class numbers.
        validation: [M, S, S, 3] uint8.
        validation_truth: [M].
        classes: how many.
        settings: how.
        seed: of the new classifier, order, mirrors and dropout.
        class_weights: [C], importance of each class in the loss.

    Raises:
        TrainingError: no epoch had a validation loss.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        with torch.inference_mode():
            channels = int(backbone.both(torch.from_numpy(train[:1]))[1].shape[1])
        network = FinetunedNetwork(backbone, channels, classes, settings.dropout).requires_grad_(True)
        weight = None if class_weights is None else torch.tensor(class_weights, dtype=torch.float32)
        criterion = nn.CrossEntropyLoss(weight=weight)
        optimizer = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=0.01)
        best, state = (float("inf"), 0.0), None
        for _ in range(settings.epochs):
            _epoch(network, criterion, optimizer, train, truth, settings.batch)
            accuracy, loss = _score(_probabilities(network, validation), validation_truth)
            if loss < best[0]:
                best = (loss, accuracy)
                state = {name: value.clone() for name, value in network.state_dict().items()}
    if state is None:
        raise TrainingError(f"fine-tuning diverged: lower the learning rate of {settings.learning_rate:g}")
    network.load_state_dict(state)
    return Finetuned(network, best[1], best[0], settings.epochs)


def _epoch(
    network: FinetunedNetwork,
    criterion: nn.Module,
    optimizer: torch.optim.Optimizer,
    train: Pixels,
    truth: Ints,
    batch: int,
) -> None:
    network.train()
    order = torch.randperm(len(train)).numpy()
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        if len(rows) < 2:  # batch normalisation has no variance of one image
            break
        images = torch.from_numpy(train[rows])
        mirrored = torch.rand(len(rows)) < 0.5
        images[mirrored] = images[mirrored].flip(2)
        optimizer.zero_grad(set_to_none=True)
        criterion(network(images), torch.from_numpy(truth[rows])).backward()
        optimizer.step()


def _probabilities(network: FinetunedNetwork, images: Pixels) -> Floats:
    network.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), _AT_ONCE):
            some = np.ascontiguousarray(images[start : start + _AT_ONCE])
            parts.append(network(torch.from_numpy(some)).softmax(1).numpy())
    found: Floats = np.concatenate(parts)
    return found


def _score(probabilities: Floats, truth: Ints) -> tuple[float, float]:
    own = probabilities[np.arange(len(truth)), truth]
    right = float((probabilities.argmax(1) == truth).mean())
    return right, float(-np.log(np.maximum(own, 1e-12)).mean())
