"""The bytes of a table of images, CSV or Parquet, as records of text cells; what is wrong with each is kept."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from poxlens.errors import ManifestError, MissingExtraError

REQUIRED = ("file", "label")
OPTIONAL = (
    "sha256", "dataset", "condition", "patient", "group", "body_site", "stage", "width", "height", "skin_tone", "flags",
)  # fmt: skip

_PARQUET = b"PAR1"
_FOREIGN = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"PK\x03\x04": "a spreadsheet (xlsx or ods)",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (xls)",
}
# What other people's tables call these columns.
_ALIASES = {
    "image": "file", "images": "file", "image_id": "file", "imageid": "file", "filename": "file", "file_name": "file",
    "filepath": "file", "file_path": "file", "path": "file", "img": "file", "class": "label", "classname": "label",
    "diagnosis": "label", "dx": "label", "target": "label", "category": "label", "patient_id": "patient",
    "lesion_id": "patient", "subject": "patient", "source": "dataset", "localization": "body_site", "site": "body_site",
    "md5": "sha256", "checksum": "sha256", "hash": "sha256", "ita": "skin_tone", "fitzpatrick": "skin_tone",
}  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a table or a folder of images."""

    kind: str  # one of poxlens.data.faults.KINDS
    message: str  # a sentence that names the item
    row: int | None = None  # of the table; the header is row 1, as a spreadsheet shows it
    column: str | None = None
    file: str = ""  # the image it is about, where it is about one

    def __str__(self) -> str:
        """The sentence, with row and column before it where it is about a row."""
        if self.row is None:
            return self.message
        column = f', column "{self.column}"' if self.column is not None else ""
        return f"row {self.row}{column}: {self.message}"


def read_records(path: Path, data: bytes) -> Iterator[tuple[int, dict[str, str]] | Fault]:
    """Each row of a table as (row number, cells by column name), or the fault that keeps it from being one.

    Rows are numbered as in a spreadsheet: the column names are row 1, in Parquet too, so that both forms of
    a table name the same rows. Column names are lower case; cells have no space around them.

    Args:
        path: the table's name: what ends in .parquet must be Parquet.
        data: its bytes.

    Raises:
        ManifestError: the table as a whole cannot be read.
        MissingExtraError: it is Parquet and pyarrow is not installed.
    """
    if data.startswith(_PARQUET):
        return _parquet(path, data)
    if path.suffix.lower() == ".parquet":
        raise ManifestError(f"{path}: is not Parquet, whatever its name says.")
    return _csv(_text(path, data))


def column_hint(missing: str, found: list[str]) -> str:
    """Which of the columns found was probably meant, as the end of a sentence; "" when none is near."""
    alias = [name for name in found if _ALIASES.get(name) == missing]
    unknown = [name for name in found if name not in (*REQUIRED, *OPTIONAL)]
    # A table may well do without an optional column: only a misspelling of it is worth a word.
    near = alias or get_close_matches(missing, unknown, n=1, cutoff=0.7 if missing in REQUIRED else 0.8)
    return f'; rename "{near[0]}" to "{missing}"?' if near else ""


def _text(path: Path, data: bytes) -> str:
    if not data.strip():
        raise ManifestError(f"{path}: is empty.")
    for magic, kind in _FOREIGN.items():
        if data.startswith(magic):
            raise ManifestError(f"{path}: is {kind}, not a CSV in UTF-8. Export it as CSV (UTF-8).")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        # A table glued together from files of two encodings is UTF-8 up to one line: name it.
        line = data.count(b"\n", 0, fault.start) + 1
        raise ManifestError(
            f"{path}, row {line}: byte 0x{data[fault.start]:02x} is not UTF-8. Save it all as CSV (UTF-8)."
        ) from fault
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ManifestError(f"{path}, row {line}: holds a NUL character; this is not a CSV text.")
    return text


def _csv(text: str) -> Iterator[tuple[int, dict[str, str]] | Fault]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] = []
    number = 0
    try:
        for number, line in enumerate(reader, start=1):
            cells = [cell.strip() for cell in line]
            if not columns:
                columns = [name.lower() for name in cells]
                faults = [*_columns(columns)]
                yield from faults
                if any(fault.kind == "columns" for fault in faults):
                    return
                # Nameless columns (a spreadsheet's trailing commas) get names that nothing looks up.
                columns = [name or f"\0{position}" for position, name in enumerate(columns)]
            elif any(cells):
                if len(cells) == len(columns):
                    yield number, dict(zip(columns, cells, strict=True))
                    continue
                yield Fault(
                    "cells",
                    f"has {len(cells)} cells where the header has {len(columns)}."
                    " A text with a comma in it must stand in double quotes.",
                    number,
                )
    except csv.Error as fault:
        yield Fault("csv", f"is not CSV ({fault}); nothing after it was read.", number + 1)


def _columns(names: list[str]) -> Iterator[Fault]:
    """What is wrong with the column names: "columns" where no row can be read, else "column"."""
    if len(names) == 1 and re.search(r"[;\t]", names[0]):
        yield Fault("columns", "columns must be separated by commas, not semicolons or tabs.", 1)
        return
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        yield Fault("columns", f'column "{twice[0]}" is there twice.', 1)
        return
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        absent = " and ".join(f'"{name}"' for name in missing)
        hints = "".join(column_hint(name, names) for name in missing)
        shown = ", ".join(name for name in names if name) or "nothing"
        yield Fault("columns", f"no column {absent}; found: {shown}{hints or '.'}", 1)
        return
    for name in OPTIONAL:
        hint = "" if name in names else column_hint(name, names)
        if hint:
            yield Fault("column", f'no column "{name}"{hint}', 1)


def _parquet(path: Path, data: bytes) -> Iterator[tuple[int, dict[str, str]] | Fault]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as missing:
        raise MissingExtraError("data", "A table in Parquet") from missing
    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(data))
        columns = [name.strip().lower() for name in table.column_names]
        values = [column.to_pylist() for column in table.columns]
    except (pyarrow.ArrowException, OSError, ValueError) as fault:
        detail = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
        raise ManifestError(f"{path}: is damaged Parquet ({detail}).") from fault
    return _parquet_rows(columns, values)


def _parquet_rows(
    columns: list[str], values: list[list[Any]]
) -> Iterator[tuple[int, dict[str, str]] | Fault]:
    faults = [*_columns(columns)]
    yield from faults
    if any(fault.kind == "columns" for fault in faults):
        return
    for number, line in enumerate(zip(*values, strict=True), start=2):
        cells = dict(zip(columns, map(_cell, line), strict=True))
        if any(cells.values()):
            yield number, cells


def _cell(value: Any) -> str:
    """A Parquet value as the text that a CSV would hold."""
    if value is None or value != value:  # NaN, which pandas writes for an absent number
        return ""
    if isinstance(value, list):
        return " ".join(map(_cell, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # pandas stores a column of integers with gaps as floats
    return str(value).strip()
