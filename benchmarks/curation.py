"""Curation on real photos: how many crops hold background, and how many photos that could give one do.

    python -m benchmarks.curation                       the counts, from the committed judgements
    python -m benchmarks.curation draw --out FOLDER     propose, and draw the photos to be judged
    python -m benchmarks.curation draw-held-out --out FOLDER    the same for a second sample of MSID
    python -m benchmarks.curation draw-careful --out FOLDER     a third, by the careful rule, at least 64 px
    python -m benchmarks.curation speed                 milliseconds an image, of 100 photos of each set

`draw` shuffles with a fixed seed the photos of each set that are not in
benchmarks/data/curation_development.csv: of DermNet every photo looked at before the rule was final, of MSID (770
photos, too few for two tests) those that the network was taught on. The first 100 with a crop are judged for
background, and the first 100 at all for whether a person would find a square of skin alone.
`benchmarks/data/curation_judgements.csv` holds what was judged by eye: set, file, what ("crop" or "photo"),
the box, verdict ("clean"/"background" of a crop, "enough"/"too little" of a photo), and why. Most of its MSID
photos had been looked at while the rule was chosen. `benchmarks/data/curation_held_out.csv` holds a second draw, of
the photos that neither table names, judged after the rule was final by a second, stricter judge;
`benchmarks/data/curation_second_look.csv` is the first draw's MSID crops judged by that judge. Crops of the second
draw whose group of copies (results/duplicates/groups.csv) has no photo in the first tables are counted apart.
`benchmarks/data/curation_careful.csv` is of the careful rule (`--careful`), which was chosen on the first draw: crops
of a third draw from the same photos as the second, and the photos of the second draw with the box of this rule.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from poxlens.data.curate.proposals import Proposal, Proposals
from poxlens.data.curate.propose import CAREFUL, Rule, propose
from poxlens.data.curate.run import curate
from poxlens.data.manifest import read_manifest
from poxlens.evaluate.intervals import wilson

DATA = Path(__file__).parent / "data"
JUDGEMENTS, DEVELOPMENT = DATA / "curation_judgements.csv", DATA / "curation_development.csv"
HELD_OUT, SECOND_LOOK = DATA / "curation_held_out.csv", DATA / "curation_second_look.csv"
CAREFUL_DRAW, CAREFUL_SIDE = DATA / "curation_careful.csv", 64
GROUPS = Path(__file__).parents[1] / "results" / "duplicates" / "groups.csv"
SETS = {"msid": 96, "dermnet": 224}
"""Set -> least side, px: the files of MSID are 224 px whole."""
SEED, SAMPLE = 20240, 100
TOLD = {"crop": "crops without background", "photo": "photos with enough skin that gave a crop"}
TARGETS = {"crop": 0.95, "photo": 0.60}
Draw = Callable[[Proposals, str], tuple[list[Proposal], list[Proposal]]]
COLUMNS = ("set", "what", "file", "box", "verdict", "why")


def main(argv: Sequence[str] | None = None) -> int:
    """Counts, a draw, or the speed: 0 when every target is met, 1 on a miss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    choices = ("count", "draw", "draw-held-out", "draw-careful", "speed")
    parser.add_argument("what", nargs="?", choices=choices, default="count")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("curation-draw"))
    parser.add_argument("--judgements", type=Path, default=JUDGEMENTS)
    options = parser.parse_args(argv)
    if options.what == "draw":
        return _draw(options.data, options.out, SETS, drawn)
    if options.what == "draw-held-out":
        return _draw(options.data, options.out, {"msid": SETS["msid"]}, drawn_held_out)
    if options.what == "draw-careful":
        return _draw(options.data, options.out, {"msid": CAREFUL_SIDE}, drawn_careful, CAREFUL)
    if options.what == "speed":
        return _speed(options.data)
    missed = _count(read_table(options.judgements))
    return max(missed, _count_second_judge())


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV by column."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def drawn(proposals: Proposals, dataset: str) -> tuple[list[Proposal], list[Proposal]]:
    """The crops and the photos to be judged of one set, from the proposals of its whole table."""
    return _shuffled(proposals, dataset, {row["file"] for row in read_table(DEVELOPMENT)}, SEED)


def drawn_held_out(proposals: Proposals, dataset: str) -> tuple[list[Proposal], list[Proposal]]:
    """As `drawn`, from the photos that were neither developed on nor judged in the first draw."""
    return _shuffled(proposals, dataset, seen(), SEED + 1)


def drawn_careful(proposals: Proposals, dataset: str) -> tuple[list[Proposal], list[Proposal]]:
    """As `drawn_held_out`, in another order; the photos are those of that draw, which were judged already."""
    crops, _ = _shuffled(proposals, dataset, seen(), SEED + 2)
    return crops, _shuffled(proposals, dataset, seen(), SEED + 1)[1]


def seen() -> set[str]:
    """Files of the first two tables."""
    return {row["file"] for path in (DEVELOPMENT, JUDGEMENTS) for row in read_table(path)}


def _shuffled(
    proposals: Proposals, dataset: str, without: set[str], seed: int
) -> tuple[list[Proposal], list[Proposal]]:
    left = [one for one in proposals.proposals if one.file.startswith(f"{dataset}/")]
    left = sorted((one for one in left if one.file not in without), key=lambda one: one.file)
    random.Random(seed).shuffle(left)
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
    for dataset in SETS:
        for what, (good, n) in figures(rows, dataset).items():
            missed |= _tell(f"{dataset}: {TOLD[what]}", good, n, TARGETS[what])
    _tell_background(rows)
    return int(missed)


def _count_second_judge() -> int:
    again = figures(read_table(SECOND_LOOK), "msid")["crop"]
    _tell(f"msid, first draw, second judge: {TOLD['crop']}", *again, TARGETS["crop"])
    rows = read_table(HELD_OUT)
    found = figures(rows, "msid")
    missed = False
    for what, (good, n) in found.items():
        missed |= _tell(f"msid, held out, second judge: {TOLD[what]}", good, n, TARGETS[what])
    good, n = figures(of_unseen_groups(rows), "msid")["crop"]
    _tell("  of these, crops of photos without a copy in the first tables", good, n, TARGETS["crop"])
    _tell_background(rows)
    rows = read_table(CAREFUL_DRAW)
    for what, (good, n) in figures(rows, "msid").items():
        missed |= _tell(f"msid, held out, second judge, careful rule: {TOLD[what]}", good, n, TARGETS[what])
    good, n = figures(of_unseen_groups(rows), "msid")["crop"]
    _tell("  of these, crops of photos without a copy in the first tables", good, n, TARGETS["crop"])
    _tell_background(rows)
    return int(missed)


def of_unseen_groups(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows whose photo shares its group of copies with none of the first two tables."""
    group = {row["file"]: row["group"] for row in read_table(GROUPS)}
    known = {group[file] for file in seen() if file in group}
    return [row for row in rows if group[row["file"]] not in known]


def _tell(what: str, good: int, n: int, target: float) -> bool:
    """Print a share with its interval; whether its target is missed."""
    low, high = wilson(good, n)
    missed = good < target * n
    told = "missed" if missed else "met"
    print(f"{what}: {good} of {n}, {good / n:.1%} [{low:.1%}, {high:.1%}], target {target:.0%}: {told}")
    return missed


def _tell_background(rows: list[dict[str, str]]) -> None:
    for row in rows:
        if row["verdict"] == "background":
            print(f"  background: {row['file']} {row['box']}: {row['why']}")


def _draw(data: Path, out: Path, sets: dict[str, int], draw: Draw, rule: Rule | None = None) -> int:
    table = read_manifest(data / "manifest.csv")
    out.mkdir(parents=True, exist_ok=True)
    with (out / "to_judge.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for dataset, least in sets.items():
            rows = tuple(row for row in table.rows if row.dataset == dataset)
            found = curate(
                type(table)(rows, table.root, table.sha256), out / dataset, least_side=least, rule=rule
            )
            for what, chosen in zip(("crop", "photo"), draw(found, dataset), strict=True):
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
