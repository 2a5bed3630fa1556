"""Tables that come with a set: class, lesion, body site and part of a split, by image."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from poxlens.data.catalogue.spec import PARTS, Class, SetSpec, SideTable
from poxlens.data.labels import plain
from poxlens.data.table import Fault

_LIMIT = 200_000_000  # bytes; the largest such table has 1.5 MB


@dataclass
class Said:
    """What the tables say of the images; keys are image ids in lower case."""

    tables: list[str] = field(default_factory=list)  # the names of those read
    source: dict[str, Class] = field(default_factory=dict)
    row: dict[str, str] = field(default_factory=dict)  # where the class is from, for messages
    patient: dict[str, str] = field(default_factory=dict)
    body_site: dict[str, str] = field(default_factory=dict)
    grade: dict[str, str] = field(default_factory=dict)
    parts: dict[tuple[str, str], str] = field(default_factory=dict)  # (image, split) -> part
    faults: list[Fault] = field(default_factory=list)


def read_side_tables(spec: SetSpec, root: Path, others: Iterable[PurePosixPath]) -> Said:
    """Read those of the files that are tables of the set; faults are kept, the rest goes on."""
    said = Said()
    for name in others:
        for table in spec.tables:
            if re.fullmatch(table.file, name.name, re.IGNORECASE):
                _read(spec, table, root, name, said)
    return said


def _read(spec: SetSpec, table: SideTable, root: Path, name: PurePosixPath, said: Said) -> None:
    try:
        path = root / name
        if path.stat().st_size > _LIMIT:
            raise ValueError("is too large for such a table")
        text = path.read_bytes().decode("utf-8-sig")
        if "\0" in text:
            raise ValueError("holds a NUL character; this is no table")
        # A line is (row number, cells): with header as columns, without as words.
        lines = list(_with_header(table, text) if table.image else _without(text))
    except (OSError, ValueError, csv.Error) as fault:
        why = getattr(fault, "strerror", None) or fault
        said.faults.append(Fault("side_table", f"{name}: {why}.", None, None, str(name)))
        return
    said.tables.append(name.name)
    for number, cells in lines:
        wrong = _take(spec, table, name, number, cells, said)
        if wrong:
            said.faults.append(Fault("side_table", f"{name}, row {number}: {wrong}.", None, None, str(name)))


def _with_header(table: SideTable, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    first = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in first else ",")
    columns: list[str] = []
    for number, line in enumerate(reader, start=1):
        cells = [cell.strip() for cell in line]
        if not columns:
            columns = [cell.lower() for cell in cells]
            needed = (table.image, table.label, table.patient, table.body_site, table.part)
            missing = [name for name in needed if name and name.lower() not in columns]
            if missing:
                raise ValueError(f"row 1: no column {missing[0]}; found: {', '.join(columns)}")
        elif any(cells):
            yield number, dict(zip(columns, cells, strict=False))


def _without(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if words:
            yield number, {"": words[0], "grade": words[1] if len(words) > 1 else ""}


def _take(
    spec: SetSpec, table: SideTable, name: PurePosixPath, number: int, cells: dict[str, str], said: Said
) -> str:
    """Take one row in; what is wrong with it, or ""."""
    image = PurePosixPath(cells.get(table.image.lower(), "")).stem.lower()
    if not image:
        return "names no image"
    if table.onehot or table.label:
        source, wrong = _source(spec, table, cells)
        if source is None:
            return f"{image}: {wrong}"
        if said.source.setdefault(image, source) != source:
            return f"{image} is {source.source} here and {said.source[image].source} in {said.row[image]}"
        said.row.setdefault(image, f"{name.name}, row {number}")
    for column, kept in (
        (table.patient, said.patient),
        (table.body_site, said.body_site),
        ("grade", said.grade),
    ):
        value = cells.get(column.lower(), "") if column else ""
        if value and value.lower() not in ("unknown", "nan"):
            kept.setdefault(image, value)
    return _take_part(table, name, image, cells, said)


def _take_part(table: SideTable, name: PurePosixPath, image: str, cells: dict[str, str], said: Said) -> str:
    if not table.part:
        return ""
    word = cells.get(table.part.lower(), "") if table.image else table.part
    part = PARTS.get(plain(word))
    if part is None:
        return f'{image}: "{word}" is none of train, val, test'
    number = re.search(r"(\d+)(?=\D*$)", name.stem) if not table.image else None
    split = re.sub(r"\d+$", number.group(1), table.split) if number else table.split
    if said.parts.setdefault((image, split), part) != part:
        return f"{image} is in {part} and {said.parts[image, split]} of {split}"
    return ""


def _source(spec: SetSpec, table: SideTable, cells: dict[str, str]) -> tuple[Class | None, str]:
    if table.label:
        word = cells.get(table.label.lower(), "")
        found = spec.by_key.get(plain(word))
        return found, "" if found else f'class "{word}" is none of {", ".join(spec.labels)}'
    hot = [name for name, cell in cells.items() if name != table.image.lower() and _one(cell)]
    if len(hot) != 1:
        return None, f"{len(hot)} classes are marked where one must be"
    found = spec.by_key.get(plain(hot[0]))
    return found, "" if found else f'class "{hot[0]}" is none of {", ".join(spec.labels)}'


def _one(cell: str) -> bool:
    try:
        return float(cell) == 1.0
    except ValueError:
        return False
