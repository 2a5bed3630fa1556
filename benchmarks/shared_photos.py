"""Pairs of one photo that the embedding's strict filter alone lets stand on both sides of a fold.

    python -m benchmarks.shared_photos --data ../shared/data --weights ../shared/weights --cache runs/features

`results/duplicates/pairs.csv` lists the pairs of files that keypoints and pixels join. The default recipe, run without
`--groups`, knows them by the similarity of an embedding alone. This deals its folds as the recipe does, learns no head,
and counts the joined pairs that its strict filter holds apart, and those that it does not and that lie on both sides
of some fold of some repeat: one is tested while the other is learnt from. With `--groups results/duplicates/groups.csv`
none is left.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.backbones import options, prepared_from
from poxlens.recipes.default import Recipe
from poxlens.recipes.protocol import Bools, Plan, Table, deal
from poxlens.recipes.samples import Sample

PAIRS = Path(__file__).parents[1] / "results" / "duplicates" / "pairs.csv"
TARGET = "mpox"


@dataclass(frozen=True)
class Pair:
    """Two files that show one photo."""

    file: str
    other: str
    sets: tuple[str, str]  # data sets, sorted
    labels: tuple[str, str]


def read_pairs(path: Path = PAIRS) -> list[Pair]:
    """The joined pairs; the table lists no others."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            Pair(
                cells["file"],
                cells["other"],
                tuple(sorted((cells["dataset"], cells["other_dataset"]))),  # type: ignore[arg-type]
                (cells["label"], cells["other_label"]),
            )
            for cells in csv.DictReader(stream)
        ]


def places_of(pairs: Sequence[Pair], samples: Sequence[Sample], table: Table) -> dict[Pair, tuple[int, int]]:
    """The pairs of which both images are learnt from, and where these are among the samples."""
    known = {
        sample.row.file: place
        for place, sample in enumerate(samples)
        if sample.patch is None and table.learnable[place]
    }
    return {
        pair: (known[pair.file], known[pair.other])
        for pair in pairs
        if pair.file in known and pair.other in known
    }


def let_through(places: dict[Pair, tuple[int, int]], table: Table) -> dict[Pair, tuple[int, int]]:
    """The pairs that are neither in one group nor suspects of each other."""
    grouping = table.grouping
    return {
        pair: (one, other)
        for pair, (one, other) in places.items()
        if grouping.group[one] != grouping.group[other] and not grouping.suspect[one, other]
    }


def folds_of(table: Table, plan: Plan) -> Iterator[tuple[Bools, Bools]]:
    """Tested and learnt from, [N] each, of every fold, dealt with the seeds of `out_of_fold`."""
    for repeat in range(plan.repeats):
        for block, (_, rows) in enumerate(table.blocks()):
            for test in deal(table, rows, plan.folds, plan.seed + 1000 * repeat + block):
                yield test, table.grouping.strict(test) & table.learnable


def on_both_sides(places: dict[Pair, tuple[int, int]], table: Table, plan: Plan) -> set[Pair]:
    """The pairs of which one image is tested while the other is learnt from, in some fold of some repeat."""
    found: set[Pair] = set()
    for test, learnt in folds_of(table, plan):
        for pair, (one, other) in places.items():
            if (test[one] and learnt[other]) or (test[other] and learnt[one]):
                found.add(pair)
    return found


def counted(pairs: Sequence[Pair] | set[Pair] | dict[Pair, tuple[int, int]]) -> dict[str, int]:
    """How many pairs there are, in all and of the kinds that docs name."""
    across = [pair for pair in pairs if pair.sets == ("msid", "msld")]
    return {
        "all": len(pairs),
        "both mpox": sum(pair.labels == (TARGET, TARGET) for pair in pairs),
        "MSID and MSLD": len(across),
        "MSID and MSLD, both mpox": sum(pair.labels == (TARGET, TARGET) for pair in across),
    }


def main() -> None:
    """Print the table."""
    parser = options(__doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--pairs", type=Path, default=PAIRS)
    parser.add_argument("--json", type=Path)
    told = parser.parse_args()
    recipe = Recipe()
    prepared = prepared_from(told, recipe)
    places = places_of(read_pairs(told.pairs), prepared.samples, prepared.table)
    loose = let_through(places, prepared.table)
    rows = {
        "joined, both images learnt from": counted(places),
        "not held apart": counted(loose),
        "on both sides of some fold": counted(on_both_sides(loose, prepared.table, recipe.plan)),
    }
    names = list(rows["not held apart"])
    print("| pairs | " + " | ".join(names) + " |\n" + "|---" * (1 + len(names)) + "|")
    for what, counts in rows.items():
        print(f"| {what} | " + " | ".join(str(counts[name]) for name in names) + " |")
    if told.json:
        told.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
