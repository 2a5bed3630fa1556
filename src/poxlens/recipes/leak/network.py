"""A whole small network fine-tuned at low resolution: what the published studies do, in minutes without a GPU.

The network is that of `poxlens.train.finetuning`, its training is not: no validation part is taken from the few
images and no epoch chosen, the learning rate goes through one cycle, and images are not mirrored, as copies are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from poxlens.train.backbones import NETWORKS, load_backbone
from poxlens.train.finetuning import FinetunedNetwork

NAME = "fine-tuned"
_BATCH = 32
_DROPOUT = 0.2


@dataclass(frozen=True)
class Tuning:
    """How the network is fine-tuned."""

    network: str = "mobilenet-v3-small"
    side: int = 64  # px of its input
    epochs: int = 4
    rate: float = 1e-3  # greatest learning rate (AdamW, one cycle)

    def shrink(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """[side, side, 3] of [S, S, 3] uint8."""
        small = Image.fromarray(image).resize((self.side, self.side), Image.Resampling.BILINEAR)
        return np.asarray(small)


def fine_tune(
    train: NDArray[np.uint8],
    label: NDArray[np.int64],
    test: NDArray[np.uint8],
    classes: int,
    tuning: Tuning,
    weights: tuple[Path, ...],
    seed: int,
) -> NDArray[np.float32]:
    """Probabilities [M, classes] of `test` by a network of which every layer learnt from `train`.

    Args:
        train: [N, S, S, 3] uint8.
        label: [N], class numbers.
        test: [M, S, S, 3] uint8.
        classes: how many classes there are.
        tuning: how.
        weights: folders of pretrained weights.
        seed: of the first weights of the head, the order of images and dropout.

    Raises:
        WeightsError: pretrained weights are missing.
    """
    torch.manual_seed(seed)
    backbone = load_backbone((tuning.network,), weights)
    network = FinetunedNetwork(backbone, NETWORKS[tuning.network].channels, classes, _DROPOUT)
    network.requires_grad_(True).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=tuning.rate, weight_decay=0.01)
    steps = tuning.epochs * (len(train) // _BATCH + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, tuning.rate, total_steps=steps)
    images, truth = torch.from_numpy(np.ascontiguousarray(train)), torch.from_numpy(label)
    for _ in range(tuning.epochs):
        order = torch.randperm(len(train))
        for start in range(0, len(train) - 1, _BATCH):  # a last batch of one would break batch normalisation
            batch = order[start : start + _BATCH]
            loss = nn.functional.cross_entropy(network(images[batch]), truth[batch])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    network.eval()
    with torch.inference_mode():
        asked = torch.from_numpy(np.ascontiguousarray(test))
        shares = [network(asked[at : at + 256]).softmax(1) for at in range(0, len(asked), 256)]
    found: NDArray[np.float32] = torch.cat(shares).numpy()
    return found
