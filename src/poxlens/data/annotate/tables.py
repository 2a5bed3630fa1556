"""Tables of labels: CSV with `file` and a column for each label; no image, no word about who is in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from poxlens.data.annotate.scheme import Scheme
from poxlens.data.table_writing import to_csv
from poxlens.errors import AnnotationError
from poxlens.files import write_atomically

Given: TypeAlias = dict[str, str]
"""The labels of an image: label -> value; what has no value yet is absent."""


def read_labels(path: Path, scheme: Scheme, *, only: bool = False) -> dict[str, Given]:
    """Read a table of labels, file -> labels, in its order.

    Derived labels are worked out, not read; other columns are left aside.

    Args:
        path: of the CSV.
        scheme: the labels that must be its columns.
        only: whether other columns are refused, for who writes the table again.

    Raises:
        AnnotationError: it cannot be read, or a row does not fit the scheme; names the row (the header is row 1).
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise AnnotationError(
            f"{path}: cannot be read: {getattr(fault, 'strerror', None) or fault}."
        ) from fault
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    number = 1
    try:
        columns = list(reader.fieldnames or [])
        _check_columns(path, columns, scheme, only)
        found: dict[str, Given] = {}
        for cells in reader:
            number += 1
            file, given = _row(cells, scheme)
            if file in found:
                raise ValueError(f"{file} is there twice")
            found[file] = given
    except csv.Error as fault:
        raise AnnotationError(f"{path}, row {number + 1}: is not CSV ({fault}).") from fault
    except ValueError as fault:
        raise AnnotationError(f"{path}, row {number}: {fault}.") from fault
    return found


def write_labels(path: Path, scheme: Scheme, labels: Mapping[str, Mapping[str, str]]) -> None:
    """Write a table of labels, whole or not at all; images without any label are left out.

    Raises:
        OSError: the disk is full or the folder is not writable; `path` is then unchanged.
    """
    lines = [
        {"file": file, **{name: given.get(name, "") for name in scheme.names}}
        for file, given in labels.items()
        if any(given.values())
    ]
    write_atomically(path, to_csv(("file", *scheme.names), lines))


def _check_columns(path: Path, columns: list[str], scheme: Scheme, only: bool) -> None:
    missing = [name for name in ("file", *scheme.names) if name not in columns]
    if missing:
        raise AnnotationError(
            f"{path}: has no column {', '.join(missing)}; found: {', '.join(columns) or 'nothing'}."
        )
    other = [name for name in columns if name not in ("file", *scheme.names)]
    if only and other:
        raise AnnotationError(
            f"{path}: has columns that labelling would lose: {', '.join(other)}. Choose another --out."
        )


def _row(cells: dict[str, str], scheme: Scheme) -> tuple[str, Given]:
    if None in cells or None in cells.values():
        raise ValueError("has not as many cells as there are columns")
    file = cells["file"].strip()
    if not file:
        raise ValueError("has no file")
    given = {name: cells[name].strip() for name in scheme.names if cells[name].strip()}
    try:
        scheme.check(given)
    except ValueError as fault:
        raise ValueError(f"{file}: {fault}") from fault
    clash = scheme.clash(given)
    if clash:
        raise ValueError(f"{file}: {clash}")
    return file, given
