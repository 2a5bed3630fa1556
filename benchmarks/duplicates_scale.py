"""Near-duplicates among very many thumbnails: time, memory, recall, and imagededup on the same images.

`python -m benchmarks.duplicates_scale --count 10000 --count 100000 --imagededup VENV/bin/python`

Every run is a process of its own on an empty store. Ours is the scan with all its facts, the search and the
groups, without opening files a second time, once whole and once as `--method hash`; imagededup's is encoding and
search with its defaults. Its PHash is compared with our hashes, its CNN with the whole. Imports are not counted on
either side. `--audit` adds `poxlens data audit` from the files on, as a user runs it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import phantom_crowd
from benchmarks.machine import machine
from benchmarks.phantom_crowd import Crowd
from benchmarks.weighing import processor_seconds, weighed

SPEED = 1.5  # times faster than each of imagededup's pipelines
GROWTH = 1.5  # most that the time an image may grow by from the smallest to the largest count
OURS, HASHES, AUDIT = "poxlens", "poxlens hash", "poxlens audit"
LIKE = {"imagededup phash": HASHES, "imagededup cnn": OURS}
"""What each of imagededup's pipelines is compared with."""

MEMORY = 1.5  # most that the memory that is not of files may grow by, from the smallest to the largest count


@dataclass(frozen=True)
class Run:
    """One pipeline on one crowd."""

    name: str
    count: int
    seconds: tuple[float, float]  # looking at the files, searching
    recall: float  # of planted pairs
    precision: float  # of pairs told
    by_kind: dict[str, float]  # recall of each kind of copy
    memory: float  # peak of the process and its children, pages of files included, MiB
    anonymous: float = float("nan")  # of these, what the system cannot drop: neither files nor maps of files
    processor: float = float(
        "nan"
    )  # seconds of all its processes together: what a busy machine changes least
    stopped: bool = False  # at the deadline: `seconds` is when, and nothing else is known

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
    parser.add_argument(
        "--deadline",
        type=float,
        default=3.0,
        help="stop imagededup at so many times the time of our pipeline",
    )
    parser.add_argument("--audit", action="store_true", help="also poxlens data audit, from the files on")
    parser.add_argument("--repeat", type=int, default=1, help="turns; medians are told")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--find", nargs=3, metavar=("MANIFEST", "STORE", "METHOD"), help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def _crowd(folder: Path, count: int) -> Crowd:
    print(f"{count} images ...", file=sys.stderr, flush=True)
    return phantom_crowd.make(folder / str(count), count)


def _find(manifest: str, store: str, method: str) -> int:
    """Our pipeline, in a process of its own."""
    from poxlens.data.duplicates.find import find_duplicates
    from poxlens.data.manifest import read_manifest
    from poxlens.data.scan import scan

    start = time.perf_counter()
    table = read_manifest(Path(manifest))
    seen = scan(table, Path(store), hashes_only=method == HASHES)
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
    names = [OURS, HASHES, *([AUDIT] if options.audit else []), *(LIKE if options.imagededup else ())]
    if options.imagededup is None:
        print("imagededup is left out: name an interpreter that has it with --imagededup", file=sys.stderr)
    turns: dict[str, list[Run]] = {name: [] for name in names}
    for turn in range(options.repeat):
        # Ours come first in the first turn: deadlines hang on them.
        for name in names if turn % 2 == 0 else reversed(names):
            print(f"  {name} ...", file=sys.stderr, flush=True)
            like = turns[LIKE[name]] if name in LIKE else []
            most = options.deadline * max(run.total for run in like) if like else None
            turns[name].append(_run(name, crowd, count, options.imagededup, most))
    for runs in turns.values():
        yield sorted(runs, key=lambda run: run.total)[len(runs) // 2]


def _run(name: str, crowd: Crowd, count: int, interpreter: Path | None, most: float | None) -> Run:
    with TemporaryDirectory(prefix="poxlens-store-") as store:
        if name == AUDIT:
            call = [sys.executable, "-m", "poxlens", "data", "audit", str(crowd.manifest), "--out", store]
        elif name in (OURS, HASHES):
            call = [
                sys.executable,
                "-m",
                "benchmarks.duplicates_scale",
                "--find",
                str(crowd.manifest),
                store,
                name,
            ]
        else:
            script = Path(__file__).with_name("imagededup_pipeline.py")
            call = [str(interpreter), str(script), name.split()[-1], str(crowd.folder / "images")]
        start, before = time.perf_counter(), processor_seconds()
        answer, memory, anonymous = weighed(call, most, codes=(0, 1) if name == AUDIT else (0,))
        seconds, processor = time.perf_counter() - start, processor_seconds() - before
        if name == AUDIT:
            told = json.loads((Path(store) / "audit.json").read_text(encoding="utf-8"))
            assert told["readable"] == count
    if name == AUDIT or answer is None:
        nothing = float("nan")
        return Run(
            name, count, (seconds, 0.0), nothing, nothing, {}, memory, anonymous, processor, answer is None
        )
    found = json.loads(answer)
    recall, precision, by_kind = score(crowd, found["pairs"])
    return Run(name, count, tuple(found["seconds"]), recall, precision, by_kind, memory, anonymous, processor)


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
    by_name = {(run.name, run.count): run for run in runs}
    for run in runs:
        own = by_name.get((LIKE.get(run.name, ""), run.count))
        if own is None:
            continue
        if run.total < SPEED * own.total:
            faults.append(
                f"{run.count} images: {own.name} is {run.total / own.total:.2f} times as fast as {run.name},"
                f" not {SPEED:g}"
            )
        if not run.stopped and own.recall < run.recall:
            faults.append(
                f"{run.count} images: recall {own.recall:.3f} where {run.name} has {run.recall:.3f}"
            )
    for name in (OURS, HASHES, AUDIT):
        faults += _growth([run for run in runs if run.name == name])
    return faults


def _growth(runs: list[Run]) -> list[str]:
    if len(runs) < 2:
        return []
    small, *_, large = sorted(runs, key=lambda run: run.count)
    ends = f"from {small.count} to {large.count} images"
    time_an_image = (large.total / large.count) / (small.total / small.count)
    memory = large.anonymous / small.anonymous
    faults = []
    if time_an_image > GROWTH:
        faults.append(f"{large.name}: the time an image grows {time_an_image:.2f} times {ends}")
    if memory > MEMORY:
        faults.append(f"{large.name}: memory grows {memory:.2f} times {ends}")
    return faults


def _show(runs: list[Run], faults: list[str]) -> None:
    print("  ".join(f"{name}: {value}" for name, value in machine().items()))
    by_name = {(run.name, run.count): run for run in runs}
    for run in runs:
        parts = f"{run.seconds[0]:.1f} + {run.seconds[1]:.1f} s" if run.seconds[1] else f"{run.total:.1f} s"
        print(
            f"\n{run.count} images, {run.name}: {'stopped after ' if run.stopped else ''}{parts},"
            f" {1e3 * run.total / run.count:.2f} ms an image"
        )
        for own in (OURS, HASHES) if run.name in LIKE else ():
            times = run.total / by_name[own, run.count].total
            print(f"  {'>= ' if run.stopped else ''}{times:.2f} times the time of {own}")
        print(f"  {run.processor:.1f} s of the processor")
        print(f"  peak {run.memory:.0f} MiB, {run.anonymous:.0f} of them not of files")
        if run.by_kind:
            kinds = ", ".join(f"{kind} {value:.2f}" for kind, value in run.by_kind.items())
            print(f"  recall {run.recall:.3f}, precision {run.precision:.3f}; {kinds}")
    for fault in faults:
        print(f"\nMISS  {fault}")


if __name__ == "__main__":
    sys.exit(main())
