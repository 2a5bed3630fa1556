"""Which images of a table are labelled, in which order, and what is asked of each."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from poxlens.data.annotate.scheme import Scheme
from poxlens.data.manifest import COLUMNS, Manifest, Row, cells_of
from poxlens.errors import AnnotationError


@dataclass(frozen=True)
class Item:
    """One image to label."""

    file: str  # as in the table of images
    sha256: str  # of its bytes as the table says, "" where it does not
    asked: tuple[str, ...]  # labels
    hint: Mapping[str, str] = field(default_factory=dict)  # label -> what was said before
    unreadable: str = ""  # tables do not tell; the page finds out


def choose(
    manifest: Manifest,
    scheme: Scheme,
    *,
    where: Sequence[str] = (),
    listed: Mapping[str, Mapping[str, str]] | None = None,
    seed: int | None = None,
) -> tuple[Item, ...]:
    """The images to label.

    Args:
        manifest: the table of images.
        scheme: what is asked.
        where: conditions as COLUMN=VALUE or COLUMN=VALUE,VALUE; all must hold.
        listed: of `read_listed`: these images alone, in this order; and where a cell of a label is filled, those
            labels alone are asked, with the cell as a hint.
        seed: of a random order; None for that of the table.

    Raises:
        AnnotationError: a condition that makes no sense, a listed image that the table does not have, or nothing
            is left.
    """
    rows = [row for row in manifest.rows if all(_holds(row, one) for one in where)]
    if listed is not None:
        rows = _of_list(rows, listed)
    if not rows:
        raise AnnotationError("no image of the table is left to label.")
    items = [_item(row, scheme, (listed or {}).get(row.file, {})) for row in rows]
    if seed is not None:
        random.Random(seed).shuffle(items)
    return tuple(items)


def read_listed(path: Path) -> dict[str, dict[str, str]]:
    """Read a CSV with the column `file`, as disagreements.csv: file -> its other cells.

    Raises:
        AnnotationError: it cannot be read or has no such column.
    """
    try:
        reader = csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""), strict=True)
        if "file" not in (reader.fieldnames or []):
            raise AnnotationError(f"{path}: has no column file.")
        return {
            cells["file"]: {name: cell or "" for name, cell in cells.items() if name not in ("file", None)}
            for cells in reader
            if cells["file"]
        }
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise AnnotationError(
            f"{path}: cannot be read: {getattr(fault, 'strerror', None) or fault}."
        ) from fault


def _holds(row: Row, condition: str) -> bool:
    column, equals, values = condition.partition("=")
    if not equals or column not in COLUMNS:
        raise AnnotationError(
            f'"{condition}" is no condition: COLUMN=VALUE, with a column of {", ".join(COLUMNS)}.'
        )
    return cells_of(row)[column] in values.split(",")


def _of_list(rows: Sequence[Row], listed: Mapping[str, Mapping[str, str]]) -> list[Row]:
    known = {row.file: row for row in rows}
    missing = [file for file in listed if file not in known]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise AnnotationError(f"{missing[0]}{more}: listed, but not among the chosen images of the table.")
    return [known[file] for file in listed]


def _item(row: Row, scheme: Scheme, cells: Mapping[str, str]) -> Item:
    hint = {name: cells[name] for name in scheme.names if cells.get(name)}
    return Item(row.file, row.sha256, tuple(hint) or scheme.names, hint)
