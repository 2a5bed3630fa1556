"""All that is wrong with a table of images, each with its row and column, the sound rows beside it."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from poxlens.data.labels import label_faults
from poxlens.data.manifest import Row, read_table, rows_or_faults
from poxlens.data.table import Fault

__all__ = ["KINDS", "SHOWN", "Fault", "Faults", "all_faults", "content_faults", "name_faults"]

SHOWN = 50  # faults told in full; the rest is counted

KINDS: dict[str, str] = {
    "columns": "wrong columns",
    "column": "a column that is probably misnamed",
    "csv": "not CSV from some row on",
    "cells": "rows with too few or too many cells",
    "empty": "empty cells that must not be",
    "sha256": "SHA-256 that is not one, or not that of the file",
    "size": "sizes that are no number of pixels",
    "dimension": "sizes that are not those of the file",
    "flags": "flags with a space",
    "duplicate": "the same name twice",
    "near_name": "names that differ only by case or by the form of their letters",
    "label_case": "one label written in several ways",
    "label_typo": "labels that look misspelt",
    "empty_class": "classes without an image",
    "missing": "files that are not there",
    "unreadable": "files that cannot be read as an image",
    "conflict": "the same bytes under different labels",
    "count": "counts that are not the published ones",
    "extra": "files that the published set does not have",
    "name": "names that do not follow the set's rule",
    "copies": "copies of one image that differ",
    "side_table": "faults in a table that comes with the set",
}
"""Kind of fault -> what it is."""


@dataclass(frozen=True)
class Faults:
    """What is wrong with a table, and what of it is sound."""

    rows: tuple[tuple[int, Row], ...]  # the sound rows with their numbers in the table
    faults: tuple[Fault, ...]  # in the order of the table, then those that concern the whole

    @property
    def counts(self) -> dict[str, int]:
        """Number of faults by kind."""
        return dict(Counter(fault.kind for fault in self.faults))

    def told(self, limit: int = SHOWN) -> list[str]:
        """One line a fault, at most `limit`, then one that counts the rest."""
        return told(self.faults, limit)


def told(faults: Sequence[Fault], limit: int = SHOWN) -> list[str]:
    """One line a fault, at most `limit`, then one that counts the rest by kind."""
    lines = [str(fault) for fault in faults[:limit]]
    rest = Counter(fault.kind for fault in faults[limit:])
    if rest:
        kinds = ", ".join(f"{count} {KINDS[kind]}" for kind, count in rest.most_common())
        lines.append(f"… and {rest.total():,} more: {kinds}")
    return lines


def all_faults(
    path: Path, *, root: Path | None = None, classes: Sequence[str] = (), check_files: bool = True
) -> Faults:
    """Everything that is wrong with a table of images; images are looked for, not opened.

    Args:
        path: the table, CSV or Parquet.
        root: the folder that `file` is relative to; without it, the folder of the table.
        classes: labels that must occur, and that a label may be a misspelling of.
        check_files: whether to look for the files.

    Raises:
        ManifestError: the table as a whole cannot be read (not there, empty, not UTF-8, a spreadsheet).
    """
    base = path.parent if root is None else root
    rows: list[tuple[int, Row]] = []
    faults: list[Fault] = []
    for item in rows_or_faults(path, read_table(path), base):
        if isinstance(item, Fault):
            faults.append(item)
        else:
            rows.append(item)
    present = {number for number, row in rows if not check_files or row.path.is_file()}
    faults += name_faults((number, row.file) for number, row in rows)
    faults += label_faults(((number, row.label, row.file) for number, row in rows), classes)
    faults += _missing([item for item in rows if item[0] not in present])
    faults += _empty_classes(rows, present, classes)
    faults += content_faults(rows)
    faults.sort(key=lambda fault: (fault.row is None, fault.row or 0))
    return Faults(tuple(rows), tuple(faults))


def name_faults(names: Iterable[tuple[int | None, str]]) -> Iterator[Fault]:
    """Names that are one name on a disk that ignores case (Windows, macOS) or the form of letters (macOS)."""
    seen: dict[str, tuple[int | None, str]] = {}
    for number, name in names:
        key = unicodedata.normalize("NFC", name).casefold()
        first, other = seen.setdefault(key, (number, name))
        if other != name:
            same = unicodedata.normalize("NFC", other) == unicodedata.normalize("NFC", name)
            how = "the Unicode form of its letters" if same else "case"
            where = "" if first is None else f" (row {first})"
            yield Fault(
                "near_name", f"{name} differs from {other}{where} only by {how}.", number, "file", name
            )


def content_faults(rows: Iterable[tuple[int | None, Row]]) -> Iterator[Fault]:
    """The same bytes under different labels, by the column sha256."""
    seen: dict[str, dict[str, tuple[int | None, Row]]] = defaultdict(dict)  # of each label, the first row
    for number, row in rows:
        if not row.sha256:
            continue
        of_label = seen[row.sha256]
        other = next((item for label, item in of_label.items() if label != row.label), None)
        if other is not None:
            where = "" if other[0] is None else f" (row {other[0]})"
            text = (
                f'{row.file} is "{row.label}" but has the same bytes as {other[1].file}{where}, '
                f'which is "{other[1].label}".'
            )
            yield Fault("conflict", text, number, "label", row.file)
        of_label.setdefault(row.label, (number, row))


def _missing(rows: Iterable[tuple[int, Row]]) -> Iterator[Fault]:
    folders: dict[Path, dict[str, str]] = {}
    for number, row in rows:
        parent = row.path.parent
        if parent not in folders:
            folders[parent] = _folded_names(parent)
        near = folders[parent].get(row.path.name.casefold())
        if row.path.is_dir():
            why = "is a folder, not a file"
        elif near:
            why = f"is not there, but {near} is"
        elif "\\" in row.file:
            why = "is not there; folders are separated by /, not by a backslash"
        else:
            why = "is not there"
        yield Fault("missing", f"{row.file} {why}.", number, "file", row.file)


def _folded_names(folder: Path) -> dict[str, str]:
    """Names in a folder by their case-folded form."""
    try:
        return {entry.name.casefold(): entry.name for entry in folder.iterdir()}
    except OSError:
        return {}


def _empty_classes(
    rows: Sequence[tuple[int, Row]], present: set[int], classes: Sequence[str]
) -> Iterator[Fault]:
    filled = {row.label for number, row in rows if number in present}
    for label in sorted({row.label for _, row in rows} - filled):
        yield Fault("empty_class", f'class "{label}" has no file that is there.', None, "label")
    for label in classes:
        if label not in filled and all(row.label != label for _, row in rows):
            yield Fault("empty_class", f'class "{label}" has no row.', None, "label")
