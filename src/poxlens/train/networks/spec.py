"""What is known of one pretrained network, and what its module without the classifier must offer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn

from poxlens.train.weights import Weights

State = dict[str, Any]  # name -> tensor
Build = Callable[[State | None], nn.Module]
"""State dict as published, or None for random weights -> module giving [N, channels, h, w]."""
Pooling = Literal["mean", "token", "library"]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALVES = ((0.5,) * 3, (0.5,) * 3)  # 0-1 becomes -1..1


@dataclass(frozen=True)
class Network:
    """One pretrained network without its classifier."""

    name: str
    channels: int  # size of the embedding, and channels of the last map unless the library pools otherwise
    mean: tuple[float, ...]  # of RGB in 0-1, taken away from the input
    std: tuple[float, ...]  # of RGB in 0-1, the input is divided by
    weights: Weights
    build: Build
    title: str = ""  # as the papers write it
    parameters: int = 0  # without the classifier; 0: not counted
    side: int = 224  # px it was trained at
    least: int = 32  # px, the smallest side
    multiple: int = 1  # a side must be a multiple of it
    interpolation: str = "bilinear"  # that its own evaluation shrinks photos with
    layer: str = ""  # submodule of the built module whose output is the last map; "": the module itself
    pooling: Pooling = "mean"  # over places; the class token; or what the library does before its classifier
    levels: int = (
        0  # of its channels, the last ones: those of earlier blocks (`poxlens.train.networks.levels`)
    )
    alternatives: tuple[Weights, ...] = ()  # the same in another form, where the first are not at hand


class OwnPooling(nn.Module):
    """A network whose embedding is not the mean over places of its last map."""

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """Maps [N, D, h, w] of [N, 3, S, S]."""
        return self.both(planes)[0]

    @abstractmethod
    def both(self, planes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Maps [N, D, h, w] and the embedding [N, channels] of [N, 3, S, S]."""

    @abstractmethod
    def settle(self, side: int) -> None:
        """Fix what depends on the side, such as position embeddings, so that a graph holds it as it is."""


def grid(tokens: torch.Tensor, high: int, wide: int) -> torch.Tensor:
    """[N, D, high, wide] of tokens [N, high * wide, D] in reading order."""
    return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], high, wide)


def load(network: nn.Module, state: State | None, *, unused: tuple[str, ...] = ()) -> None:
    """Fill `network` with `state`; with None it keeps its random weights.

    Args:
        network: the library's network.
        state: its weights by name.
        unused: beginnings of the names that features do not need; they may be missing or left over.

    Raises:
        RuntimeError: an entry is missing, left over or of another shape, as torch says it.
    """
    if state is None:
        return
    own = network.state_dict()
    # Counters of batch norm, which older files lack, are not used when momentum is fixed.
    spare = {name: value for name, value in own.items() if name.endswith("num_batches_tracked")}
    spare |= {name: value for name, value in own.items() if name.startswith(unused)}
    wanted = {name: value for name, value in state.items() if name in own or not name.startswith(unused)}
    network.load_state_dict(spare | wanted)
