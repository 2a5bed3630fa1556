"""Pairs and groups as tables: what later studies read."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from poxlens.data.duplicates.groups import known_keys
from poxlens.data.duplicates.model import Duplicates, Pair
from poxlens.data.manifest import Row, write_manifest
from poxlens.files import write_atomically

PAIR_COLUMNS = (
    "file", "other", "dataset", "other_dataset", "label", "other_label", "kind", "similarity", "inliers",
    "relation", "conflict", "correlation", "overlap", "patients",
)  # fmt: skip
GROUP_COLUMNS = ("file", "group")


def write_pairs(path: Path, rows: Sequence[Row], pairs: Iterable[Pair], conflicts: Iterable[Pair]) -> None:
    """One row a pair. `conflict` is "yes" or empty; `patients` is "same" or "different" within a dataset.

    Raises:
        OSError: it cannot be written.
    """
    contradicting = {(pair.first, pair.second) for pair in conflicts}
    lines = []
    for pair in pairs:
        one, other = rows[pair.first], rows[pair.second]
        lines.append(
            (one.file, other.file, one.dataset, other.dataset, one.label, other.label, pair.kind,
             number(pair.similarity), pair.inliers, pair.relation,
             "yes" if (pair.first, pair.second) in contradicting else "",
             number(pair.correlation), number(pair.overlap), patients(one, other))
        )  # fmt: skip
    _write(path, PAIR_COLUMNS, lines)


def write_groups(path: Path, rows: Sequence[Row], found: Duplicates) -> None:
    """One row an image: its file and the name of its group.

    A group is named after its first file, so that the same images keep their name when others come to the
    table.

    Raises:
        OSError: it cannot be written.
    """
    _write(path, GROUP_COLUMNS, zip((row.file for row in rows), group_names(rows, found), strict=True))


def write_grouped(path: Path, rows: Sequence[Row], found: Duplicates) -> None:
    """The manifest with the groups as its column `group`; empty where an image stands alone.

    Raises:
        OSError: it cannot be written.
        ManifestError: as `write_manifest`.
    """
    sizes = [0] * (int(found.group.max(initial=-1)) + 1)
    for group in found.group.tolist():
        sizes[group] += 1
    names = group_names(rows, found)
    write_manifest(
        path,
        [
            replace(row, group=name if sizes[group] > 1 else "")
            for row, name, group in zip(rows, names, found.group.tolist(), strict=True)
        ],
    )


def group_names(rows: Sequence[Row], found: Duplicates) -> list[str]:
    """Of each row: the file that comes first in its group."""
    first: dict[int, str] = {}
    for row, group in zip(rows, found.group.tolist(), strict=True):
        first.setdefault(group, row.file)
    return [first[group] for group in found.group.tolist()]


def patients(one: Row, other: Row) -> str:
    """Whether two rows of one dataset are of one patient: "same", "different", or "" where nothing says it."""
    if one.dataset != other.dataset or not (one.patient and other.patient):
        return ""
    return "same" if set(known_keys(one)) & set(known_keys(other)) else "different"


def number(value: float) -> str:
    """Three decimals; empty for NaN."""
    return "" if math.isnan(value) else f"{value:.3f}"


def _write(path: Path, columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    write_atomically(path, text.getvalue())
