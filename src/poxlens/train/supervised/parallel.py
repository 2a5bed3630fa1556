"""One process or several: training over many devices through PyTorch's own launcher.

`torchrun --nproc-per-node 4 -m poxlens aism study.toml --out run` starts one process a device; each takes its share of
every batch, and gradients are averaged. Without torchrun everything here is of one process and does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True)
class Ranks:
    """The process at hand among those that train together."""

    rank: int = 0
    count: int = 1
    device: str = "cpu"

    @property
    def first(self) -> bool:
        """Whether this process writes what all have found."""
        return self.rank == 0

    def wrapped(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over all processes."""
        if self.count == 1:
            return network
        ids = [torch.device(self.device).index] if self.device.startswith("cuda") else None
        if ids:  # statistics of a batch that is spread over devices are those of the whole batch
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return nn.parallel.DistributedDataParallel(network, device_ids=ids)

    def mean(self, values: list[float]) -> list[float]:
        """Each value averaged over all processes, the same everywhere."""
        if self.count == 1:
            return values
        told = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(told)
        return [float(value) for value in told / self.count]

    def agreed(self, value: Any) -> Any:
        """The first process's value, in all."""
        if self.count == 1:
            return value
        held = [value]
        torch.distributed.broadcast_object_list(held, src=0)
        return held[0]


@contextmanager
def ranks(device: str = "auto") -> Iterator[Ranks]:
    """The processes that torchrun started, joined while this is open; or this one alone.

    Args:
        device: "auto" (a GPU where there is one), or PyTorch's name of it.
    """
    count, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    if device == "auto":
        device = f"cuda:{local}" if torch.cuda.is_available() else "cpu"
    if count == 1:
        yield Ranks(device=device)
        return
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    torch.distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield Ranks(torch.distributed.get_rank(), count, device)
    finally:
        torch.distributed.destroy_process_group()
