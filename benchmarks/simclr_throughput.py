"""`python -m benchmarks.simclr_throughput`: steps of SimCLR beside the same network's bare forward and backward runs.

Ours is a whole step as `poxlens pretrain simclr` takes it: pixels from the file of decoded images, two views of each,
network, projection head, loss, optimiser, figures of the step. The bare step runs the network forward and backward on
as many images of random numbers, in the faster of the two memory layouts, and does nothing else. Both in turns in one
process; a view counts as an image.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.machine import machine
from benchmarks.measure import Result, compare
from poxlens.train.allocation import keep_freed_memory
from poxlens.train.backbones import Backbone
from poxlens.train.contrastive.settings import Settings
from poxlens.train.contrastive.training import Schedule, Training
from poxlens.train.networks.registry import find_network

TARGET = 0.6


def main(argv: list[str] | None = None) -> int:
    """Measure: 0 when the target is met or with --quick, 1 on a miss."""
    options = _options(argv)
    if options.threads:
        torch.set_num_threads(options.threads)
    keep_freed_memory()
    with TemporaryDirectory(prefix="poxlens-bench-") as folder:
        results = measure(Path(folder), options.network, options.side, options.batch, options.pairs)
    told = {**machine(), "torch": torch.__version__, "threads": torch.get_num_threads()}
    if options.json:
        shown = [{**asdict(result), "met": result.met} for result in results]
        print(json.dumps({"machine": told, "quick": options.quick, "results": shown}, indent=2))
    else:
        print("  ".join(f"{name}: {value}" for name, value in told.items()))
        for result in results:
            verdict = "quick" if options.quick else ("pass" if result.met else "MISS")
            print(
                f"{verdict}  {result.name}: {result.ratio:.3f} (target ≥ {result.target:g}; n {result.n}, pairs from "
                f"{result.spread[0]:.3f} to {result.spread[1]:.3f}); {result.ours.value:.1f} and "
                f"{result.theirs.value:.1f} {result.ours.unit}"
            )
    return 0 if options.quick or results[0].met else 1


def measure(folder: Path, name: str, side: int, batch: int, pairs: int) -> list[Result]:
    """The batch at once, and in two parts, which costs a second forward run; the target is for the first.

    Args:
        folder: for the file of pixels.
        name: of the network.
        side: of a view, px.
        batch: images, two views each.
        pairs: timed.
    """
    results = []
    bare = _bare(name, side, 2 * batch)
    for parts in (1, 2):
        ours = _step(folder, name, side, batch, parts)
        seconds = _in_turns(ours, bare, pairs)
        rates = tuple([2 * batch / one for one in series] for series in seconds)
        results.append(
            compare(
                f"{name} at {side} px, {batch} images in {parts} part{'s' * (parts > 1)}",
                ("step of SimCLR", rates[0]),
                ("bare forward and backward", rates[1]),
                target=TARGET,
                unit="images a processor second",
                at_most=False,
            )
        )
    return results


def _in_turns(
    ours: Callable[[], object], theirs: Callable[[], object], pairs: int
) -> tuple[list[float], list[float]]:
    """Processor seconds of each, in turns: what others take of the machine is not counted."""
    seconds: tuple[list[float], list[float]] = ([], [])
    ours(), theirs()
    for turn in range(pairs):
        for side in (0, 1) if turn % 2 else (1, 0):
            begun = time.process_time()
            (ours, theirs)[side]()
            seconds[side].append(time.process_time() - begun)
    return seconds


def _step(folder: Path, name: str, side: int, batch: int, parts: int) -> Callable[[], object]:
    cached = round(side * 1.25)
    path = folder / f"{parts}.npy"
    random = np.random.default_rng(0)
    np.save(path, random.integers(0, 256, (2 * batch, cached, cached, 3), np.uint8))
    settings = Settings(
        network=name, side=side, cached_side=cached, epochs=1000, batch=batch, chunk=-(-batch // parts)
    )
    spec = find_network(name)
    encoder = Backbone([spec], [spec.build(None)])
    schedule = Schedule(keep_every=float("inf"))
    training = Training(
        np.load(path, mmap_mode="r"), settings, encoder, folder / f"{parts}.pt", schedule=schedule
    )
    return training.learn


def _bare(name: str, side: int, images: int) -> Callable[[], object]:
    network = find_network(name).build(None).train()
    planes = torch.rand(images, 3, side, side)
    spent = {}
    for layout in (torch.contiguous_format, torch.channels_last):
        step = _backward(network.to(memory_format=layout), planes.to(memory_format=layout))
        step()
        begun = time.process_time()
        step()
        spent[layout] = time.process_time() - begun
    best = min(spent, key=lambda layout: spent[layout])
    return _backward(network.to(memory_format=best), planes.to(memory_format=best))


def _backward(network: torch.nn.Module, planes: torch.Tensor) -> Callable[[], object]:
    def step() -> None:
        network.zero_grad(set_to_none=True)
        network(planes).mean((2, 3)).sum().backward()

    return step


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simclr_throughput", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="few images: tries it, judges nothing")
    parser.add_argument("--network", default="mobilenet-v3-small", help="name in the registry")
    parser.add_argument("--side", type=int, default=128, help="px of a view")
    parser.add_argument("--batch", type=int, default=128, help="images, two views each")
    parser.add_argument("--pairs", type=int, default=8, help="timed pairs")
    parser.add_argument("--threads", type=int, default=0, help="of PyTorch; 0: its own choice")
    found = parser.parse_args(argv)
    if found.quick:
        found.side, found.batch, found.pairs = 32, 4, 2
    return found


if __name__ == "__main__":
    sys.exit(main())
