"""The rows of a table of predictions, each checked by itself."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from poxlens.errors import PoxlensError

KEYS = ("repeat", "fold", "network", "setting", "file", "group", "tone", "label")
_SUM = 0.01  # probabilities of a row may miss 1 by this much; each has six digits

Place = tuple[int, int]
"""Repeat and fold."""


class ReportError(PoxlensError):
    """A run folder that no report can be made from; names the file, row and column."""


@dataclass(frozen=True)
class Row:
    """One row of predictions.csv."""

    place: Place
    model: tuple[str, str]
    file: str
    group: str
    tone: str
    label: str
    probabilities: tuple[float, ...]


def table_bytes(path: Path) -> bytes | None:
    """The bytes of a table, of PATH.gz where there is no PATH (results are kept that way); None without either.

    Raises:
        ReportError: PATH.gz is damaged.
    """
    packed = path.with_name(path.name + ".gz")
    if path.is_file():
        return path.read_bytes()
    if not packed.is_file():
        return None
    try:
        return gzip.decompress(packed.read_bytes())
    except (OSError, EOFError, zlib.error) as fault:
        raise ReportError(f"{packed}: is damaged: {fault}.") from fault


def read_rows(path: Path, first: Sequence[str] = ()) -> tuple[tuple[str, ...], list[Row]]:
    """The classes and the rows of a table of predictions; `first` are columns before `KEYS` that are not read.

    Raises:
        ReportError: as in `read_tested`, what can be seen from one row.
    """
    content = table_bytes(path)
    if content is None:
        raise ReportError(
            f"{path}: is not there. It is written by poxlens compare; without it there is no figure."
        )
    rows: list[Row] = []
    try:
        reader = csv.DictReader(io.StringIO(content.decode(), newline=""), strict=True)
        classes = _classes(path, reader.fieldnames or (), (*first, *KEYS))
        for number, cells in enumerate(reader, start=2):
            rows.append(_row(f"{path}, row {number}", cells, classes))
    except (csv.Error, UnicodeDecodeError) as fault:
        raise ReportError(f"{path}: is no table of commas in UTF-8: {fault}.") from fault
    if not rows:
        raise ReportError(f"{path}: has no row of predictions.")
    return classes, rows


def _classes(path: Path, columns: Sequence[str], needed: Sequence[str]) -> tuple[str, ...]:
    absent = [name for name in needed if name not in columns]
    if absent:
        raise ReportError(
            f"{path}: has no column {absent[0]}; a table of predictions has {', '.join(needed)}, p_…"
        )
    classes = tuple(name.removeprefix("p_") for name in columns if name.startswith("p_"))
    if len(classes) < 2:
        raise ReportError(f"{path}: has {len(classes)} columns p_<class>, two are the least.")
    return classes


def _row(where: str, cells: dict[str, str], classes: tuple[str, ...]) -> Row:
    try:
        place = (int(cells["repeat"]), int(cells["fold"]))
        probabilities = tuple(float(cells[f"p_{name}"]) for name in classes)
    except (TypeError, ValueError) as fault:
        raise ReportError(f"{where}: a cell of repeat, fold or p_… is no number ({fault}).") from fault
    if not (min(probabilities) >= 0 and abs(sum(probabilities) - 1) <= _SUM):  # NaN fails too
        raise ReportError(f"{where}: the probabilities are no shares that sum to 1.")
    if cells["label"] not in classes:
        raise ReportError(f"{where}: label {cells['label']!r} has no column p_{cells['label']}.")
    if not cells["file"] or not cells["group"]:
        raise ReportError(f"{where}: file and group must not be empty.")
    return Row(
        place,
        (cells["network"], cells["setting"]),
        cells["file"],
        cells["group"],
        cells["tone"],
        cells["label"],
        probabilities,
    )
