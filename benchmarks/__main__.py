"""`python -m benchmarks`: every ratio with its target, n and spread, measured in one run on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import explain, folder, model, photo, start
from benchmarks.machine import machine
from benchmarks.measure import Result
from poxlens.bundle.store import embedded_path
from poxlens.errors import PoxlensError

BENCHMARKS = {
    "start": start.run,
    "model": model.run,
    "explain": explain.run,
    "photo": photo.run,
    "folder": folder.run,
}


def main(argv: list[str] | None = None) -> int:
    """Run the benchmarks: 0 when every target is met or with --quick, 1 on a miss, 2 without a bundle."""
    options = _options(argv)
    bundle = options.bundle or embedded_path()
    if not bundle.exists():
        print(
            f"benchmarks: no bundle at {bundle}; name one with --bundle, or make one: make bundle",
            file=sys.stderr,
        )
        return 2
    results: list[Result] = []
    try:
        with TemporaryDirectory(prefix="poxlens-bench-") as folder_name:
            for name in options.only or BENCHMARKS:
                print(f"{name} ...", file=sys.stderr, flush=True)
                results += BENCHMARKS[name](bundle, Path(folder_name), quick=options.quick)
    except PoxlensError as fault:
        print(f"benchmarks: {fault}", file=sys.stderr)
        return 2
    if options.json:
        shown = [{**asdict(result), "met": result.met} for result in results]
        print(json.dumps({"machine": machine(), "quick": options.quick, "results": shown}, indent=2))
    else:
        _show(results, quick=options.quick)
    return 0 if options.quick or all(result.met for result in results) else 1


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--quick", action="store_true", help="few repeats: tries the benchmarks, judges nothing"
    )
    parser.add_argument("--bundle", type=Path, help="another bundle than the embedded one")
    parser.add_argument("--only", choices=BENCHMARKS, action="append", help="one benchmark; repeatable")
    return parser.parse_args(argv)


def _show(results: list[Result], *, quick: bool) -> None:
    print("  ".join(f"{name}: {value}" for name, value in machine().items()))
    for result in results:
        sign = "≤" if result.at_most else "≥"
        verdict = "quick" if quick else ("pass" if result.met else "MISS")
        print(
            f"\n{verdict}  {result.name}: {result.ratio:.3g} (target {sign} {result.target:g}; n {result.n},"
        )
        print(f"      pairs from {result.spread[0]:.3g} to {result.spread[1]:.3g})")
        print(f"      {result.ours.name}: {result.ours.value:.4g} {result.ours.unit}")
        print(f"      {result.theirs.name}: {result.theirs.value:.4g} {result.theirs.unit}")


if __name__ == "__main__":
    sys.exit(main())
