"""Small CSV tables beside a table of images: groups, official splits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from poxlens.errors import SplitError


def read_cells(path: Path, required: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row that is not blank as (row number, cells by column name in lower case); the header is row 1.

    Args:
        path: CSV with commas, UTF-8 with or without a byte order mark.
        required: columns that must be there.

    Raises:
        SplitError: the file cannot be read or is no such table; names row and column.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    number = 0
    columns: list[str] = []
    try:
        for number, cells in enumerate(reader, start=1):
            cells = [cell.strip() for cell in cells]
            if not columns:
                columns = _header(path, cells, required)
            elif any(cells):
                if len(cells) != len(columns):
                    raise SplitError(
                        f"{path}, row {number}: has {len(cells)} cells where the header has {len(columns)}."
                    )
                yield number, dict(zip(columns, cells, strict=True))
    except csv.Error as fault:
        raise SplitError(f"{path}, row {number + 1}: is not CSV ({fault}).") from fault
    if not columns:
        raise SplitError(f"{path}: is empty.")


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as fault:
        raise SplitError(f"{path}: cannot be read: {fault.strerror or fault}.") from fault
    except UnicodeDecodeError as fault:
        raise SplitError(f"{path}: is not a CSV in UTF-8. Export it as CSV (UTF-8).") from fault


def _header(path: Path, cells: list[str], required: Sequence[str]) -> list[str]:
    names = [cell.lower() for cell in cells]
    missing = [name for name in required if name not in names]
    if missing:
        absent = " and ".join(f'"{name}"' for name in missing)
        raise SplitError(f"{path}, row 1: no column {absent}; found: {', '.join(names) or 'nothing'}.")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise SplitError(f'{path}, row 1: column "{twice[0]}" is there twice.')
    return names
