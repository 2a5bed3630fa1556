"""Near-duplicates among very many thumbnails: time, memory, recall, and imagededup on the same images.

`python -m benchmarks.duplicates_scale --count 10000 --count 100000 --imagededup VENV/bin/python`

Every run is a process of its own on an empty store. Ours is the scan with all its facts, the search and the
groups, without opening files a second time; imagededup's is encoding and search with its defaults. Imports are
not counted on either side.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks import phantom_crowd
from benchmarks.machine import machine
from benchmarks.phantom_crowd import Crowd

SPEED = 1.5  # times faster than each of imagededup's pipelines
GROWTH = 1.5  # most that the time an image may grow by from the smallest to the largest count
OURS = "poxlens"


@dataclass(frozen=True)
class Run:
    """One pipeline on one crowd."""

    name: str
    count: int
    seconds: tuple[float, float]  # looking at the files, searching
    recall: float  # of planted pairs
    precision: float  # of pairs told
    by_kind: dict[str, float]  # recall of each kind of copy
    memory: float  # peak of the process and its children, MiB

    @property
    def total(self) -> float:
        """Seconds."""
        return sum(self.seconds)


def main(argv: list[str] | None = None) -> int:
    """Measure: 0 when every target is met, 1 on a miss, 2 when nothing can be measured."""
    options = _options(argv)
    if options.find:
        return _find(*options.find)
    with TemporaryDirectory(prefix="poxlens-scale-") as temporary:
        folder = options.folder or Path(temporary)
        runs = [run for count in options.count or [1_000] for run in _measure(_crowd(folder, count), options)]
    faults = judge(runs)
    if options.json:
        print(
            json.dumps(
                {"machine": machine(), "runs": [asdict(run) for run in runs], "misses": faults}, indent=2
            )
        )
    else:
        _show(runs, faults)
    return 1 if faults else 0


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.duplicates_scale", description=__doc__)
    parser.add_argument("--count", type=int, action="append", help="images; repeatable (default 1000)")
    parser.add_argument("--folder", type=Path, help="where the images are made, or were by a former run")
    parser.add_argument(
        "--imagededup", type=Path, help="interpreter that has imagededup; TORCH_HOME names its weights"
    )
    parser.add_argument("--cnn-most", type=int, default=10_000, help="images above which its CNN is left out")
    parser.add_argument(
        "--phash-most", type=int, default=30_000, help="images above which its PHash is left out"
    )
    parser.add_argument("--repeat", type=int, default=1, help="turns; medians are told")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--find", nargs=2, metavar=("MANIFEST", "STORE"), help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def _crowd(folder: Path, count: int) -> Crowd:
    print(f"{count} images ...", file=sys.stderr, flush=True)
    return phantom_crowd.make(folder / str(count), count)


def _find(manifest: str, store: str) -> int:
    """Our pipeline, in a process of its own."""
    from poxlens.data.duplicates.find import find_duplicates
    from poxlens.data.manifest import read_manifest
    from poxlens.data.scan import scan

    start = time.perf_counter()
    table = read_manifest(Path(manifest))
    seen = scan(table, Path(store))
    scanned = time.perf_counter()
    found = find_duplicates(table, seen, confirm=False)
    seconds = scanned - start, time.perf_counter() - scanned
    rows = [row.path.name for row in table.rows]
    groups: dict[int, list[str]] = {}
    for row, group in enumerate(found.group.tolist()):
        groups.setdefault(group, []).append(rows[row])
    pairs = [pair for members in groups.values() for pair in combinations(sorted(members), 2)]
    print(json.dumps({"seconds": seconds, "pairs": pairs}))
    return 0


def _measure(crowd: Crowd, options: argparse.Namespace) -> Iterator[Run]:
    count = len(list((crowd.folder / "images").iterdir()))
    names = [OURS]
    if options.imagededup is None:
        print("imagededup is left out: name an interpreter that has it with --imagededup", file=sys.stderr)
    else:
        names += [f"imagededup {method}" for method, most in
                  (("phash", options.phash_most), ("cnn", options.cnn_most)) if count <= most]  # fmt: skip
    turns: dict[str, list[Run]] = {name: [] for name in names}
    for turn in range(options.repeat):
        for name in names if turn % 2 == 0 else reversed(names):
            print(f"  {name} ...", file=sys.stderr, flush=True)
            turns[name].append(_run(name, crowd, count, options.imagededup))
    for runs in turns.values():
        middle = sorted(runs, key=lambda run: run.total)[len(runs) // 2]
        yield middle


def _run(name: str, crowd: Crowd, count: int, interpreter: Path | None) -> Run:
    with TemporaryDirectory(prefix="poxlens-store-") as store:
        if name == OURS:
            call = [sys.executable, "-m", "benchmarks.duplicates_scale", "--find", str(crowd.manifest), store]
        else:
            script = Path(__file__).with_name("imagededup_pipeline.py")
            call = [str(interpreter), str(script), name.split()[-1], str(crowd.folder / "images")]
        answer, memory = _weighed(call)
    recall, precision, by_kind = score(crowd, answer["pairs"])
    return Run(name, count, tuple(answer["seconds"]), recall, precision, by_kind, memory)


def _weighed(call: list[str]) -> tuple[dict, float]:
    """The last line that a process prints, as JSON, and the most memory that it and its children held, MiB."""
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        peak, ended = [0.0], threading.Event()

        def weigh() -> None:
            seen = psutil.Process(process.pid)
            while not ended.wait(0.2):
                try:
                    parts = [seen, *seen.children(recursive=True)]
                    peak[0] = max(peak[0], sum(part.memory_info().rss for part in parts) / 2**20)
                except psutil.Error:
                    continue  # one of them has just ended

        watch = threading.Thread(target=weigh)
        watch.start()
        output = process.communicate()[0]
        ended.set()
        watch.join()
    if process.returncode:
        raise RuntimeError(f"{call[0]} ended with {process.returncode}")
    return json.loads(output.splitlines()[-1]), peak[0]


def score(crowd: Crowd, pairs: list[list[str]]) -> tuple[float, float, dict[str, float]]:
    """Recall of planted pairs, precision of told pairs, recall by kind of copy."""
    name = phantom_crowd.name
    told = {tuple(sorted(pair)) for pair in pairs}
    truth = {(name(original), name(copy)): crowd.kinds[copy] for copy, original in crowd.copies.items()}
    hit = told & set(truth)
    kinds = sorted(set(truth.values()))
    by_kind = {
        kind: sum(truth[pair] == kind for pair in hit) / sum(each == kind for each in truth.values())
        for kind in kinds
    }
    return len(hit) / max(len(truth), 1), len(hit) / max(len(told), 1), by_kind


def judge(runs: list[Run]) -> list[str]:
    """What misses its target."""
    faults = []
    ours = {run.count: run for run in runs if run.name == OURS}
    for run in runs:
        own = ours[run.count]
        if run.name == OURS:
            continue
        if run.total < SPEED * own.total:
            faults.append(
                f"{run.count} images: {run.total / own.total:.2f} times {run.name}'s speed, not {SPEED:g}"
            )
        if own.recall < run.recall:
            faults.append(
                f"{run.count} images: recall {own.recall:.3f} where {run.name} has {run.recall:.3f}"
            )
    if len(ours) > 1:
        small, large = ours[min(ours)], ours[max(ours)]
        growth = (large.total / large.count) / (small.total / small.count)
        if growth > GROWTH:
            faults.append(
                f"the time an image grows {growth:.2f} times from {small.count} to {large.count} images"
            )
    return faults


def _show(runs: list[Run], faults: list[str]) -> None:
    print("  ".join(f"{name}: {value}" for name, value in machine().items()))
    ours = {run.count: run.total for run in runs if run.name == OURS}
    for run in runs:
        print(
            f"\n{run.count} images, {run.name}: {run.seconds[0]:.1f} + {run.seconds[1]:.1f} s"
            f" ({run.total / ours[run.count]:.2f} of poxlens), {1e3 * run.total / run.count:.2f} ms an image,"
            f" peak {run.memory:.0f} MiB\n  recall {run.recall:.3f}, precision {run.precision:.3f}; "
            + ", ".join(f"{kind} {value:.2f}" for kind, value in run.by_kind.items())
        )
    for fault in faults:
        print(f"\nMISS  {fault}")


if __name__ == "__main__":
    sys.exit(main())
