"""What follows the backbone: head, heat map of each class, novelty. In floats in every form of the graph.

The heat map is Grad-CAM (Selvaraju 2017, eqs. 1-2) in closed form. With the last map A [h, w, D], its mean f over
places and a head of layers W_1 ... W_L with ReLU between them, the gradient of logit c by f is

    g_c = W_1 diag(m_1) W_2 diag(m_2) ... W_L[:, c],   m_i = 1 where hidden unit i is above 0,

for the ReLU passes what is above zero as it is; of a linear head it is the column W[:, c]. The gradient by A at each of
the h w places is g_c / (h w), the same everywhere, so that its mean over places, Grad-CAM's weight, is that too, and
the map is relu(A . g_c / (h w)). Where earlier levels stand beside the last map (`poxlens.train.networks.levels`) they
have a share in the logits, and the sum A . g_c goes over the channels of the last map alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from poxlens.train.heads import LinearHead
from poxlens.train.novelty import Gate, Novelty

Floats = NDArray[np.float32]
TINY = 1e-12  # of |z|^2, below which novelty is that of a zero embedding


@dataclass(frozen=True, eq=False)
class Head:
    """Layers on the raw embedding, ReLU between them; one layer is a linear head."""

    layers: tuple[tuple[Floats, Floats], ...]  # weight [I, O] and bias [O] of each

    @classmethod
    def linear(cls, head: LinearHead) -> Head:
        """Of a linear head, its standardisation folded in."""
        return cls((head.folded(),))

    @classmethod
    def standardised(cls, mean: Floats, scale: Floats, layers: tuple[tuple[Floats, Floats], ...]) -> Head:
        """Of layers on (x - mean) / scale, both [D]."""
        weight, bias = layers[0]
        inside = (weight / scale[:, None]).astype(np.float32)
        return cls(((inside, (bias - mean @ inside).astype(np.float32)), *layers[1:]))

    @property
    def classes(self) -> int:
        """How many."""
        return len(self.layers[-1][1])

    @property
    def parameters(self) -> int:
        """Numbers that it holds."""
        return sum(weight.size + bias.size for weight, bias in self.layers)

    def logits(self, embedding: Floats) -> Floats:
        """[N, C] of [N, D]."""
        hidden = embedding
        for weight, bias in self.layers[:-1]:
            hidden = np.maximum(hidden @ weight + bias, 0)
        weight, bias = self.layers[-1]
        found: Floats = hidden @ weight + bias
        return found


class FloatTail(nn.Module):
    """The tail as a module: map [N, h, w, D] -> logits, embedding, heatmap, novelty.

    Its name stands in the names of a .tflite's tensors, by which they are left in floats.

    Args:
        head: on the raw embedding.
        novelty: its score.
        last: of each channel, whether it is of a last map, which heat maps are read at; (): all are.
    """

    def __init__(self, head: Head, novelty: Novelty, last: Sequence[bool] = ()) -> None:
        super().__init__()
        self.some = not all(last)
        if self.some:
            self.register_buffer("last", torch.tensor(last, dtype=torch.float32))
        self.depth = len(head.layers)
        for i, (weight, bias) in enumerate(head.layers):
            self.register_buffer(f"weight{i}", torch.from_numpy(np.ascontiguousarray(weight)))
            self.register_buffer(f"bias{i}", torch.from_numpy(np.ascontiguousarray(bias)))
        self.gated = isinstance(novelty, Gate)
        if isinstance(novelty, Gate):
            self.slope, self.offset = novelty.slope, novelty.offset
            parts = {
                "centres": novelty.centres,
                "outlier_weight": novelty.weight,
                "outlier_bias": novelty.bias,
            }
        else:
            inverse = (1.0 / novelty.scale).astype(np.float32)
            parts = {"directions": novelty.directions, "mean": novelty.mean, "inverse_scale": inverse}
        for name, values in parts.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values)))

    def forward(self, features: torch.Tensor) -> dict[str, torch.Tensor]:
        """The four outputs; see the module's text for the heat map."""
        n, high, wide, size = features.shape
        embedding = features.mean((1, 2))
        hidden, masks = embedding, []
        for i in range(self.depth - 1):
            hidden = torch.relu(hidden @ self._weight(i) + self._bias(i))
            masks.append((hidden > 0).to(torch.float32))
        logits = hidden @ self._weight(self.depth - 1) + self._bias(self.depth - 1)
        places = features.reshape(n, high * wide, size)
        if self.some:
            places = places * self._constant("last")
        # relu(k x) = k relu(x): the share of a place is multiplied in where there are least numbers.
        heat = torch.relu(places @ self._gradient(masks)) * (1.0 / (high * wide))
        return {
            "logits": logits,
            "embedding": embedding,
            "heatmap": heat.transpose(1, 2).reshape(n, -1, high, wide),
            "novelty": self._gate(embedding) if self.gated else self._residual(embedding),
        }

    def _residual(self, embedding: torch.Tensor) -> torch.Tensor:
        """`poxlens.train.novelty.subspace`."""
        standard = (embedding - self._constant("mean")) * self._constant("inverse_scale")
        inside = torch.square(standard @ self._constant("directions")).sum(1)
        return 1.0 - inside / torch.square(standard).sum(1).clamp_min(TINY)

    def _gate(self, embedding: torch.Tensor) -> torch.Tensor:
        """`poxlens.train.novelty.gate`."""
        length = torch.sqrt(torch.square(embedding).sum(1).clamp_min(TINY))
        far = (embedding @ self._constant("centres")).amax(1) / length * self.slope + self.offset
        outlier = embedding @ self._constant("outlier_weight") + self._constant("outlier_bias")
        return torch.maximum(far, outlier.amax(1))

    def _gradient(self, masks: list[torch.Tensor]) -> torch.Tensor:
        """[D, C] of a linear head, [N, D, C] of one with hidden layers: the logits' gradient by the embedding."""
        gradient = self._weight(self.depth - 1)
        for i in range(self.depth - 2, -1, -1):
            gradient = self._weight(i) @ (masks[i].unsqueeze(2) * gradient)
        return gradient

    def _weight(self, layer: int) -> torch.Tensor:
        return self._constant(f"weight{layer}")

    def _bias(self, layer: int) -> torch.Tensor:
        return self._constant(f"bias{layer}")

    def _constant(self, name: str) -> torch.Tensor:
        found: torch.Tensor = getattr(self, name)
        return found


class PhoneGraph(nn.Module):
    """Backbone and tail: image [N, S, S, 3] float32 with values 0-255 -> the four outputs."""

    def __init__(self, backbone: nn.Module, tail: FloatTail) -> None:
        super().__init__()
        self.backbone = backbone
        self.tail = tail
        self.eval().requires_grad_(False)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """All outputs."""
        found: dict[str, torch.Tensor] = self.tail(self.backbone(image))
        return found
