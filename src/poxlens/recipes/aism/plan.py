"""What a study will take on this machine, before it starts: steps that are measured, memory, and what cannot be done.

Of each network one step is measured on random images, a few at once; nothing is written and nothing downloaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from poxlens.data.splits.units import find_groups, read_groups
from poxlens.errors import PoxlensError, TrainingError, WeightsError
from poxlens.recipes.aism.study import Arm, Study
from poxlens.recipes.compare.cases import read_table
from poxlens.recipes.default import Step, Where, silent
from poxlens.train.finetuning import FinetunedNetwork
from poxlens.train.networks.registry import find_network
from poxlens.train.supervised.classifier import IMAGENET, random_backbone
from poxlens.train.supervised.settings import Settings
from poxlens.train.weights import search_weights

_GIB = 2**30
_AT_ONCE = 4  # images in the measured step
_COPIES = 6  # weights, gradients, two moments, the average, the best epoch
_BACKWARD = 1.3  # what a backward pass holds beside the activations it needs
_WORKER_GIB = 0.7  # Python with torch loaded


@dataclass(frozen=True)
class Line:
    """One arm of a plan."""

    arm: str
    network: str
    side: int  # px
    parameters: int
    trainings: int
    images: int  # passed through in training, all trainings together
    seconds: float  # all of it; NaN: not measured
    memory_gib: float  # at its batch
    skipped: str  # why it cannot be done here; "" where it can


@dataclass(frozen=True)
class Plan:
    """What a study will take."""

    images: dict[str, int]  # class -> images
    groups: int
    folds: int
    device: str
    memory_gib: float  # that there is
    lines: tuple[Line, ...]

    @property
    def seconds(self) -> float:
        """Of all arms that can be done."""
        return sum(line.seconds for line in self.lines if not line.skipped)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready; what was not measured is null."""
        lines = [
            {name: None if value != value else value for name, value in asdict(line).items()}
            for line in self.lines
        ]
        return {**asdict(self), "lines": lines, "seconds": self.seconds}


def plan(study: Study, where: Where, base: Path, device: str, *, step: Step = silent) -> Plan:
    """Measure a step of each network and count the rest.

    Args:
        study: the study.
        where: folders of weights.
        base: the folder that the study's paths are relative to.
        device: PyTorch's name of it.
        step: progress.

    Raises:
        PoxlensError: the table of images or its groups are not as they should be.
    """
    asked = study.compare_study(study.sides[0])
    table = read_table(asked, base)
    listed = read_groups(base / study.protocol.groups, table) if study.protocol.groups else None
    count, available = len(table.rows), available_gib(device)
    lines = []
    with step("measuring a step of each arm", len(study.arms)) as done:
        for arm in study.arms:
            lines.append(_line(study, arm, where, base, device, count, available))
            done()
    return Plan(
        {name: sum(row.label == name for row in table.rows) for name in study.images.classes},
        find_groups(table, listed).count,
        study.protocol.folds * study.protocol.repeats,
        device,
        available,
        tuple(lines),
    )


def available_gib(device: str) -> float:
    """Memory that is free on the device, GiB; NaN where it is not told."""
    if device.startswith("cuda"):
        return float(torch.cuda.mem_get_info(device)[0]) / _GIB
    try:
        text = Path("/proc/meminfo").read_text("ascii")
        line = next(line for line in text.splitlines() if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024 / _GIB
    except (OSError, StopIteration, ValueError):
        return float("nan")


def _line(
    study: Study, arm: Arm, where: Where, base: Path, device: str, count: int, available: float
) -> Line:
    settings, side = study.recipe(arm), study.side(arm)
    folds = len(arm.folds) or study.protocol.folds * study.protocol.repeats
    learnt = count * (1 - 1 / study.protocol.folds) * (1 - study.protocol.validation)
    images = round(sum(folds * learnt * share * round(settings.epochs / share**0.5) for share in arm.shares))
    if arm.layers == "head":  # each image and its mirror image once, forward
        images = 2 * count // 3
    trainings = folds * len(arm.shares)
    skipped = _missing(arm, where, base)
    seconds, memory, parameters = float("nan"), float("nan"), find_network(arm.network).parameters
    if not skipped:
        try:
            network = _network(arm, len(study.images.classes), side, settings)
            parameters = sum(value.numel() for value in network.parameters())
            memory = memory_gib(network, side, settings)
            if memory > available:
                skipped = f"needs about {memory:.1f} GiB of memory at batch {settings.batch}, {available:.1f} are free"
            else:
                seconds = images * step_seconds(network.to(device), side, settings, device)
        except PoxlensError as fault:
            skipped = str(fault)
    return Line(arm.name, arm.network, side, parameters, trainings, images, seconds, memory, skipped)


def _missing(arm: Arm, where: Where, base: Path) -> str:
    """Why the weights an arm starts from are not there; "" where they are, or can be downloaded."""
    if arm.start == IMAGENET:
        network = find_network(arm.network)
        try:
            several = (network.weights, *network.alternatives)
            if any(search_weights(one, where.weights, cache=where.downloads) for one in several):
                return ""
        except WeightsError as fault:
            return str(fault)
        if where.downloads is not None and network.weights.url:
            return ""
        return f"its published weights {network.weights.file} are not at hand ({network.weights.source})"
    if not arm.published and not (base / arm.start).exists():
        return f"{arm.start} is not there yet: poxlens pretrain simclr makes it"
    return ""


def _network(arm: Arm, classes: int, side: int, settings: Settings) -> FinetunedNetwork:
    backbone = random_backbone(arm.network, 0)
    backbone.check_side(side)
    with torch.no_grad():
        channels = int(backbone.both(torch.zeros(1, side, side, 3))[1].shape[1])
    network = FinetunedNetwork(backbone, channels, classes, settings.dropout).requires_grad_(True)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def memory_gib(network: nn.Module, side: int, settings: Settings) -> float:
    """An estimate of what training takes: weights and their copies, and the activations of a batch.

    Args:
        network: on the CPU.
        side: px.
        settings: batch and precision.
    """
    entries = 0

    def count(module: nn.Module, inputs: object, output: object) -> None:
        nonlocal entries
        del module, inputs
        if isinstance(output, torch.Tensor):
            entries += output.numel()

    leaves = [module for module in network.modules() if not list(module.children())]
    hooks = [module.register_forward_hook(count) for module in leaves]
    try:
        network.eval()
        with torch.no_grad():
            network(torch.zeros(1, side, side, 3))
    finally:
        for hook in hooks:
            hook.remove()
    weights = sum(value.numel() for value in network.parameters())
    activation = 4 if settings.precision == "fp32" else 2
    held = 4 * _COPIES * weights + _BACKWARD * activation * entries * settings.batch
    return _WORKER_GIB + held / _GIB


def step_seconds(network: nn.Module, side: int, settings: Settings, device: str) -> float:
    """Seconds of training an image: forward and backward of a few at once, the quicker of two runs.

    Raises:
        TrainingError: not even a few images fit into the memory.
    """
    count = min(_AT_ONCE, settings.batch)
    images = torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8, device=device)
    kind = torch.float16 if settings.precision == "fp16" else torch.bfloat16
    network.train()

    def run() -> None:
        with torch.autocast(torch.device(device).type, kind, enabled=settings.precision != "fp32"):
            logits = network(images)
        logits.float().square().mean().backward()
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    try:
        return min(_timed(run) for _ in range(2)) / count
    except (torch.OutOfMemoryError, RuntimeError) as fault:
        raise TrainingError(
            f"a step of {count} images cannot be done here: {str(fault).splitlines()[0]}"
        ) from fault


def _timed(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
