"""A network's earlier levels beside its last map: `NAME@levels`.

The last layers of an ImageNet network tell objects apart; borders, colours and the grain of a surface, which is what a
rash is made of, stand in the layers before them (Zeiler and Fergus 2014; hypercolumns: Hariharan et al. 2015). Each
earlier level is averaged down to the places of the last map, so that its mean over places is the level's own.

Heat maps are read at the last map alone, as everywhere: earlier levels answer to any edge, and with them the strongest
place of a map lay on a lesion less often than by chance (docs/explain.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from poxlens.errors import WeightsError
from poxlens.train.networks.spec import Network, State

SUFFIX = "@levels"

LEVELS: dict[str, tuple[tuple[str, int], ...]] = {
    "mobilenet-v3-small": (("3", 24), ("8", 48), ("11", 96)),
    "mobilenet-v2": (("6", 32), ("13", 96), ("17", 320)),
    "efficientnet-lite0": (("network.blocks.2", 40), ("network.blocks.4", 112), ("network.blocks.6", 320)),
    "efficientnet-lite2": (("network.blocks.2", 48), ("network.blocks.4", 120), ("network.blocks.6", 352)),
    "resnet-18": (("layer2", 128), ("layer3", 256)),
    "resnet-50": (("layer2", 512), ("layer3", 1024)),
}
"""Network -> the last block at an eighth, a sixteenth and, before the widening, a 32nd of the side; its channels."""


class Levels(nn.Module):
    """A network whose map has the channels of earlier blocks after its own.

    Args:
        network: gives the last map [N, D, h, w].
        blocks: names of its submodules that are read as well.
    """

    def __init__(self, network: nn.Module, blocks: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.blocks = tuple(blocks)

    def forward(self, planes: torch.Tensor) -> torch.Tensor:
        """[N, D + all blocks' channels, h, w] of [N, 3, S, S]."""
        seen: dict[str, torch.Tensor] = {}

        def reader(name: str) -> Callable[[nn.Module, Any, torch.Tensor], None]:
            def read(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
                del module, inputs
                seen[name] = output

            return read

        # For this pass only: a hook that stays would read into the wrong copy once the network is copied.
        hooks = [self.network.get_submodule(name).register_forward_hook(reader(name)) for name in self.blocks]
        try:
            last = self.network(planes)
        finally:
            for hook in hooks:
                hook.remove()
        return torch.cat([last, *(_averaged(seen[name], last) for name in self.blocks)], 1)


def _averaged(level: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """A level at the places of the last map; by a pooling of fixed size, as adaptive pooling has no ONNX form."""
    size = (int(level.shape[2]) // int(last.shape[2]), int(level.shape[3]) // int(last.shape[3]))
    return level if size == (1, 1) else functional.avg_pool2d(level, size)


def with_levels(network: Network) -> Network:
    """The network `NAME@levels` of a network.

    Raises:
        WeightsError: which of its blocks are levels is not known.
    """
    if network.name not in LEVELS:
        raise WeightsError(f"the levels of {network.name} are not known, those of {', '.join(LEVELS)} are")
    blocks = LEVELS[network.name]
    levels = sum(channels for _, channels in blocks)

    def build(state: State | None) -> nn.Module:
        return Levels(network.build(state), [name for name, _ in blocks])

    return replace(
        network,
        name=network.name + SUFFIX,
        channels=network.channels + levels,
        levels=levels,
        build=build,
        title=f"{network.title or network.name}, several levels",
        multiple=32,
        layer=f"network.{network.layer}".rstrip("."),
    )
