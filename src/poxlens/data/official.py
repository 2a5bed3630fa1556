"""The splits that a set's authors published, kept beside a table of images: which file is in which part."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from poxlens.data.manifest import read_table
from poxlens.data.table_writing import to_csv
from poxlens.errors import ManifestError
from poxlens.files import write_atomically

COLUMNS = ("file", "split", "part")
PARTS = ("train", "val", "test")


@dataclass(frozen=True, order=True)
class Placed:
    """One image in one part of one split."""

    file: str  # as in the table of images
    split: str  # such as "fold1"
    part: str  # one of PARTS


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


def read_official(path: Path) -> tuple[Placed, ...]:
    """Read official splits.

    Raises:
        ManifestError: the file cannot be read, has other columns, an unknown part, or an image in two parts
            of one split; names the row.
    """
    try:
        text = read_table(path).decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise ManifestError(f"{path}: is not UTF-8.") from fault
    found: dict[tuple[str, str], Placed] = {}
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1):
            if number == 1:
                if tuple(cells) != COLUMNS:
                    raise ManifestError(f"{path}, row 1: columns must be {', '.join(COLUMNS)}.")
                continue
            _add(path, number, cells, found)
    except csv.Error as fault:
        raise ManifestError(f"{path}: is not CSV ({fault}).") from fault
    return tuple(found.values())


def _add(path: Path, number: int, cells: list[str], found: dict[tuple[str, str], Placed]) -> None:
    if len(cells) != len(COLUMNS) or not all(cells):
        raise ManifestError(f"{path}, row {number}: needs a file, a split and a part.")
    placed = Placed(*cells)
    if placed.part not in PARTS:
        raise ManifestError(
            f'{path}, row {number}, column "part": must be {", ".join(PARTS)}, not {placed.part}.'
        )
    first = found.setdefault((placed.file, placed.split), placed)
    if first is not placed:
        raise ManifestError(f"{path}, row {number}: {placed.file} is in {placed.split} already.")
