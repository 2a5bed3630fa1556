"""What a run will take on this machine, found by trying a few steps before it starts."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import torch

from poxlens.train.backbones import Backbone
from poxlens.train.contrastive.augmenting import draw, views
from poxlens.train.contrastive.optimising import optimiser_of
from poxlens.train.contrastive.processes import Processes
from poxlens.train.contrastive.projecting import nt_xent, projection_head
from poxlens.train.contrastive.settings import PRECISIONS, Precision, Settings
from poxlens.train.contrastive.stepping import Learner

_TRIED = 16  # images of a tried part
_STEPS = 3  # timed, after one to warm up
_FASTER = 0.9  # another precision must take at most this share of the time of 32-bit floats
_SHARE = 0.6  # of the free memory that a part may take
_AGAIN = 4 / 3  # a batch in several parts runs forward twice; backward takes as long as two forward runs


@dataclass(frozen=True)
class Plan:
    """What is to be expected."""

    images: int
    batch: int
    chunk: int  # images whose views are in the network at once
    steps: int  # of an epoch
    epochs: int
    precision: Precision
    images_per_second: float  # two views each
    seconds: float  # of all epochs, without the monitor
    bytes_per_image: int  # of memory, two views
    memory: int  # bytes that a step takes
    free: int  # bytes
    tried: dict[str, float]  # precision -> seconds an image

    def told(self) -> dict[str, object]:
        """For --json."""
        return {**self.__dict__, "fits": self.memory <= self.free}


def plan_run(
    images: int,
    settings: Settings,
    encoder: Backbone,
    processes: Processes,
    *,
    precisions: tuple[Precision, ...],
    chunk: int = 0,
) -> Plan:
    """Try steps of each precision on random images, take the fastest, and see what fits.

    Args:
        images: in the pool.
        settings: of the run.
        encoder: is copied, not changed.
        processes: those that share the work.
        precisions: to try; the first is kept unless another is clearly faster.
        chunk: images whose views are in the network at once; 0 for as many as 60 % of the free memory holds.
    """
    batch = max(2, min(settings.batch, images) // processes.count * processes.count)
    share = batch // processes.count
    tried = min(_TRIED, share)
    found = {
        one: _tried(replace(settings, precision=one), encoder, processes.device, tried) for one in precisions
    }
    best = precisions[0]
    for one in precisions[1:]:
        if found[one][0] < _FASTER * found[best][0]:
            best = one
    seconds, each = found[best]
    fixed = 4 * 4 * sum(value.numel() for value in encoder.parameters()) + 2 * share * 3 * settings.side**2
    free = free_memory(processes.device)
    parts = 1
    while not chunk and parts < share // 8 and fixed + each * -(-share // parts) > _SHARE * free:
        parts *= 2
    chunk = min(chunk, share) if chunk else -(-share // parts)
    if chunk < share or processes.count > 1:
        seconds *= _AGAIN
    steps = max(1, images // batch)
    return Plan(
        images=images,
        batch=batch,
        chunk=chunk,
        steps=steps,
        epochs=settings.epochs,
        precision=best,
        images_per_second=processes.count / seconds,
        seconds=seconds * share * steps * settings.epochs,
        bytes_per_image=each,
        memory=fixed + each * chunk,
        free=free,
        tried={one: told[0] for one, told in found.items()},
    )


def precisions_for(asked: str, device: torch.device) -> tuple[Precision, ...]:
    """Those to try: the one asked for, or with "auto" 32-bit floats and what this device may do faster."""
    for one in PRECISIONS:
        if asked == one:
            return (one,)
    if device.type == "cuda":
        return ("bf16", "fp32") if torch.cuda.is_bf16_supported() else ("fp16", "fp32")
    return ("fp32", "bf16")


def _tried(settings: Settings, encoder: Backbone, device: torch.device, images: int) -> tuple[float, int]:
    """Seconds and bytes an image, of whole steps."""
    network = copy.deepcopy(encoder).requires_grad_(True).to(device).train()
    for part in network.parts:
        part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    head = projection_head(network.networks[0].channels, settings.projection).to(device)
    optimiser = optimiser_of(settings, (network.parts, head))
    one = Processes(device=device)
    learner = Learner(network, head, nt_xent(settings.temperature), optimiser, settings.precision, one)
    source = torch.Generator().manual_seed(0)
    shape = (images, settings.cached_side, settings.cached_side, 3)
    pixels = torch.randint(0, 256, shape, generator=source, dtype=torch.uint8).to(device)
    draws = draw(2 * images, settings.views, 0)

    def make(part: slice) -> torch.Tensor:
        del part
        sides = (slice(0, images), slice(images, None))
        return torch.cat([views(pixels, draws.part(side), settings.side) for side in sides])

    spent: list[float] = []
    with _counted() as kept:
        learner.step(make, images, images, 0)
    for _ in range(_STEPS):
        begun = time.perf_counter()
        learner.step(make, images, images, 0)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        spent.append((time.perf_counter() - begun) / images)
    return median(spent), sum(kept.values()) // images


@contextmanager
def _counted() -> Iterator[dict[int, int]]:
    """Bytes that a forward run keeps for the backward one: storage -> size."""
    kept: dict[int, int] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        yield kept


def free_memory(device: torch.device) -> int:
    """Bytes that can still be taken: of the GPU, else of the machine or this process's share of it."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = _available()
    limit = _number(Path("/sys/fs/cgroup/memory.max"))
    used = _number(Path("/sys/fs/cgroup/memory.current"))
    return min(free, max(0, limit - used)) if limit is not None and used is not None else free


def _available() -> int:
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError, AttributeError):  # Windows has no sysconf
        return 4 * 2**30


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):  # "max": no limit
        return None
