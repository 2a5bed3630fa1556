"""A folder of 1,000 photos: throughput beside bare decoding and inference on the same cores, and memory."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from math import nan
from pathlib import Path
from time import perf_counter

import psutil

from benchmarks import bare
from benchmarks.measure import Result, compare
from benchmarks.model import graph_of
from benchmarks.photos import jpeg
from benchmarks.start import command, environment
from poxlens.bundle.store import load
from poxlens.screen.screener import available_cores

SIZES = ((640, 480), (1280, 960), (2048, 1536))
_DISTINCT = 60  # pictures drawn; the folder repeats them


@dataclass(frozen=True)
class _Run:
    seconds: float
    early: float  # MiB after a fifth of the photos
    late: float  # MiB near the end


def run(bundle: Path, folder: Path, *, quick: bool) -> list[Result]:
    count, repeats = (30, 1) if quick else (1000, 5)
    photos = _photos(folder / "photos", count)
    loaded = load(bundle)
    graph = folder / "graph.onnx"
    graph.write_bytes(graph_of(loaded))
    cores = str(available_cores())
    ours_command = command("screen", str(photos), "--json", "--bundle", str(bundle))
    size = str(loaded.manifest.input.size)
    theirs_command = [sys.executable, str(Path(bare.__file__)), str(graph), str(photos), size, cores]
    ours, theirs = [], []
    for turn in range(repeats):
        pair = [(ours, ours_command), (theirs, theirs_command)]
        for runs, call in pair if turn % 2 else reversed(pair):
            runs.append(_whole(call, count))
    speed = compare(
        f"folder of {count} photos, photos a second",
        ("poxlens screen DIR --json", [count / one.seconds for one in ours]),
        (f"bare decoding and inference on {cores} threads", [count / one.seconds for one in theirs]),
        target=0.8,
        unit="photos/s",
        at_most=False,
    )
    if quick:  # so few photos are done before the process can be weighed
        return [speed]
    memory = compare(
        "memory at the end of the folder",
        ("near the end", [one.late for one in ours]),
        ("after a fifth of the photos", [one.early for one in ours]),
        target=1.1,
        unit="MiB",
    )
    return [speed, memory]


def _photos(folder: Path, count: int) -> Path:
    folder.mkdir()
    drawn = min(count, _DISTINCT)
    for number in range(count):
        path = folder / f"{number:04}.jpg"
        if number < drawn:
            jpeg(path, seed=number // len(SIZES), size=SIZES[number % len(SIZES)])
        else:
            os.link(folder / f"{number % drawn:04}.jpg", path)
    return folder


def _whole(call: list[str], count: int) -> _Run:
    """Run a process to its end, counting the lines it prints and weighing it on the way."""
    start = perf_counter()
    weights: list[float] = []
    with subprocess.Popen(call, env=environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        seen = psutil.Process(process.pid)
        lines = 0
        for lines, _ in enumerate(process.stdout, start=1):
            if lines % (count // 10) == 0:
                weights.append(_mebibytes(seen))
    seconds = perf_counter() - start
    if process.returncode or lines != count:
        raise RuntimeError(f"{call[0]} ended with {process.returncode} after {lines} of {count} photos")
    alive = [weight for weight in weights[1:] if weight]
    return _Run(seconds, alive[0] if alive else nan, alive[-1] if alive else nan)


def _mebibytes(process: psutil.Process) -> float:
    """Resident memory; 0 once the process has ended and only its output is left to read."""
    try:
        return float(process.memory_info().rss) / 2**20
    except psutil.Error:
        return 0.0
