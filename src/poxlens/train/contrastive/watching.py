"""The monitor: do images of one label lie together? Nearest neighbours on labelled images that are never learnt from.

It watches and decides nothing: no epoch and no setting is chosen by it, so images that are tested later may be in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from poxlens.train.backbones import Backbone
from poxlens.train.contrastive.projecting import spread

Pixels = NDArray[np.uint8]

NEIGHBOURS, SHARPNESS = 20, 0.07  # of Wu 2018, section 3.4, with fewer neighbours as images are few
_AT_ONCE = 64


class Monitor:
    """Labelled images, to be classified by their nearest neighbours of other groups.

    Args:
        images: [N, C, C, 3] uint8; may be a memory map.
        labels: [N].
        groups: [N]; neighbours of the same group do not count.
        side: px that the network is given.
    """

    def __init__(self, images: Pixels, labels: Sequence[str], groups: Sequence[str], side: int) -> None:
        self.images, self.side = images, side
        self.names, self.label = np.unique(np.array(labels), return_inverse=True)
        self.group = np.unique(np.array(groups), return_inverse=True)[1]

    def __call__(self, encoder: Backbone) -> dict[str, float]:
        """Accuracy, its mean over classes, and how evenly embeddings are spread.

        Args:
            encoder: in evaluation mode.
        """
        embeddings = self._embeddings(encoder)
        guess = nearest(embeddings, self.label, self.group, len(self.names))
        right = guess == self.label
        each = [float(right[self.label == number].mean()) for number in range(len(self.names))]
        return {
            "knn_accuracy": float(right.mean()),
            "knn_mean_recall": float(np.mean(each)),
            "embedding_spread": spread(embeddings),
        }

    def _embeddings(self, encoder: Backbone) -> torch.Tensor:
        device = next(encoder.parameters()).device
        found = []
        for start in range(0, len(self.images), _AT_ONCE):
            some = torch.from_numpy(self.images[start : start + _AT_ONCE].copy()).to(
                device
            )  # a map is read-only
            planes = some.permute(0, 3, 1, 2).float()
            small = functional.interpolate(planes, (self.side,) * 2, mode="bilinear", antialias=True)
            found.append(encoder.both(small.permute(0, 2, 3, 1))[1].float().cpu())
        return torch.cat(found)


def nearest(
    embeddings: torch.Tensor, label: NDArray[np.int64], group: NDArray[np.int64], classes: int
) -> NDArray[np.int64]:
    """[N], the label that the nearest neighbours of other groups vote for, weighted by exp(cosine / 0.07).

    Args:
        embeddings: [N, D].
        label: [N], class numbers.
        group: [N], group numbers.
        classes: how many.
    """
    unit = functional.normalize(embeddings.float(), dim=1)
    of, owner = torch.from_numpy(label), torch.from_numpy(group)
    found = []
    for start in range(0, len(unit), 512):
        rows = torch.arange(start, min(start + 512, len(unit)))
        alike = unit[rows] @ unit.T
        alike[owner[rows][:, None] == owner[None]] = -2.0
        value, place = alike.topk(min(NEIGHBOURS, len(unit)), 1)
        weight = torch.where(value > -2.0, ((value - 1) / SHARPNESS).exp(), torch.zeros(()))
        votes = torch.zeros(len(rows), classes).scatter_add_(1, of[place], weight)
        found.append(votes.argmax(1))
    return torch.cat(found).numpy()
