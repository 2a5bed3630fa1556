"""Groups of the crops of `poxlens data build-mcsi-like`, from the groups of the photos that they were cut from.

    python -m benchmarks.mcsi_like_groups runs/mcsi-like-images/manifest.csv results/duplicates/groups.csv \
        --out results/mcsi-like/groups.csv

`build-mcsi-like --groups` leaves one crop a group in, which makes the set smaller (43 of mpox for 57). With this list
all crops stay, and those of one photo or patient are kept on one side of every split.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from poxlens.files import write_atomically


def groups_of_crops(crops: Path, groups: Path) -> str:
    """CSV text with the columns file and group, a row for each crop.

    Args:
        crops: manifest.csv of the set, with the column source_file.
        groups: CSV with the columns file and group, of the source files.

    Raises:
        KeyError: a source file has no group.
    """
    with groups.open(newline="", encoding="utf-8") as stream:
        known = {row["file"]: row["group"] for row in csv.DictReader(stream)}
    with crops.open(newline="", encoding="utf-8") as stream:
        rows = [(row["file"], known[row["source_file"]]) for row in csv.DictReader(stream)]
    return "\n".join(["file,group", *(f"{file},{group}" for file, group in sorted(rows))]) + "\n"


def main(words: list[str] | None = None) -> int:
    """Write the list."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crops", type=Path)
    parser.add_argument("groups", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    told = parser.parse_args(words)
    write_atomically(told.out, groups_of_crops(told.crops, told.groups))
    return 0


if __name__ == "__main__":
    sys.exit(main())
