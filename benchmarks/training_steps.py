"""Steps to be timed: those of poxlens's own trainings, whole, and a network's bare forward and backward runs.

Each function here gives another, without arguments, that takes one step.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from poxlens.train.backbones import Backbone
from poxlens.train.contrastive.processes import Processes
from poxlens.train.contrastive.settings import Precision, Settings
from poxlens.train.contrastive.training import Schedule
from poxlens.train.contrastive.training import Training as Pretraining
from poxlens.train.networks.registry import find_network
from poxlens.train.supervised.classifier import RANDOM, classifier, random_backbone
from poxlens.train.supervised.parallel import Ranks
from poxlens.train.supervised.settings import MODERN
from poxlens.train.supervised.training import Labelled, Training

Pixels = NDArray[np.uint8]
Step = Callable[[], None]

CPU = torch.device("cpu")
CLASSES = 8
_EPOCHS = 1000  # no measurement comes to the end of a schedule
_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class TooLargeError(Exception):
    """The training cut a batch in parts for want of memory, so that its step is not the one that was asked for."""


def clock_of(device: torch.device) -> Callable[[], float]:
    """Seconds: of the wall on a GPU, once all that it was given is done; else of this process's processors."""
    if device.type != "cuda":
        return time.process_time

    def clock() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return clock


def cached_side(side: int) -> int:
    """Side, px, that `poxlens pretrain simclr` keeps images at for views of so many px."""
    return round(side * 1.25)


def random_pixels(count: int, side: int) -> Pixels:
    """[count, side, side, 3] of noise; how an image looks makes no step faster."""
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)


def simclr_step(
    folder: Path,
    name: str,
    side: int,
    batch: int,
    *,
    chunk: int | None = None,
    pixels: Pixels | None = None,
    device: torch.device = CPU,
    precision: Precision = "fp32",
) -> Step:
    """A step as `poxlens pretrain simclr` takes it: pixels from a file, views, network, head, loss, optimiser, figures.

    Args:
        folder: for the file of pixels.
        name: of the network, which starts from random weights.
        side: of a view, px.
        batch: images, two views each.
        chunk: images in the network at once; the batch where it is None.
        pixels: [N, C, C, 3] at `cached_side`, repeated to two batches; noise where there are none.
        device: that learns.
        precision: inside the network.

    Raises:
        TooLargeError: by the step; not even `chunk` images fit into the memory.
    """
    cached, parts = cached_side(side), chunk or batch
    file = folder / f"{name}-{side}-{batch}-{parts}.npy"
    given = random_pixels(2 * batch, cached) if pixels is None else pixels
    np.save(file, np.resize(given, (2 * batch, cached, cached, 3)))
    settings = Settings(
        network=name,
        side=side,
        cached_side=cached,
        epochs=_EPOCHS,
        batch=batch,
        chunk=parts,
        precision=precision,
    )
    spec = find_network(name)
    encoder = Backbone([spec], [spec.build(None)])
    training = Pretraining(
        np.load(file, mmap_mode="r"),
        settings,
        encoder,
        folder / f"{file.stem}.pt",
        processes=Processes(device=device),
        schedule=Schedule(keep_every=float("inf")),
    )

    def step() -> None:
        training.learn()
        if training.chunk < parts:
            raise TooLargeError(training.notes[-1])

    return step


def tuning_step(
    folder: Path,
    name: str,
    side: int,
    batch: int,
    *,
    pixels: Pixels | None = None,
    device: torch.device = CPU,
    precision: Precision = "fp32",
) -> Step:
    """A step of the modern recipe: pixels, augmentation, mixing, network, loss, optimiser, average of the weights.

    Args:
        folder: where the training would keep its state.
        name: of the network, which starts from random weights.
        side: px.
        batch: images.
        pixels: [N, C, C, 3], C ≥ side, whose middle is taken, repeated to two batches; noise where there are none.
        device: that learns.
        precision: inside the network.

    Raises:
        TooLargeError: by the step; the batch does not fit into the memory.
    """
    settings = replace(MODERN, batch=batch, precision=precision, epochs=_EPOCHS)
    network = classifier(name, RANDOM, CLASSES, side=side, dropout=settings.dropout, seed=0)
    given = random_pixels(2 * batch, side) if pixels is None else _middle(pixels, side)
    images = np.resize(given, (2 * batch, side, side, 3))
    train = Labelled(images, np.arange(len(images)) % CLASSES)
    validation = Labelled(images[:1], train.truth[:1])
    ranks = Ranks(device=str(device))
    training = Training(network, train, validation, settings, folder / "tuning.pt", seed=0, ranks=ranks)
    numbers = itertools.count()

    def step() -> None:
        number = next(numbers)
        rows = np.random.default_rng(number).permutation(len(images))[:batch]
        training.stepper.step(rows, settings.rate_at(number, _EPOCHS), number)
        if training.stepper.part < batch:
            raise TooLargeError(training.progress.notes[-1])

    return step


def bare_step(
    name: str, side: int, images: int, *, device: torch.device = CPU, precision: Precision = "fp32"
) -> Step:
    """The network alone, forward and backward on the same random numbers, in the faster of the two memory layouts.

    Args:
        name: of the network, which starts from random weights.
        side: px.
        images: at once.
        device: that runs it.
        precision: inside the network.
    """
    network = random_backbone(name, 0).parts[0].requires_grad_(True).to(device).train()
    planes = torch.rand(images, 3, side, side, device=device)
    clock = clock_of(device)
    spent = {}
    for layout in (torch.contiguous_format, torch.channels_last):
        step = _backward(network, planes, layout, precision)
        step()
        begun = clock()
        step()
        spent[layout] = clock() - begun
    return _backward(network, planes, min(spent, key=lambda layout: spent[layout]), precision)


def _backward(
    network: torch.nn.Module, planes: torch.Tensor, layout: torch.memory_format, precision: Precision
) -> Step:
    network.to(memory_format=layout)  # type: ignore[call-overload]
    laid = planes.to(memory_format=layout)
    kind = _TYPES.get(precision)

    def step() -> None:
        network.zero_grad(set_to_none=True)
        with torch.autocast(planes.device.type, kind, enabled=kind is not None):
            maps = network(laid)
        maps.float().mean((2, 3)).sum().backward()

    return step


def _middle(pixels: Pixels, side: int) -> Pixels:
    edge = (pixels.shape[1] - side) // 2
    return pixels[:, edge : edge + side, edge : edge + side]
