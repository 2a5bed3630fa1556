"""Read a table of images (CSV): which file shows what, from which source, of which person."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from poxlens.errors import ManifestError
from poxlens.files import sha256_bytes

REQUIRED = ("file", "label")
OPTIONAL = (
    "dataset", "condition", "patient", "group", "body_site", "stage", "skin_tone", "flags", "width", "height", "sha256",
)  # fmt: skip

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FOREIGN = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"PK\x03\x04": "a spreadsheet (xlsx or ods)",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (xls)",
}


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
    sha256: str  # of the table's bytes as read

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that occur, sorted."""
        return tuple(sorted({row.label for row in self.rows}))


def read_manifest(path: Path, *, root: Path | None = None) -> Manifest:
    """Read a table of images.

    The table is CSV: commas, UTF-8 with or without a byte order mark, a first row with column names. `file`
    and `label` are required in every row; the columns of OPTIONAL may be
    there; other columns are ignored. Images are not opened: whoever reads them reports the missing ones.

    Args:
        path: the CSV file.
        root: the folder that `file` is relative to; without it, the folder of the table.

    Raises:
        ManifestError: the table cannot be read, or a row is not as above; names row (the header is row 1, as
            a spreadsheet shows it) and column.
    """
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise ManifestError(f"{path}: cannot be read: {fault.strerror or fault}.") from fault
    base = path.parent if root is None else root
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for number, cells in _records(path, _text(path, data)):
        row = _row(path, number, cells, base)
        first = seen.setdefault(str(PurePosixPath(row.file)), number)
        if first != number:
            raise ManifestError(f'{path}, row {number}, column "file": {row.file} is in row {first} already.')
        rows.append(row)
    if not rows:
        raise ManifestError(f"{path}: holds no image, only column names.")
    return Manifest(tuple(rows), base, sha256_bytes(data))


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


def _records(path: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row under the header that is not blank, as (row number, cells by column name)."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] = []
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            cells = [cell.strip() for cell in cells]
            if not columns:
                columns = _header(path, cells)
            elif any(cells):
                if len(cells) != len(columns):
                    raise ManifestError(
                        f"{path}, row {number}: has {len(cells)} cells where the header has {len(columns)}."
                        " A text with a comma in it must stand in double quotes."
                    )
                yield number, dict(zip(columns, cells, strict=True))
    except csv.Error as fault:
        raise ManifestError(f"{path}, row {number + 1}: is not CSV ({fault}).") from fault


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [cell.lower() for cell in cells]
    if len(names) == 1 and re.search(r"[;\t]", names[0]):
        raise ManifestError(f"{path}, row 1: columns must be separated by commas, not semicolons or tabs.")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ManifestError(f'{path}, row 1: column "{twice[0]}" is there twice.')
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        absent = " and ".join(f'"{name}"' for name in missing)
        raise ManifestError(f"{path}, row 1: no column {absent}; found: {', '.join(names) or 'nothing'}.")
    # Nameless columns (a spreadsheet's trailing commas) get names that nothing looks up.
    return [name or f"\0{position}" for position, name in enumerate(names)]


def _row(path: Path, number: int, cells: dict[str, str], root: Path) -> Row:
    for name in REQUIRED:
        if not cells[name]:
            raise ManifestError(f'{path}, row {number}, column "{name}": is empty.')
    sha256 = cells.get("sha256", "").lower()
    if sha256 and not _SHA256.fullmatch(sha256):
        raise ManifestError(
            f'{path}, row {number}, column "sha256": "{sha256}" is not 64 hexadecimal digits.'
        )
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
        width=_pixels(path, number, "width", cells),
        height=_pixels(path, number, "height", cells),
        sha256=sha256,
    )


def _pixels(path: Path, number: int, name: str, cells: dict[str, str]) -> int | None:
    cell = cells.get(name, "")
    if not cell:
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,8}", cell, re.ASCII):
        raise ManifestError(f'{path}, row {number}, column "{name}": "{cell}" is not a size in pixels.')
    return int(cell)
