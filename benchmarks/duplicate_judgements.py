"""Precision of the confirmed pairs in results/duplicates, from those that were judged by eye.

    python -m benchmarks.duplicate_judgements

The sample: two draws of 64 from the confirmed pairs of `results/duplicates/pairs.csv` without HAM10000, in the table's
order, by one generator with seed 3; a pair that both drew counts once. `benchmarks/data/duplicate_judgements.csv`
holds what was seen: "one photo", "one scene" (another shot of the same scene or person), "two scenes" or "not sure".
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from poxlens.evaluate.intervals import wilson

JUDGEMENTS = Path(__file__).parent / "data" / "duplicate_judgements.csv"
PAIRS = Path(__file__).parents[1] / "results" / "duplicates" / "pairs.csv"
SEED, DRAWS, SIZE = 3, 2, 64
Judged = tuple[str, str, int]  # both files, and which draw


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV by column."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def drawn(pairs: Sequence[dict[str, str]]) -> list[Judged]:
    """The sample that was judged, from the rows of pairs.csv."""
    confirmed = [row for row in pairs if row["kind"] == "confirmed" and row["dataset"] != "ham10000"]
    rng = np.random.default_rng(SEED)
    return [
        (confirmed[place]["file"], confirmed[place]["other"], draw)
        for draw in range(1, DRAWS + 1)
        for place in rng.choice(len(confirmed), SIZE, replace=False)
    ]


def counts(judged: Sequence[dict[str, str]]) -> dict[str, int]:
    """Verdict -> pairs, each counted once."""
    verdict = {(row["file_a"], row["file_b"]): row["verdict"] for row in judged}
    known = ("one photo", "one scene", "two scenes", "not sure")
    return {name: sum(one == name for one in verdict.values()) for name in known}


def main() -> int:
    """Print the figures: 0, or 1 where the table is not the sample."""
    judged = read(JUDGEMENTS)
    if [(row["file_a"], row["file_b"], int(row["draw"])) for row in judged] != drawn(read(PAIRS)):
        print(f"{JUDGEMENTS.name} does not hold the pairs that are drawn from {PAIRS.name}", file=sys.stderr)
        return 1
    found = counts(judged)
    n = sum(found.values())
    print(f"{len(judged)} pairs drawn, {n} of them different: {found}")
    rightly = found["one photo"] + found["one scene"]
    for told, good in (
        ("joined rightly (one photo or one scene)", rightly),
        ("one photo", found["one photo"]),
    ):
        low, high = wilson(good, n)
        print(f"{told}: {good} of {n} = {good / n:.3f} [{low:.3f}, {high:.3f}]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
