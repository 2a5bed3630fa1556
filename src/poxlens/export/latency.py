"""How long each form of a model takes, with what memory: batch 1, all forms in turns so that ratios are fair."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from poxlens.errors import ExportError
from poxlens.screen.engine import Runtime, open_graph
from poxlens.screen.graph import Graph

RUNS = 100
"""Rounds; the paper has 50 (Campana 2024, section 6)."""
FLOATS = "fp32"
_WARM_UP = 3


@dataclass(frozen=True)
class Form:
    """One file to be timed."""

    model: str  # name of the bundle
    runtime: Runtime
    precision: str
    path: Path
    side: int
    accuracy: float | None = None  # out of fold, where an export recorded it

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.model} {self.runtime} {self.precision}"


@dataclass(frozen=True)
class Timing:
    """One form with a number of threads."""

    form: Form
    threads: int
    runs: int
    median_ms: float
    p95_ms: float
    least_ms: float
    quarter_ms: float  # 25th percentile
    three_quarters_ms: float  # 75th
    load_ms: float
    first_ms: float  # the first answer after the load
    memory_mb: float  # that load and first answer add to the process at their highest
    size_mb: float
    times_floats: (
        float | None
    )  # median of (its own fp32 in this runtime / it), round by round; > 1 is quicker
    times_low: float | None  # 10th percentile of these
    times_high: float | None  # 90th


def measure(
    forms: Sequence[Form],
    threads: Sequence[int] = (1, 2),
    runs: int = RUNS,
    *,
    seed: int = 0,
    advance: Callable[[int], object] | None = None,
) -> list[Timing]:
    """Time every form with every number of threads.

    Each round runs every form once, in an order drawn anew: whatever slows the machine for a while slows all of them.

    Args:
        forms: the files.
        threads: within one call.
        runs: rounds, at least 50.
        seed: of the orders and of the photo.
        advance: called with 1 after each round.

    Raises:
        ExportError: fewer than 50 rounds, or a process that measures a load fails.
        BundleError: a file is no such model, or its runtime is missing.
    """
    if runs < 50:
        raise ExportError(f"{runs} rounds are too few for a 95th percentile: give at least 50")
    found = []
    for count in threads:
        costs = [_cost(form, count) for form in forms]
        seconds = _rounds(forms, count, runs, seed, advance)
        for place, form in enumerate(forms):
            floats = next(
                (
                    i
                    for i, other in enumerate(forms)
                    if (other.model, other.runtime, other.precision) == (form.model, form.runtime, FLOATS)
                ),
                None,
            )
            ratio = None if floats is None else seconds[floats] / seconds[place]
            found.append(_timing(form, count, seconds[place], costs[place], ratio))
    return found


def _rounds(
    forms: Sequence[Form],
    threads: int,
    runs: int,
    seed: int,
    advance: Callable[[int], object] | None,
) -> NDArray[np.float64]:
    """[F, R] seconds."""
    random = np.random.default_rng(seed)
    graphs: list[tuple[Graph, NDArray[np.uint8]]] = []
    for form in forms:
        graph = open_graph(form.runtime, form.path.read_bytes(), size=form.side, threads=threads)
        photo = random.integers(0, 256, (1, form.side, form.side, 3), np.uint8)
        graphs.append((graph, photo))
        for _ in range(_WARM_UP):
            graph.run(photo)
    seconds = np.empty((len(forms), runs))
    for turn in range(runs):
        for place in random.permutation(len(forms)).tolist():
            graph, photo = graphs[place]
            start = perf_counter()
            graph.run(photo)
            seconds[place, turn] = perf_counter() - start
        if advance:
            advance(1)
    return seconds


def _cost(form: Form, threads: int) -> dict[str, float]:
    asked = [form.runtime, str(form.path), str(form.side), str(threads)]
    done = subprocess.run(
        [sys.executable, "-m", "poxlens.export.load_cost", *asked],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1][:300]
        raise ExportError(f"{form.path.name} cannot be loaded: {last}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _timing(
    form: Form,
    threads: int,
    seconds: NDArray[np.float64],
    cost: dict[str, float],
    ratio: NDArray[np.float64] | None,
) -> Timing:
    ms = seconds * 1e3
    low, middle, high = (None,) * 3 if ratio is None else np.percentile(ratio, (10, 50, 90)).tolist()
    return Timing(
        form=form,
        threads=threads,
        runs=len(ms),
        median_ms=float(np.median(ms)),
        p95_ms=float(np.percentile(ms, 95)),
        least_ms=float(ms.min()),
        quarter_ms=float(np.percentile(ms, 25)),
        three_quarters_ms=float(np.percentile(ms, 75)),
        load_ms=cost["load_ms"],
        first_ms=cost["first_ms"],
        memory_mb=cost["memory_bytes"] / 1e6,
        size_mb=form.path.stat().st_size / 1e6,
        times_floats=middle,
        times_low=low,
        times_high=high,
    )
