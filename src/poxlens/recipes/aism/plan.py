"""What a study will take on this machine, before it starts: steps that are measured, memory, and what cannot be done.

Of each network one step is measured on random images, a few at once; nothing is written and nothing downloaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from poxlens.data.splits.units import find_groups, read_groups
from poxlens.errors import PoxlensError, TrainingError, WeightsError
from poxlens.recipes.aism.leak import NAME as LEAK
from poxlens.recipes.aism.leak import deal
from poxlens.recipes.aism.study import Arm, Study
from poxlens.recipes.compare.cases import read_table
from poxlens.recipes.default import Step, Where, silent
from poxlens.train.contrastive.planning import free_memory
from poxlens.train.finetuning import FinetunedNetwork
from poxlens.train.networks.registry import find_network
from poxlens.train.supervised.classifier import IMAGENET, RANDOM, classifier
from poxlens.train.supervised.parallel import Ranks
from poxlens.train.supervised.settings import Settings
from poxlens.train.supervised.stepping import DivergedError, Stepper
from poxlens.train.supervised.training import Labelled
from poxlens.train.weights import search_weights

_GIB = 2**30
_AT_ONCE = 4  # images in the measured step on a processor; a GPU is filled by a batch only
_COPIES = 6  # weights, gradients, two moments, the average, the best epoch
_BACKWARD = 1.3  # what a backward pass holds beside the activations it needs
_WORKER_GIB = 0.7  # Python with torch loaded


@dataclass(frozen=True)
class Line:
    """One arm of a plan, or one of the leaking protocol."""

    arm: str
    network: str
    side: int  # px
    parameters: int
    trainings: int
    images: int  # passed through in training, all trainings together
    seconds: float  # all of it; NaN: not measured
    memory_gib: float  # at its batch
    part: int  # images at once where its batch does not fit on the GPU; 0: the whole batch
    download: str  # the file of published weights that is fetched first; "" where none is
    skipped: str  # why it cannot be done here; "" where it can


@dataclass(frozen=True)
class Measured:
    """What one image of a kind of training takes."""

    parameters: int
    memory_gib: float = float("nan")  # at its batch
    seconds: float = float("nan")  # an image
    part: int = 0  # images at once where the batch does not fit
    fault: str = ""  # why it cannot be done here


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


def plan(
    study: Study,
    where: Where,
    base: Path,
    device: str,
    *,
    arms: Collection[str] = (),
    leak: bool = True,
    step: Step = silent,
) -> Plan:
    """Measure a step of each network and count the rest.

    Args:
        study: the study.
        where: folders of weights.
        base: the folder that the study's paths are relative to.
        device: PyTorch's name of it.
        arms: names; all when empty.
        leak: whether the paper's protocol is trained too.
        step: progress.

    Raises:
        PoxlensError: the table of images or its groups are not as they should be.
    """
    asked = study.compare_study(study.sides[0])
    table = read_table(asked, base)
    listed = read_groups(base / study.protocol.groups, table) if study.protocol.groups else None
    labels = [row.label for row in table.rows]
    todo = [(arm, arm.name, *_counts(study, arm, len(labels))) for arm in study.arms]
    todo = [one for one in todo if not arms or one[1] in arms]
    if study.leak is not None and leak:
        learnt = _learnt_in_leak(study, labels)
        named = {arm.name: arm for arm in study.arms}
        for name in study.leak.arms:
            once = learnt * study.recipe(named[name]).epochs
            todo.append((named[name], f"{name}, {LEAK}", 1, once))
    free, known = available_gib(device), dict[Any, Measured]()
    lines = []
    with step("measuring a step of each arm", len(todo)) as done:
        for arm, name, trainings, images in todo:
            lines.append(_line(study, arm, name, trainings, images, where, base, device, free, known))
            done()
    return Plan(
        {name: labels.count(name) for name in study.images.classes},
        find_groups(table, listed).count,
        study.protocol.folds * study.protocol.repeats,
        device,
        free,
        tuple(lines),
    )


def available_gib(device: str) -> float:
    """Memory that is free on the device, GiB."""
    return free_memory(torch.device(device)) / _GIB


def _counts(study: Study, arm: Arm, count: int) -> tuple[int, int]:
    """Trainings of an arm, and images that pass through in all of them."""
    folds = len(arm.folds) or study.protocol.folds * study.protocol.repeats
    trainings = folds * len(arm.shares)
    if arm.layers == "head":  # each image and its mirror image once, forward
        return trainings, 2 * count // 3
    learnt = count * (1 - 1 / study.protocol.folds) * (1 - study.protocol.validation)
    epochs = study.recipe(arm).epochs
    return trainings, round(sum(folds * learnt * share * round(epochs / share**0.5) for share in arm.shares))


def _learnt_in_leak(study: Study, labels: list[str]) -> int:
    """Images and copies that an epoch of the leaking protocol learns from."""
    assert study.leak is not None
    classes = tuple(study.images.classes)
    truth = np.array([classes.index(label) for label in labels if label in classes])
    return len(deal(study.leak, truth, classes, study.protocol.seed).train)


def _line(
    study: Study,
    arm: Arm,
    name: str,
    trainings: int,
    images: int,
    where: Where,
    base: Path,
    device: str,
    free: float,
    known: dict[Any, Measured],
) -> Line:
    settings, side = study.recipe(arm), study.side(arm)
    skipped, download = _weights(arm, where, base)
    found = Measured(find_network(arm.network).parameters)
    if not skipped:
        key = (arm.network, side, replace(settings, epochs=1))
        if key not in known:  # arms often differ in what they start from alone
            known[key] = _measured(arm.network, len(study.images.classes), side, settings, device, free)
        found, skipped = known[key], known[key].fault
    return Line(
        arm=name,
        network=arm.network,
        side=side,
        parameters=found.parameters,
        trainings=trainings,
        images=images,
        seconds=images * found.seconds,
        memory_gib=found.memory_gib,
        part=found.part,
        download=download,
        skipped=skipped,
    )


def _weights(arm: Arm, where: Where, base: Path) -> tuple[str, str]:
    """Why the weights an arm starts from are not there, and which file would be downloaded; else ""."""
    if arm.start == IMAGENET:
        network = find_network(arm.network)
        try:
            several = (network.weights, *network.alternatives)
            if any(search_weights(one, where.weights, cache=where.downloads) for one in several):
                return "", ""
        except WeightsError as fault:
            return str(fault), ""
        if where.downloads is not None and network.weights.url:
            return "", network.weights.file
        return f"its published weights {network.weights.file} are not at hand ({network.weights.source})", ""
    if not arm.published and not (base / arm.start).exists():
        return f"{arm.start} is not there yet: poxlens pretrain simclr makes it", ""
    return "", ""


def _measured(name: str, classes: int, side: int, settings: Settings, device: str, free: float) -> Measured:
    try:
        network = classifier(name, RANDOM, classes, side=side, dropout=settings.dropout, seed=0)
    except PoxlensError as fault:
        return Measured(find_network(name).parameters, fault=str(fault))
    parameters, memory = (
        sum(value.numel() for value in network.parameters()),
        memory_gib(network, side, settings),
    )
    # A GPU that is full says so, and training goes on in parts; a process that outgrows the machine is ended.
    if memory > free and not device.startswith("cuda"):
        told = f"needs about {memory:.1f} GiB of memory at batch {settings.batch}, {free:.1f} are free"
        return Measured(parameters, memory, fault=f"{told}: lower its batch, or leave it out")
    try:
        seconds, part = step_seconds(network, side, settings, device)
    except PoxlensError as fault:
        return Measured(parameters, memory, fault=str(fault))
    return Measured(parameters, memory, seconds, part)


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


def step_seconds(network: FinetunedNetwork, side: int, settings: Settings, device: str) -> tuple[float, int]:
    """Seconds of training an image, of whole steps on noise, the quicker of two; and the part of a batch that fits.

    Args:
        network: on the CPU; it is changed.
        side: px.
        settings: the recipe.
        device: PyTorch's name of it.

    Returns:
        Seconds, and images at once where the whole batch does not fit, else 0.

    Raises:
        TrainingError: not even two images fit into the memory.
    """
    gpu = device.startswith("cuda")
    count = settings.batch if gpu else min(_AT_ONCE, settings.batch)
    noise = np.random.default_rng(0)
    classes = int(network.head[-1].out_features)  # type: ignore[arg-type]
    data = Labelled(
        noise.integers(0, 256, (count, side, side, 3), np.uint8), noise.integers(0, classes, count)
    )
    stepper = Stepper(
        network.to(device), data, replace(settings, batch=count), Ranks(device=device), lambda _: None
    )
    rows = np.arange(count)

    def run() -> None:
        stepper.step(rows, settings.rate, 0)
        if gpu:
            torch.cuda.synchronize()

    try:
        seconds = min(_timed(run) for _ in range(2)) / count
    except DivergedError as fault:
        raise TrainingError(f"a step on noise cannot be measured: {fault}") from fault
    finally:
        network.to("cpu")  # the next network's place
    return seconds, stepper.part if stepper.part < count else 0


def _timed(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
