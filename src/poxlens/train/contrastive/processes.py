"""The processes that train one network together, as `torchrun` starts them; usually there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class Processes:
    """The process itself and those beside it."""

    rank: int = 0  # of this one; the first writes files and speaks
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks."""
        return self.rank == 0

    @property
    def cuda_devices(self) -> list[int]:
        """Devices whose random numbers are to be put back."""
        return [self.device.index or 0] if self.device.type == "cuda" else []

    def gathered(self, pieces: torch.Tensor) -> torch.Tensor:
        """[2, count x n, D] of each process's [2, n, D], in the order of ranks; without gradients."""
        if self.count == 1:
            return pieces
        parts = [torch.empty_like(pieces) for _ in range(self.count)]
        distributed.all_gather(parts, pieces.contiguous())
        return torch.cat(parts, 1)

    def add_up(self, network: nn.Module) -> None:
        """Gradients added over processes, running means averaged: all go on with the same network."""
        if self.count == 1:
            return
        gradients = [value.grad for value in network.parameters() if value.grad is not None]
        _sum_together(gradients)
        running = [value for value in network.buffers() if value.is_floating_point()]
        _sum_together(running)
        for value in running:
            value.div_(self.count)

    def as_the_first(self, value: int) -> int:
        """What the first process has, for all: each would time and decide for itself otherwise."""
        if self.count == 1:
            return value
        told = torch.tensor([value], dtype=torch.int64, device=self.device)
        distributed.broadcast(told, 0)
        return int(told)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            distributed.barrier()


def _sum_together(values: list[torch.Tensor]) -> None:
    """One message instead of one a tensor."""
    flat = torch.cat([value.flatten() for value in values])
    distributed.all_reduce(flat)
    start = 0
    for value in values:
        value.copy_(flat[start : start + value.numel()].reshape(value.shape))
        start += value.numel()


@contextmanager
def processes(device: str = "auto") -> Iterator[Processes]:
    """Those that `torchrun` started, joined until the block ends; a single one without it.

    Args:
        device: "cpu", "cuda", or "auto" for a GPU where there is one.
    """
    gpu = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(device=torch.device("cuda", 0) if gpu else torch.device("cpu"))
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    if gpu:
        torch.cuda.set_device(local)
    distributed.init_process_group("nccl" if gpu else "gloo")
    try:
        yield Processes(rank, count, torch.device("cuda", local) if gpu else torch.device("cpu"))
    finally:
        distributed.destroy_process_group()
