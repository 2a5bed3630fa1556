"""A table of images (CSV or Parquet): which file shows what, from which source, of which person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from poxlens.data.table import OPTIONAL, REQUIRED, Fault, read_records
from poxlens.data.table_writing import to_csv, to_parquet
from poxlens.errors import ManifestError
from poxlens.files import sha256_bytes, write_atomically

__all__ = [
    "COLUMNS",
    "OPTIONAL",
    "REQUIRED",
    "Manifest",
    "Row",
    "cells_of",
    "read_manifest",
    "read_table",
    "rows_or_faults",
    "write_manifest",
]

COLUMNS = (
    "file", "sha256", "dataset", "label", "condition", "patient", "group", "body_site", "stage", "width", "height",
    "skin_tone", "flags",
)  # fmt: skip
"""The columns in the order they are written."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIZE = re.compile(r"0*[1-9][0-9]{0,8}", re.ASCII)


@dataclass(frozen=True)
class Row:
    """One image of a table; cells that are empty or whose column is absent are "" (sizes: None)."""

    file: str  # as written in the table
    path: Path  # where it should be: root / file
    label: str
    dataset: str = ""  # the source it came from
    condition: str = ""  # a finer name of the finding
    patient: str = ""  # unique within its dataset
    group: str = ""  # what must stay on one side of a split (near-duplicates, a household ...)
    body_site: str = ""  # where on the body, as the source says
    stage: str = ""  # of the lesions, as the source says
    skin_tone: str = ""  # "light" or "dark" (Campana 2024), or as the source says
    flags: tuple[str, ...] = ()  # what is known to be wrong or particular, separated by spaces in the table
    width: int | None = None  # px
    height: int | None = None  # px
    sha256: str = ""

    @property
    def person(self) -> str:
        """One key a person: patient numbers repeat between datasets; without one each file is a person."""
        return f"{self.dataset}/{self.patient}" if self.patient else f"file:{self.file}"

    @property
    def cluster(self) -> str:
        """The unit that is independent of all others: the group, else the person."""
        return f"group:{self.group}" if self.group else self.person


@dataclass(frozen=True)
class Manifest:
    """A table of images."""

    rows: tuple[Row, ...]
    root: Path  # the folder that `file` is relative to
    sha256: str  # of the table's bytes as read: what a run records
    groups_sha256: str = ""  # of the list of groups that was laid over its `group` column, "" for none

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that occur, sorted."""
        return tuple(sorted({row.label for row in self.rows}))


def read_manifest(path: Path, *, root: Path | None = None) -> Manifest:
    """Read a table of images.

    The table is CSV (commas, UTF-8 with or without a byte order mark, a first row with column names) or
    Parquet, told apart by content. `file` and `label` are required in every row; the columns of OPTIONAL may
    be there; other columns are ignored. Images are not opened: whoever reads them reports the missing ones.

    Args:
        path: the table.
        root: the folder that `file` is relative to; without it, the folder of the table.

    Raises:
        ManifestError: the table cannot be read, or a row is not as above; names row (the header is row 1, as
            a spreadsheet shows it) and column. `poxlens.data.faults.all_faults` names all of them.
        MissingExtraError: it is Parquet and pyarrow is not installed.
    """
    data = read_table(path)
    base = path.parent if root is None else root
    rows: list[Row] = []
    for item in rows_or_faults(path, data, base):
        if not isinstance(item, Fault):
            rows.append(item[1])
        elif item.kind != "column":  # a column that is ignored is no reason to refuse a table
            raise ManifestError(f"{path}, {item}")
    if not rows:
        raise ManifestError(f"{path}: holds no image, only column names.")
    return Manifest(tuple(rows), base, sha256_bytes(data))


def read_table(path: Path) -> bytes:
    """The bytes of a table.

    Raises:
        ManifestError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as fault:
        raise ManifestError(f"{path}: cannot be read: {fault.strerror or fault}.") from fault


def rows_or_faults(path: Path, data: bytes, root: Path) -> Iterator[tuple[int, Row] | Fault]:
    """Each row of a table with its number, or what is wrong with it; the others go on.

    Args:
        path: the table's name, for messages.
        data: its bytes.
        root: the folder that `file` is relative to.

    Raises:
        ManifestError: the table as a whole cannot be read.
    """
    seen: dict[str, int] = {}
    for record in read_records(path, data):
        if isinstance(record, Fault):
            yield record
            continue
        number, cells = record
        wrong = next(_faults(number, cells), None)
        if wrong is not None:
            yield wrong
            continue
        row = _row(cells, root)
        first = seen.setdefault(str(PurePosixPath(row.file)), number)
        if first == number:
            yield number, row
        else:
            yield Fault("duplicate", f"{row.file} is in row {first} already.", number, "file", row.file)


def write_manifest(path: Path, rows: Iterable[Row]) -> str:
    """Write a table of images, whole or not at all; what is read back is equal, but for `path` if moved.

    Args:
        path: .csv or .parquet; the suffix says which.
        rows: at least one.

    Returns:
        SHA-256 of the bytes written: what a run on this table records.

    Raises:
        ManifestError: another suffix, no rows, or a row that would not be read back as it is; names it.
        MissingExtraError: Parquet without pyarrow.
        OSError: the disk is full or the folder is not writable; `path` is then unchanged.
    """
    table = tuple(rows)
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise ManifestError(f"{path}: a table of images ends in .csv or .parquet.")
    if not table:
        raise ManifestError(f"{path}: there is no image to write.")
    _check(path, table)
    lines = [cells_of(row) for row in table]
    data = (
        to_csv(COLUMNS, lines) if kind == ".csv" else to_parquet(COLUMNS, lines, integers=("width", "height"))
    )
    write_atomically(path, data)
    return sha256_bytes(data)


def cells_of(row: Row) -> dict[str, str]:
    """The cells of a row as text, by column in the order of COLUMNS; "" where there is nothing."""
    values = {name: getattr(row, name) for name in COLUMNS}
    values["flags"] = " ".join(row.flags)
    return {name: "" if value is None else str(value) for name, value in values.items()}


def _faults(number: int, cells: dict[str, str]) -> Iterator[Fault]:
    for name in REQUIRED:
        if not cells[name]:
            yield Fault("empty", "is empty.", number, name, cells["file"])
    sha256 = cells.get("sha256", "").lower()
    if sha256 and not _SHA256.fullmatch(sha256):
        yield Fault("sha256", f'"{sha256}" is not 64 hexadecimal digits.', number, "sha256", cells["file"])
    for name in ("width", "height"):
        cell = cells.get(name, "")
        if cell and not _SIZE.fullmatch(cell):
            yield Fault("size", f'"{cell}" is not a size in pixels.', number, name, cells["file"])


def _row(cells: dict[str, str], root: Path) -> Row:
    width, height = (cells.get(name, "") for name in ("width", "height"))
    return Row(
        file=cells["file"],
        path=root / cells["file"],
        label=cells["label"],
        dataset=cells.get("dataset", ""),
        condition=cells.get("condition", ""),
        patient=cells.get("patient", ""),
        group=cells.get("group", ""),
        body_site=cells.get("body_site", ""),
        stage=cells.get("stage", ""),
        skin_tone=cells.get("skin_tone", ""),
        flags=tuple(cells.get("flags", "").split()),
        width=int(width) if width else None,
        height=int(height) if height else None,
        sha256=cells.get("sha256", "").lower(),
    )


def _check(path: Path, rows: Sequence[Row]) -> None:
    """Refuse what reading would refuse or change."""
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        cells = cells_of(row)
        for name, cell in cells.items():
            if cell != cell.strip() or "\0" in cell or not _encodes(cell):
                raise ManifestError(
                    f'{path}, row {number}, column "{name}": {cell!r} cannot stand in a table.'
                )
        wrong = next(_faults(number, cells), None)
        if wrong is None and row.sha256 != row.sha256.lower():
            wrong = Fault("sha256", "must be in lower case.", number, "sha256")
        if wrong is None and tuple(cells["flags"].split()) != row.flags:
            wrong = Fault("flags", "a flag has a space in it.", number, "flags")
        if wrong is not None:
            raise ManifestError(f"{path}, {wrong}")
        first = seen.setdefault(str(PurePosixPath(row.file)), number)
        if first != number:
            raise ManifestError(f'{path}, row {number}, column "file": {row.file} is in row {first} already.')


def _encodes(text: str) -> bool:
    """False for a file name that is not UTF-8, which Python holds as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
