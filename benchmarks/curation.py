"""Curation on real photos: how many crops hold background, and how many photos that could give one do.

    python -m benchmarks.curation                       the counts, from the committed judgements
    python -m benchmarks.curation draw --out FOLDER     propose, and draw the photos to be judged
    python -m benchmarks.curation speed                 milliseconds an image, of 100 photos of each set

`draw` shuffles with a fixed seed the photos of each set that are not in
benchmarks/data/curation_development.csv: of DermNet every photo looked at before the rule was final, of MSID (770
photos, too few for two tests) those that the network was taught on. The first 100 with a crop are judged for
background, and the first 100 at all for whether a person would find a square of skin alone.
`benchmarks/data/curation_judgements.csv` holds what was judged by eye: set, file, what ("crop" or "photo"),
the box, verdict ("clean"/"background" of a crop, "enough"/"too little" of a photo), and why.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from poxlens.data.curate.proposals import Proposal, Proposals
from poxlens.data.curate.propose import propose
from poxlens.data.curate.run import curate
from poxlens.data.manifest import read_manifest
from poxlens.evaluate.intervals import wilson

DATA = Path(__file__).parent / "data"
JUDGEMENTS, DEVELOPMENT = DATA / "curation_judgements.csv", DATA / "curation_development.csv"
SETS = {"msid": 96, "dermnet": 224}
"""Set -> least side, px: the files of MSID are 224 px whole."""
SEED, SAMPLE = 20240, 100
TARGETS = {"crop": 0.95, "photo": 0.60}
COLUMNS = ("set", "what", "file", "box", "verdict", "why")


def main(argv: Sequence[str] | None = None) -> int:
    """Counts, a draw, or the speed: 0 when every target is met, 1 on a miss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("count", "draw", "speed"), default="count")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("curation-draw"))
    parser.add_argument("--judgements", type=Path, default=JUDGEMENTS)
    options = parser.parse_args(argv)
    if options.what == "draw":
        return _draw(options.data, options.out)
    if options.what == "speed":
        return _speed(options.data)
    return _count(read_judgements(options.judgements))


def read_judgements(path: Path) -> list[dict[str, str]]:
    """The rows of the table, each with the columns of COLUMNS."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def drawn(proposals: Proposals, dataset: str) -> tuple[list[Proposal], list[Proposal]]:
    """The crops and the photos to be judged of one set, from the proposals of its whole table."""
    with DEVELOPMENT.open(encoding="utf-8", newline="") as stream:
        seen = {row["file"] for row in csv.DictReader(stream)}
    left = [one for one in proposals.proposals if one.file.startswith(f"{dataset}/") and one.file not in seen]
    left.sort(key=lambda one: one.file)
    random.Random(SEED).shuffle(left)
    return [one for one in left if one.box is not None][:SAMPLE], left[:SAMPLE]


def figures(rows: list[dict[str, str]], dataset: str) -> dict[str, tuple[int, int]]:
    """(good, n) of what was judged: crops without background, and photos with enough skin that gave a crop."""
    rows = [row for row in rows if row["set"] == dataset]
    crops = [row for row in rows if row["what"] == "crop"]
    enough = [row for row in rows if row["what"] == "photo" and row["verdict"] == "enough"]
    return {
        "crop": (sum(row["verdict"] == "clean" for row in crops), len(crops)),
        "photo": (sum(bool(row["box"]) for row in enough), len(enough)),
    }


def _count(rows: list[dict[str, str]]) -> int:
    missed = False
    told = {"crop": "crops without background", "photo": "photos with enough skin that gave a crop"}
    for dataset in SETS:
        for what, (good, n) in figures(rows, dataset).items():
            low, high = wilson(good, n)
            met = good >= TARGETS[what] * n
            missed |= not met
            print(
                f"{dataset}: {told[what]}: {good} of {n}, {good / n:.1%} [{low:.1%}, {high:.1%}],"
                f" target {TARGETS[what]:.0%}: {'met' if met else 'missed'}"
            )
    for row in rows:
        if row["verdict"] == "background":
            print(f"  background: {row['file']} {row['box']}: {row['why']}")
    return int(missed)


def _draw(data: Path, out: Path) -> int:
    table = read_manifest(data / "manifest.csv")
    out.mkdir(parents=True, exist_ok=True)
    with (out / "to_judge.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for dataset, least in SETS.items():
            rows = tuple(row for row in table.rows if row.dataset == dataset)
            found = curate(type(table)(rows, table.root, table.sha256), out / dataset, least_side=least)
            for what, chosen in zip(("crop", "photo"), drawn(found, dataset), strict=True):
                writer.writerows(
                    (dataset, what, one.file, " ".join(map(str, one.box or ())), "", "") for one in chosen
                )
            crops = sum(one.box is not None for one in found.proposals)
            print(f"{dataset}: {crops} of {len(found.proposals)} photos give a crop of {least} px or more")
    print(f"written: {out / 'to_judge.csv'}", file=sys.stderr)
    return 0


def _speed(data: Path) -> int:
    table = read_manifest(data / "manifest.csv")
    for dataset, least in SETS.items():
        rows = [row for row in table.rows if row.dataset == dataset][:SAMPLE]
        propose(rows[0].path.read_bytes(), "", "")  # the network is loaded once
        wall, work = time.perf_counter(), time.process_time()
        for row in rows:
            propose(row.path.read_bytes(), row.file, row.label, least_side=least)
        wall, work = time.perf_counter() - wall, time.process_time() - work
        print(
            f"{dataset}: {1000 * work / len(rows):.0f} ms of one core an image"
            f" ({1000 * wall / len(rows):.0f} ms on the clock), n {len(rows)}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
