"""How a study dealt its images: the project's splits file, or anybody's plain table of file and fold."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from poxlens.audit.material import Ints
from poxlens.data.manifest import Manifest, read_table
from poxlens.data.splits import Splits, read_splits
from poxlens.errors import ManifestError

FILE_COLUMNS = ("file", "filename", "image", "path", "name")
PART_COLUMNS = ("fold", "part", "split", "set", "subset", "partition")

_PART_COLUMN = re.compile(rf"({'|'.join(PART_COLUMNS)})[ _-]*\d*")


@dataclass(frozen=True, eq=False)
class Assignment:
    """One way in which a study deals its images to parts: the folds of one repeat, or train and test."""

    name: str  # "repeat 1", "split"
    part: Ints  # [N], place in `parts`; -1 = not used
    parts: tuple[str, ...]  # "fold 1", "train", ...
    inner: bool = False  # of the inner level: only choices are made on it
    twice: tuple[tuple[int, str, str], ...] = ()  # (row, part, other part) of files that stand in two parts


def read_assignments(path: Path, manifest: Manifest) -> tuple[Assignment, ...]:
    """How each image was dealt.

    Args:
        path: a splits file of `poxlens data split` (JSON), or a CSV with one column of FILE_COLUMNS and one or
            more of PART_COLUMNS, each of them one way of dealing (`fold_1`, `fold_2` ... for repeats). A file
            may be given as in the table, or by its name without folder or ending where that is unique. A file in
            two parts is kept as such: it is a leak.
        manifest: the table that the files are of.

    Raises:
        ManifestError: the file cannot be read or does not fit the table; names row and column.
        SplitError: a splits file that is damaged.
    """
    data = read_table(path)
    if data.lstrip()[:1] in (b"{", b"["):
        return _of_splits(path, manifest)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise ManifestError(f"{path}, row {line}: is not UTF-8 text.") from fault
    return of_table(str(path), text, [row.file for row in manifest.rows])


def of_table(name: str, text: str, files: Sequence[str]) -> tuple[Assignment, ...]:
    """The assignments of a CSV text; as in `read_assignments`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        heads = [head.strip().lower() for head in next(reader, [])]
        records = [(number, cells) for number, cells in enumerate(reader, start=2) if any(cells)]
    except csv.Error as fault:
        raise ManifestError(f"{name}, row {reader.line_num}: is not CSV ({fault}).") from fault
    files_at = next((heads.index(head) for head in FILE_COLUMNS if head in heads), None)
    if files_at is None:
        raise ManifestError(f"{name}, row 1: no column with the file; one of: {', '.join(FILE_COLUMNS)}.")
    parts_at = [place for place, head in enumerate(heads) if _PART_COLUMN.fullmatch(head)]
    if not parts_at:
        raise ManifestError(
            f"{name}, row 1: no column that says where a file was dealt to; one of: {', '.join(PART_COLUMNS)}."
        )
    rows = _rows(name, records, heads, files_at, files)
    if not rows:
        raise ManifestError(f"{name}: deals no image.")
    return tuple(
        _assignment(heads[place], rows, [cells[place].strip() for _, cells in records], len(files))
        for place in parts_at
    )


def _rows(
    name: str,
    records: Sequence[tuple[int, list[str]]],
    heads: Sequence[str],
    files_at: int,
    files: Sequence[str],
) -> list[int]:
    """The row of the table for each record."""
    exact = {str(PurePosixPath(file)): row for row, file in enumerate(files)}
    short: dict[str, list[int]] = {}
    for row, file in enumerate(files):
        for key in {PurePosixPath(file).name, PurePosixPath(file).stem}:
            short.setdefault(key, []).append(row)
    rows = []
    for number, cells in records:
        if len(cells) != len(heads):
            raise ManifestError(
                f"{name}, row {number}: has {len(cells)} cells where the header has {len(heads)}."
            )
        given = PurePosixPath(cells[files_at].strip().replace("\\", "/"))
        places = [exact[str(given)]] if str(given) in exact else short.get(given.name, [])
        if len(places) != 1:
            what = f"fits {len(places)} files of the table" if places else "is no file of the table"
            raise ManifestError(f'{name}, row {number}, column "{heads[files_at]}": {given} {what}.')
        rows.append(places[0])
    return rows


def _assignment(head: str, rows: Sequence[int], given: Sequence[str], count: int) -> Assignment:
    names = tuple(sorted({name for name in given if name}, key=_natural))
    number = {name: place for place, name in enumerate(names)}
    shown = tuple(
        f"{head.rstrip('0123456789_- ')} {name}" if name.isdecimal() else name.lower() for name in names
    )
    part = np.full(count, -1, np.int64)
    twice = []
    for row, name in zip(rows, given, strict=True):
        if not name:
            continue
        if part[row] >= 0 and part[row] != number[name]:
            twice.append((row, shown[part[row]], shown[number[name]]))
        else:
            part[row] = number[name]
    return Assignment(head, part, shown, twice=tuple(twice))


def _natural(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdecimal() else (10**9, name)


def _of_splits(path: Path, manifest: Manifest) -> tuple[Assignment, ...]:
    splits = read_splits(path)
    place = {row.file: number for number, row in enumerate(manifest.rows)}
    strange = [file for file in splits.files if file not in place]
    if strange:
        raise ManifestError(
            f"{path}: deals {strange[0]}, which the table does not have ({len(strange)} such). Is it of another table?"
        )
    row_of = np.array([place[file] for file in splits.files], np.int64)
    return tuple(_each(splits, row_of, len(manifest.rows)))


def _each(splits: Splits, row_of: Ints, count: int) -> Iterator[Assignment]:
    for repeat, folds in enumerate(splits.outer):
        name = f"repeat {repeat + 1}"
        together = splits.plan.kind != "official"
        if together:
            shown = tuple(f"fold {one}" for one in splits.names[repeat])
            yield _parts(name, shown, [row_of[rows] for rows in folds], count)
        for fold, test in enumerate(folds):
            here = f"{name}, fold {splits.names[repeat][fold]}" if together else splits.names[repeat][fold]
            learn, inner = splits.train(repeat, fold), splits.inner[repeat][fold]
            if not together:
                yield _parts(here, ("train", "test"), [row_of[learn], row_of[test]], count)
            for number, rows in enumerate(inner):
                rest = np.setdiff1d(learn, rows)
                shown = (f"inner part {number + 1}", "the rest")
                yield _parts(here, shown, [row_of[rows], row_of[rest]], count, inner=True)


def _parts(
    name: str, parts: tuple[str, ...], rows: Sequence[Ints], count: int, *, inner: bool = False
) -> Assignment:
    part = np.full(count, -1, np.int64)
    for place, one in enumerate(rows):
        part[one] = place
    return Assignment(name, part, parts, inner)
