"""The splits that a set's authors published, written beside a table of images: which file is in which part.

`poxlens.data.splits.read_official` reads the file, and any other list of the kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from poxlens.data.table_writing import to_csv
from poxlens.files import write_atomically

COLUMNS = ("file", "split", "part")


@dataclass(frozen=True, order=True)
class Placed:
    """One image in one part of one split."""

    file: str  # as in the table of images
    split: str  # such as "fold1"
    part: str  # train, val or test


def official_path(manifest: Path) -> Path:
    """Where the official splits of a table of images are: `images.csv` -> `images.official.csv`."""
    return manifest.with_name(f"{manifest.stem}.official.csv")


def write_official(path: Path, placed: Sequence[Placed]) -> None:
    """Write official splits as CSV with the columns file, split and part, whole or not at all.

    Raises:
        OSError: the disk is full or the folder is not writable; `path` is then unchanged.
    """
    lines = [{"file": one.file, "split": one.split, "part": one.part} for one in sorted(placed)]
    write_atomically(path, to_csv(COLUMNS, lines))
