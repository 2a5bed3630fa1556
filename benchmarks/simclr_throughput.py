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
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.machine import machine
from benchmarks.measure import Result, compare, interleaved, line
from benchmarks.training_steps import bare_step, simclr_step
from poxlens.train.allocation import keep_freed_memory

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
            print(line(result, quick=options.quick))
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
    bare = bare_step(name, side, 2 * batch)
    for parts in (1, 2):
        ours = simclr_step(folder, name, side, batch, chunk=-(-batch // parts))
        seconds = interleaved(ours, bare, pairs, clock=time.process_time)
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
